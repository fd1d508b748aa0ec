package dev.vigil.api;

import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.WebSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.awaitility.core.ConditionTimeoutException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// A real Chromium without a window, driven over its DevTools protocol.
final class Chromium implements AutoCloseable {
    /// Debian's name, or the one it has where only Google packs it.
    static final Path PROGRAM = Stream.of("/usr/bin/chromium", "/usr/bin/google-chrome")
            .map(Path::of)
            .filter(Files::isExecutable)
            .findFirst()
            .orElse(Path.of("/usr/bin/chromium"));

    private static final Duration PATIENCE = Duration.ofSeconds(30);
    private static final JsonMapper JSON = JsonMapper.shared();

    private final Path profile;
    private final Process process;
    private final WebSocket socket;
    private final AtomicInteger next = new AtomicInteger();
    private final Map<Integer, CompletableFuture<JsonNode>> asked = new ConcurrentHashMap<>();
    private final List<JsonNode> targets = new CopyOnWriteArrayList<>();
    private final List<String> complaints = new CopyOnWriteArrayList<>();

    Chromium() {
        try {
            profile = Files.createTempDirectory("vigil-chromium-");
            process = new ProcessBuilder(
                            PROGRAM.toString(),
                            "--headless=new",
                            // Tests run as root in containers, where its own sandbox cannot start.
                            "--no-sandbox",
                            "--disable-gpu",
                            "--disable-dev-shm-usage",
                            "--disable-background-networking",
                            "--no-first-run",
                            "--remote-debugging-port=0",
                            "--user-data-dir=" + profile,
                            "about:blank")
                    .redirectErrorStream(true)
                    .redirectOutput(profile.resolve("output.log").toFile())
                    .start();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        Path port = profile.resolve("DevToolsActivePort");
        await().atMost(PATIENCE)
                .until(() -> Files.exists(port) && read(port).lines().count() >= 2);
        List<String> lines = read(port).lines().toList();
        socket = HttpClient.newHttpClient()
                .newWebSocketBuilder()
                .buildAsync(URI.create("ws://127.0.0.1:" + lines.get(0) + lines.get(1)), new Ear())
                .join();
        ask("", "Target.setDiscoverTargets", Map.of("discover", true));
    }

    /// What pages complained of, refused scripts and styles included.
    List<String> complaints() {
        return List.copyOf(complaints);
    }

    /// Opens a page.
    Page open(String url) {
        String target = ask("", "Target.createTarget", Map.of("url", url))
                .path("targetId")
                .asString();
        return attach(target);
    }

    /// The window that a page opened.
    Page popup() {
        String target = await().atMost(PATIENCE)
                .until(
                        () -> targets.stream()
                                .filter(info -> info.has("openerId"))
                                .map(info -> info.path("targetId").asString())
                                .findFirst()
                                .orElse(""),
                        id -> !id.isEmpty());
        return attach(target);
    }

    private Page attach(String target) {
        String session = ask("", "Target.attachToTarget", Map.of("targetId", target, "flatten", true))
                .path("sessionId")
                .asString();
        ask(session, "Log.enable", Map.of());
        ask(session, "Runtime.enable", Map.of());
        return new Page(session);
    }

    private JsonNode ask(String session, String method, Map<String, Object> parameters) {
        int id = next.incrementAndGet();
        var answer = new CompletableFuture<JsonNode>();
        asked.put(id, answer);
        Map<String, Object> message = new LinkedHashMap<>();
        message.put("id", id);
        message.put("method", method);
        message.put("params", parameters);
        if (!session.isEmpty()) {
            message.put("sessionId", session);
        }
        synchronized (socket) {
            socket.sendText(JSON.writeValueAsString(message), true).join();
        }
        JsonNode reply =
                answer.orTimeout(PATIENCE.toSeconds(), TimeUnit.SECONDS).join();
        if (reply.has("error")) {
            throw new IllegalStateException(method + ": " + reply.path("error"));
        }
        return reply.path("result");
    }

    private void hear(JsonNode message) {
        if (message.has("id")) {
            CompletableFuture<JsonNode> answer = asked.remove(message.path("id").asInt());
            if (answer != null) {
                answer.complete(message);
            }
            return;
        }
        JsonNode content = message.path("params");
        switch (message.path("method").asString()) {
            case "Target.targetCreated" -> targets.add(content.path("targetInfo"));
            case "Log.entryAdded" -> {
                if (content.path("entry").path("level").asString().equals("error")) {
                    complaints.add(content.path("entry").path("text").asString());
                }
            }
            case "Runtime.exceptionThrown" ->
                complaints.add(content.path("exceptionDetails").toString());
            default -> {}
        }
    }

    /// Puts the parts of a message together.
    private final class Ear implements WebSocket.Listener {
        private final StringBuilder text = new StringBuilder();

        @Override
        public CompletionStage<?> onText(WebSocket from, CharSequence data, boolean last) {
            text.append(data);
            if (last) {
                hear(JSON.readTree(text.toString()));
                text.setLength(0);
            }
            from.request(1);
            return CompletableFuture.completedFuture(null);
        }
    }

    /// One page, as somebody sits before it.
    final class Page {
        private final String session;

        private Page(String session) {
            this.session = session;
        }

        /// The value of an expression.
        String value(String script) {
            JsonNode result = ask(
                    session,
                    "Runtime.evaluate",
                    Map.of("expression", "String(" + script + ")", "userGesture", true, "returnByValue", true));
            return result.path("result").path("value").asString("");
        }

        /// Waits until an expression is true.
        Page until(String condition) {
            try {
                await().atMost(PATIENCE)
                        .ignoreExceptions()
                        .failFast("Chromium ended", () -> !process.isAlive())
                        .until(() -> value("Boolean(" + condition + ")").equals("true"));
            } catch (ConditionTimeoutException e) {
                throw new AssertionError(
                        condition + " is not so on " + value("location + ' ' + document.body.innerText") + complaints,
                        e);
            }
            return this;
        }

        /// Clicks what a selector finds, once it is there.
        Page click(String selector) {
            until(element(selector));
            value(element(selector) + ".click()");
            return this;
        }

        /// Types into a field, once it is there.
        Page type(String selector, String text) {
            until(element(selector));
            value("(() => { const field = " + element(selector) + ";"
                    + "Object.getOwnPropertyDescriptor(Object.getPrototypeOf(field), 'value').set.call(field, "
                    + JSON.writeValueAsString(text)
                    + "); field.dispatchEvent(new Event('input', {bubbles: true}));"
                    + "field.dispatchEvent(new Event('change', {bubbles: true})); })()");
            return this;
        }

        private static String element(String selector) {
            return "document.querySelector(" + JSON.writeValueAsString(selector) + ")";
        }
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void close() {
        socket.abort();
        List<ProcessHandle> all = Stream.concat(process.descendants(), Stream.of(process.toHandle()))
                .toList();
        all.forEach(ProcessHandle::destroyForcibly);
        all.forEach(handle -> handle.onExit().join());
        try (Stream<Path> files = Files.walk(profile)) {
            files.sorted(Comparator.reverseOrder())
                    .forEach(file -> file.toFile().delete());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
