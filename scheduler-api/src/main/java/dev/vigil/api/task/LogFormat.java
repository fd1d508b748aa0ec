package dev.vigil.api.task;

import dev.vigil.api.task.OpenedLogs.Line;
import dev.vigil.api.web.Json;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// The three ways in which a log is written out.
enum LogFormat {
    /// Server-sent events: each line an event whose id is its number, `end` at the end.
    EVENTS("text/event-stream"),
    /// One JSON object a line.
    NDJSON("application/x-ndjson"),
    /// Nothing but the lines.
    TEXT("text/plain; charset=utf-8");

    private final String type;

    LogFormat(String type) {
        this.type = type;
    }

    String type() {
        return type;
    }

    /// The first of the three that the client names; events when it names none.
    static LogFormat of(String accept) {
        for (String part : accept.split(",")) {
            String media = part.split(";", 2)[0].strip().toLowerCase(Locale.ROOT);
            switch (media) {
                case "text/event-stream" -> {
                    return EVENTS;
                }
                case "application/x-ndjson", "application/json" -> {
                    return NDJSON;
                }
                case "text/plain", "text/*" -> {
                    return TEXT;
                }
                default -> {}
            }
        }
        return EVENTS;
    }

    byte[] line(Line line) {
        return switch (this) {
            case EVENTS -> bytes("id: " + line.seq() + "\ndata: " + json(line) + "\n\n");
            case NDJSON -> bytes(json(line) + "\n");
            case TEXT -> bytes((line.at() == null ? "[" + line.text() + "]" : line.text()) + "\n");
        };
    }

    /// That nothing follows.
    ///
    /// @param state of the execution, as clients see it
    byte[] end(String state) {
        return this == EVENTS ? bytes("event: end\ndata: {\"state\":\"" + state + "\"}\n\n") : new byte[0];
    }

    /// Something that means nothing, to find out whether the client is still there; empty where there is no such
    /// thing.
    byte[] beat() {
        return this == EVENTS ? bytes(": still here\n\n") : new byte[0];
    }

    private static String json(Line line) {
        Map<String, @Nullable Object> view = new LinkedHashMap<>();
        view.put("seq", line.seq());
        view.put("at", line.at() == null ? null : line.at().toString());
        view.put("attempt", line.attempt());
        view.put("stream", line.stream());
        view.put("text", line.text());
        return new String(Json.bytes(view), StandardCharsets.UTF_8);
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
