package dev.vigil.agent.link;

import dev.vigil.agent.handler.JsonTexts;
import dev.vigil.protocol.link.DispatchRecord;
import dev.vigil.protocol.payload.EncryptedField;
import dev.vigil.protocol.payload.SealBrokenException;
import dev.vigil.protocol.payload.TaskKey;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// A payload whose tokens and encrypted fields are replaced by their values; secrets stay names until a sandbox has
/// them as files. Does not print itself.
///
/// @param json         what the handler gets
/// @param confidential every value that was put in or handed over, to be hidden wherever the handler repeats it
record ResolvedInput(byte[] json, List<byte[]> confidential) {

    /// Resolves a payload by what the API handed out. What it did not hand out is plain text.
    ///
    /// @throws SealBrokenException when an encrypted field was changed, or belongs to another namespace or handler
    static ResolvedInput of(byte[] payload, Material.Resolved resolved, DispatchRecord dispatch)
            throws SealBrokenException {
        if (resolved.isEmpty()) {
            return new ResolvedInput(payload, List.of());
        }
        var confidential = new ArrayList<>(resolved.secrets().values());
        var broken = new ArrayList<SealBrokenException>();
        byte[] json = JsonTexts.replace(payload, text -> {
            try {
                Optional<String> value = value(text, resolved, dispatch);
                value.ifPresent(plain -> confidential.add(plain.getBytes(StandardCharsets.UTF_8)));
                return value;
            } catch (SealBrokenException e) {
                broken.add(e);
                return Optional.empty();
            }
        });
        if (!broken.isEmpty()) {
            throw broken.getFirst();
        }
        return new ResolvedInput(json, confidential);
    }

    private static Optional<String> value(String text, Material.Resolved resolved, DispatchRecord dispatch)
            throws SealBrokenException {
        Optional<EncryptedField> field = EncryptedField.parse(text);
        if (field.isEmpty()) {
            return Optional.ofNullable(resolved.tokens().get(text));
        }
        TaskKey key = resolved.fieldKeys().get(field.get().id());
        String handler = field.get().handler();
        if (key == null || (!handler.isEmpty() && !handler.equals(dispatch.handler()))) {
            return Optional.empty();
        }
        byte[] plain =
                key.open(field.get().place(dispatch.namespace()), field.get().record());
        return Optional.of(new String(plain, StandardCharsets.UTF_8));
    }

    @Override
    public String toString() {
        return "ResolvedInput[hidden]";
    }
}
