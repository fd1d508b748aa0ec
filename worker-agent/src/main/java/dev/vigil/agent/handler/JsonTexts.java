package dev.vigil.agent.handler;

import java.io.ByteArrayOutputStream;
import java.util.Arrays;
import java.util.Optional;
import java.util.function.Function;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.databind.json.JsonMapper;

/// Replaces texts inside JSON and leaves every other byte as it is: numbers keep their digits, objects their order.
public final class JsonTexts {
    private static final JsonMapper JSON = JsonMapper.shared();

    private JsonTexts() {}

    /// Asks about every text value.
    ///
    /// @param json        JSON text in UTF-8; returned as it is when it is none
    /// @param replacement what stands in place of a text value, as a text; empty to leave it. Names of members
    ///                    are not asked about
    public static byte[] replace(byte[] json, Function<String, Optional<String>> replacement) {
        var out = new ByteArrayOutputStream(json.length + 256);
        int copied = 0;
        try (JsonParser in = JSON.createParser(json)) {
            for (JsonToken token = in.nextToken(); token != null; token = in.nextToken()) {
                if (token == JsonToken.VALUE_STRING) {
                    int from = (int) in.currentTokenLocation().getByteOffset();
                    Optional<String> text = replacement.apply(in.getString());
                    if (text.isPresent()) {
                        out.write(json, copied, from - copied);
                        byte[] quoted = JSON.writeValueAsBytes(text.get());
                        out.writeBytes(quoted);
                        Arrays.fill(quoted, (byte) 0);
                        copied = (int) in.currentLocation().getByteOffset();
                    }
                }
            }
        } catch (JacksonException _) {
            return json;
        }
        out.write(json, copied, json.length - copied);
        return out.toByteArray();
    }
}
