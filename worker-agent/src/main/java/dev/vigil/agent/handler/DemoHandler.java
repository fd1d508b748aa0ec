package dev.vigil.agent.handler;

import java.io.ByteArrayOutputStream;
import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// The built-in handlers, as a pooled process of its own inside the sandbox: a JVM with this one class and nothing
/// else, so that a worker needs no interpreter to try itself. The channel is descriptor 0.
final class DemoHandler {
    static final List<String> NAMES = List.of("demo.echo", "demo.fail", "demo.secret", "demo.sleep");
    static final List<String> CLASSES = List.of("DemoHandler.class");

    private static final long SLEEP_MAX = 3_600_000;

    private final OutputStream out;
    private Thread working = Thread.currentThread();

    private DemoHandler(OutputStream out) {
        this.out = out;
    }

    public static void main(String[] arguments) throws IOException {
        // A socket reads and writes under one number.
        var handler = new DemoHandler(new FileOutputStream(FileDescriptor.in));
        handler.write("{\"hello\":1,\"handlers\":[\"" + String.join("\",\"", NAMES) + "\"]}");
        handler.read(new FileInputStream(FileDescriptor.in));
    }

    private void read(InputStream in) throws IOException {
        var line = new ByteArrayOutputStream();
        var piece = new byte[64 << 10];
        for (int read = in.read(piece); read >= 0; read = in.read(piece)) {
            int start = 0;
            for (int i = 0; i < read; i++) {
                if (piece[i] == '\n') {
                    line.write(piece, start, i - start);
                    obey(line.toString(StandardCharsets.UTF_8));
                    line.reset();
                    start = i + 1;
                }
            }
            line.write(piece, start, read - start);
        }
    }

    /// Work has a thread of its own only where it takes long, so that a cancel is read meanwhile.
    private void obey(String line) throws IOException {
        Map<String, String> order = fields(line);
        if (order.containsKey("cancel")) {
            working.interrupt();
        } else if (text(order.getOrDefault("handler", "")).equals("demo.sleep")) {
            working = Thread.ofPlatform().daemon().start(() -> sleep(order));
        } else {
            write(answer(order));
        }
    }

    private String answer(Map<String, String> order) throws IOException {
        String input = order.getOrDefault("input", "");
        return switch (text(order.getOrDefault("handler", ""))) {
            case "demo.echo" -> done(order, input);
            case "demo.fail" -> fail(order, fields(input).getOrDefault("fail_attempts", "1"));
            case "demo.secret" -> secret(order, text(fields(input).getOrDefault("ref", "\"\"")));
            default -> failed(order, "unknown_handler", "this process serves " + NAMES, false);
        };
    }

    private String fail(Map<String, String> order, String attempts) {
        if (!attempts.matches("[0-9]{1,9}")) {
            return failed(order, "bad_input", "fail_attempts is a whole number", false);
        }
        int attempt = Integer.parseInt(order.get("attempt"));
        return attempt <= Integer.parseInt(attempts)
                ? failed(order, "asked_to_fail", "attempt " + attempt + " of " + attempts + " that fail", true)
                : done(order, "{\"attempt\":" + attempt + "}");
    }

    private String secret(Map<String, String> order, String reference) throws IOException {
        String name = reference.substring(reference.lastIndexOf('/') + 1);
        String path = fields(order.getOrDefault("secrets", "{}")).get(name);
        if (path == null) {
            return failed(order, "no_secret", "no secret was handed to this execution under that reference", false);
        }
        String value = Files.readString(Path.of(text(path)));
        return done(order, "{\"length\":" + value.codePointCount(0, value.length()) + "}");
    }

    private void sleep(Map<String, String> order) {
        try {
            String millis = fields(order.getOrDefault("input", "")).getOrDefault("ms", "");
            if (!millis.matches("[0-9]{1,7}") || Long.parseLong(millis) > SLEEP_MAX) {
                answer(failed(order, "bad_input", "ms is a whole number up to " + SLEEP_MAX, false));
                return;
            }
            Thread.sleep(Long.parseLong(millis));
            answer(done(order, "{\"slept_ms\":" + millis + "}"));
        } catch (InterruptedException e) {
            answer(failed(order, "cancelled", "woken before its time", false));
        }
    }

    private void answer(String line) {
        try {
            write(line);
        } catch (IOException e) {
            throw new UncheckedIOException(e); // the agent is gone, and this process will be
        }
    }

    private static String done(Map<String, String> order, String output) {
        return "{\"run\":" + order.get("run") + ",\"done\":" + output + "}";
    }

    private static String failed(Map<String, String> order, String code, String detail, boolean retryable) {
        return "{\"run\":" + order.get("run") + ",\"fail\":{\"code\":\"" + code + "\",\"detail\":\""
                + detail.replace("\"", "'") + "\",\"retryable\":" + retryable + "}}";
    }

    private synchronized void write(String line) throws IOException {
        out.write((line + "\n").getBytes(StandardCharsets.UTF_8));
    }

    /// The text of a JSON string that holds no escape; the agent writes none where this is used.
    private static String text(String json) {
        return json.length() >= 2 && json.startsWith("\"") ? json.substring(1, json.length() - 1) : json;
    }

    /// The fields of a JSON object, their values as JSON text. The agent has checked the line.
    private static Map<String, String> fields(String object) {
        var fields = new HashMap<String, String>();
        int at = object.indexOf('{') + 1;
        while (at > 0 && at < object.length()) {
            int name = object.indexOf('"', at);
            int close = object.indexOf('}', at);
            if (name < 0 || close < name) {
                return fields;
            }
            int nameEnd = end(object, name);
            int value = skipBlanks(object, object.indexOf(':', nameEnd) + 1);
            int valueEnd = end(object, value);
            fields.put(
                    text(object.substring(name, nameEnd)),
                    object.substring(value, valueEnd).strip());
            at = skipBlanks(object, valueEnd);
            if (at >= object.length() || object.charAt(at) != ',') {
                return fields;
            }
            at++;
        }
        return fields;
    }

    private static int skipBlanks(String json, int from) {
        int at = from;
        while (at < json.length() && json.charAt(at) <= ' ') {
            at++;
        }
        return at;
    }

    /// Where the value that begins here ends.
    private static int end(String json, int from) {
        int depth = 0;
        boolean quoted = false;
        for (int i = from; i < json.length(); i++) {
            char c = json.charAt(i);
            if (quoted) {
                if (c == '\\') {
                    i++;
                } else if (c == '"') {
                    quoted = false;
                }
            } else if (c == '"') {
                quoted = true;
            } else if (c == '{' || c == '[') {
                depth++;
            } else if (depth == 0 && (c == ',' || c == '}' || c == ']')) {
                return i;
            } else if (c == '}' || c == ']') {
                depth--;
            }
            boolean closes = (c == '"' && i > from) || c == '}' || c == ']';
            if (depth == 0 && !quoted && closes) {
                return i + 1;
            }
        }
        return json.length();
    }
}
