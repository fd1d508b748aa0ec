package dev.vigil.protocol.health;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.BooleanSupplier;

/// `GET /livez` and `GET /readyz`: 200 or 503, no details, for whoever supervises a process. The JDK's server does.
public final class HealthPort implements AutoCloseable {
    private final HttpServer server;
    private final ExecutorService executor = Executors.newVirtualThreadPerTaskExecutor();

    private HealthPort(HttpServer server) {
        this.server = server;
    }

    /// Opens it.
    ///
    /// @param ready whether the process can do its work now
    public static HealthPort open(InetSocketAddress address, BooleanSupplier ready) throws IOException {
        var health = new HealthPort(HttpServer.create(address, 16));
        health.server.setExecutor(health.executor);
        health.server.createContext("/", exchange -> {
            switch (exchange.getRequestURI().getPath()) {
                case "/livez" -> answer(exchange, 200);
                case "/readyz" -> answer(exchange, ready.getAsBoolean() ? 200 : 503);
                default -> answer(exchange, 404);
            }
        });
        health.server.start();
        return health;
    }

    /// Where it listens.
    public int port() {
        return server.getAddress().getPort();
    }

    private static void answer(HttpExchange exchange, int status) throws IOException {
        try (exchange) {
            boolean known = exchange.getRequestMethod().equals("GET")
                    || exchange.getRequestMethod().equals("HEAD");
            exchange.getResponseHeaders().set("Cache-Control", "no-store");
            exchange.sendResponseHeaders(known ? status : 405, -1);
        }
    }

    @Override
    public void close() {
        server.stop(0);
        executor.close();
    }
}
