package dev.vigil.api.web;

import jakarta.servlet.http.HttpServletResponse;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

/// An answer as bytes, and an answer of something that did not happen.
final class StoredAnswer {
    /// What is shown once, of something that exists from then on: a dry run has no use for it.
    private static final Set<String> SHOWN_ONCE = Set.of("client_secret", "key", "token", "join_command");

    /// What names something that was just made.
    private static final Set<String> NAMES = Set.of("id", "client_id", "prefix");

    private StoredAnswer() {}

    static byte[] bytes(Answer answer) {
        var bytes = new ByteArrayOutputStream();
        try (var out = new DataOutputStream(bytes)) {
            out.writeInt(answer.status());
            out.writeInt(answer.headers().size());
            for (var header : answer.headers().entrySet()) {
                out.writeUTF(header.getKey());
                out.writeUTF(header.getValue());
            }
            switch (answer.body()) {
                case Answer.Body.None() -> out.writeUTF("");
                case Answer.Body.Bytes(String type, byte[] content) -> {
                    out.writeUTF(type);
                    out.writeInt(content.length);
                    out.write(content);
                }
                case Answer.Body.Stream _ ->
                    throw new IllegalStateException("a streamed answer cannot be kept for its Idempotency-Key");
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return bytes.toByteArray();
    }

    static Answer read(byte[] bytes) {
        try (var in = new DataInputStream(new ByteArrayInputStream(bytes))) {
            int status = in.readInt();
            Map<String, String> headers = new LinkedHashMap<>();
            for (int left = in.readInt(); left > 0; left--) {
                headers.put(in.readUTF(), in.readUTF());
            }
            String type = in.readUTF();
            return new Answer(
                    status,
                    headers,
                    type.isEmpty() ? new Answer.Body.None() : new Answer.Body.Bytes(type, in.readNBytes(in.readInt())));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// The answer to a dry run: 200, and it says that nothing was stored. Without Location, secrets and the ids of what
    /// would be new: nothing lies there.
    static Answer rehearsed(Answer answer) {
        Map<String, Object> body = new LinkedHashMap<>();
        body.put("dry_run", true);
        if (answer.body() instanceof Answer.Body.Bytes(String type, byte[] content)
                && type.equals("application/json")) {
            body.putAll(Json.object(content));
            body.keySet().removeAll(SHOWN_ONCE);
            if (answer.status() == HttpServletResponse.SC_CREATED) {
                body.keySet().removeAll(NAMES);
            }
        }
        return answer.body() instanceof Answer.Body.Stream ? answer : Answer.json(200, body);
    }
}
