package dev.vigil.api;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;

/// Stands for the services behind the API: keeps what it was asked, and answers what the path says.
public final class Upstreams {
    private final HttpServer server;
    private final List<Asked> asked = new CopyOnWriteArrayList<>();

    /// One request.
    public record Asked(String method, String path, String query, String token, String requestId, String body) {}

    Upstreams() {
        try {
            server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        server.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
        server.createContext("/", this::answer);
        server.start();
    }

    String url() {
        return "http://127.0.0.1:" + server.getAddress().getPort();
    }

    public Asked last() {
        return asked.getLast();
    }

    private void answer(HttpExchange exchange) throws IOException {
        try (exchange) {
            String body = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
            var headers = exchange.getRequestHeaders();
            String path = exchange.getRequestURI().getPath();
            asked.add(new Asked(
                    exchange.getRequestMethod(),
                    path,
                    String.valueOf(exchange.getRequestURI().getRawQuery()),
                    String.valueOf(headers.getFirst("Authorization")),
                    String.valueOf(headers.getFirst("X-Request-Id")),
                    body));
            byte[] answer =
                    path.endsWith("/export") ? new byte[3_000_000] : "{\"items\":[]}".getBytes(StandardCharsets.UTF_8);
            exchange.getResponseHeaders()
                    .set("Content-Type", path.endsWith("/export") ? "application/zip" : "application/json");
            exchange.getResponseHeaders().set("ETag", "\"7\"");
            exchange.getResponseHeaders().set("X-Secret-Detail", "stays inside");
            exchange.sendResponseHeaders(path.endsWith(":reject") ? 409 : 200, answer.length);
            exchange.getResponseBody().write(answer);
        }
    }
}
