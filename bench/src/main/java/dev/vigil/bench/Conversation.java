package dev.vigil.bench;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.PrintStream;
import java.time.InstantSource;
import java.util.LinkedHashMap;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// The line protocol of the peers' benchmark: one JSON request a line in, one line `@{json}` out for each. A request
/// that fails is answered with `error`, and the next one is heard.
final class Conversation {
    private static final Logger LOG = LoggerFactory.getLogger(Conversation.class);
    private static final JsonMapper JSON = JsonMapper.shared();

    private final Contestant contestant;
    private final Starts starts;
    private final Load load;

    Conversation(Contestant contestant, InstantSource clock) {
        this.contestant = contestant;
        this.starts = new Starts();
        this.load = new Load(contestant, clock);
    }

    /// Until `exit` or the end of the input.
    void run(BufferedReader in, PrintStream out) throws IOException {
        boolean open = true;
        for (String line = in.readLine(); open && line != null; line = open ? in.readLine() : null) {
            Map<String, Object> answer = new LinkedHashMap<>();
            try {
                JsonNode request = JSON.readTree(line);
                open = !request.path("op").asString("").equals("exit");
                answer.putAll(answer(request));
            } catch (Exception failure) {
                LOG.warn("event=request_failed", failure);
                answer.put("error", failure.toString());
            }
            out.println("@" + JSON.writeValueAsString(answer));
            out.flush();
        }
    }

    private Map<String, Object> answer(JsonNode request) throws Exception {
        String op = request.path("op").asString("");
        return switch (op) {
            case "hello" -> Map.of("version", contestant.version(), "config", contestant.config(), "durable", true);
            case "enqueue_single" ->
                load.single(
                        number(request, "clients"),
                        request.path("seconds").asDouble(1),
                        request.path("due").asString("future").equals("future"));
            case "enqueue_bulk" ->
                load.bulk(load.dues(
                        number(request, "n"),
                        request.path("due").asString("now"),
                        request.path("rate").asDouble(1_000),
                        request.path("startInMs").asLong(0)));
            case "feed" ->
                load.feed(number(request, "rate"), request.path("seconds").asDouble(1));
            case "progress" -> starts.progress();
            case "latency" -> starts.latency();
            case "remaining" -> Map.of("remaining", contestant.remaining());
            case "cron" -> Map.of("period", contestant.recur(number(request, "n"), number(request, "period")));
            default -> {
                act(op, request);
                yield Map.of();
            }
        };
    }

    private void act(String op, JsonNode request) throws Exception {
        switch (op) {
            case "install" -> contestant.install();
            case "open" -> contestant.open();
            case "preload" -> contestant.preload(number(request, "n"));
            case "start" -> contestant.start(starts);
            case "stop" -> contestant.stop();
            case "reset" -> starts.reset();
            case "exit" -> contestant.close();
            default -> throw new IllegalArgumentException("there is no op \"" + op + "\"; see the harness's README");
        }
    }

    private static int number(JsonNode request, String name) {
        int number = request.path(name).asInt(0);
        if (number < 1) {
            throw new IllegalArgumentException(request.path("op").asString("") + " needs " + name + ", 1 or more");
        }
        return number;
    }
}
