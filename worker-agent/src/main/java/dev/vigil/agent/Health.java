package dev.vigil.agent;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.function.BooleanSupplier;

/// `/livez` and `/readyz` on loopback: 200 or 503 and no details.
final class Health implements AutoCloseable {
    private final HttpServer server;

    Health(int port, BooleanSupplier alive, BooleanSupplier ready) throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 8);
        server.createContext("/livez", exchange -> answer(exchange, "/livez", alive));
        server.createContext("/readyz", exchange -> answer(exchange, "/readyz", ready));
        server.start();
    }

    private static void answer(HttpExchange exchange, String path, BooleanSupplier good) throws IOException {
        boolean here = exchange.getRequestURI().getPath().equals(path);
        exchange.sendResponseHeaders(!here ? 404 : good.getAsBoolean() ? 200 : 503, -1);
        exchange.close();
    }

    @Override
    public void close() {
        server.stop(0);
    }
}
