package dev.vigil.agent.handler;

import dev.vigil.protocol.id.Id;
import dev.vigil.protocol.id.Kind;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;

/// The lines that the agent writes to a handler.
final class RunLines {
    private RunLines() {}

    /// How handlers see an execution.
    static String name(UUID execution) {
        return new Id(Kind.EXECUTION, execution).toString();
    }

    /// @param secrets name to the path that the handler finds it at
    static byte[] run(ExecutionRequest request, Map<String, String> secrets) {
        String execution = name(request.execution());
        var out = new ByteArrayOutputStream(512 + request.input().length);
        // No value here but the input can hold a quote: ids, times, and names that were checked when they were read.
        write(out, "{\"run\":\"" + execution + "\",\"attempt\":" + request.attempt() + ",\"fence\":" + request.fence());
        write(out, ",\"handler\":\"" + request.handler() + "\",\"input\":");
        out.writeBytes(oneLine(request.input()));
        write(out, ",\"timeout_ms\":" + request.timeout().toMillis());
        write(out, ",\"scheduled_for\":\"" + request.scheduledFor() + "\",\"deadline\":\"" + request.deadline() + "\"");
        write(out, ",\"idempotency_key\":\"" + execution + "\",\"secrets\":{");
        var separator = "";
        for (Map.Entry<String, String> secret : new TreeMap<>(secrets).entrySet()) {
            write(out, separator + "\"" + secret.getKey() + "\":\"" + secret.getValue() + "\"");
            separator = ",";
        }
        write(out, "}}\n");
        return out.toByteArray();
    }

    static byte[] cancel(UUID execution, Duration grace) {
        String line = "{\"cancel\":\"" + name(execution) + "\",\"grace_ms\":" + grace.toMillis() + "}\n";
        return line.getBytes(StandardCharsets.US_ASCII);
    }

    /// In JSON text a line break can only stand between tokens, so a blank does as well.
    private static byte[] oneLine(byte[] json) {
        for (int i = 0; i < json.length; i++) {
            if (json[i] == '\n' || json[i] == '\r') {
                json[i] = ' ';
            }
        }
        return json;
    }

    private static void write(ByteArrayOutputStream out, String text) {
        out.writeBytes(text.getBytes(StandardCharsets.UTF_8));
    }
}
