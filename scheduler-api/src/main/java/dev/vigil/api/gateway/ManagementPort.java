package dev.vigil.api.gateway;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.Executors;
import org.jspecify.annotations.Nullable;
import org.springframework.context.SmartLifecycle;

/// The operator's port: `/livez`, `/readyz`, `/metrics`. A second web server with a context of its own would cost
/// seconds of every start for three pages, so it is the JDK's.
final class ManagementPort implements SmartLifecycle {
    private final InetSocketAddress address;
    private final Readiness readiness;
    private final PrometheusMeterRegistry metrics;
    private volatile @Nullable HttpServer server;

    ManagementPort(InetAddress address, int port, Readiness readiness, PrometheusMeterRegistry metrics) {
        this.address = new InetSocketAddress(address, port);
        this.readiness = readiness;
        this.metrics = metrics;
    }

    @Override
    public void start() {
        try {
            HttpServer started = HttpServer.create(address, 0);
            started.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
            started.createContext("/livez", exchange -> answer(exchange, "/livez", true));
            started.createContext("/readyz", exchange -> answer(exchange, "/readyz", readiness.ready()));
            started.createContext("/metrics", this::scrape);
            started.start();
            server = started;
        } catch (IOException e) {
            throw new UncheckedIOException("management port " + address + " cannot be opened; choose another one", e);
        }
    }

    private static void answer(HttpExchange exchange, String path, boolean up) throws IOException {
        boolean here = exchange.getRequestURI().getPath().equals(path);
        String body = here ? "{\"status\":\"" + (up ? "up" : "down") + "\"}" : "";
        send(exchange, here ? (up ? 200 : 503) : 404, "application/json", body);
    }

    private void scrape(HttpExchange exchange) throws IOException {
        send(exchange, 200, "text/plain; version=0.0.4; charset=utf-8", metrics.scrape());
    }

    private static void send(HttpExchange exchange, int status, String type, String body) throws IOException {
        try (exchange) {
            byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
            exchange.getResponseHeaders().set("Content-Type", type);
            exchange.sendResponseHeaders(status, bytes.length == 0 ? -1 : bytes.length);
            exchange.getResponseBody().write(bytes);
        }
    }

    @Override
    public void stop() {
        HttpServer running = server;
        if (running != null) {
            running.stop(0);
        }
        server = null;
    }

    @Override
    public boolean isRunning() {
        return server != null;
    }
}
