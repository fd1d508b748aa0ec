package dev.vigil.postgres;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.security.SecureRandom;

/// A loopback port for a server that starts later. It lies below those that Linux gives to outgoing connections
/// (`net.ipv4.ip_local_port_range`, 32768 and above by default; RFC 6335 begins at 49152): one of these may be taken
/// by any connection between the choice and the start.
public final class FreePort {
    private static final int LOWEST = 10_000;
    private static final int ABOVE_HIGHEST = 32_768;
    private static final int TRIES = 200;
    private static final SecureRandom RANDOM = new SecureRandom();

    private FreePort() {}

    /// Picks one at random that nobody listens on now.
    ///
    /// @throws PostgresStartException when hundreds in a row are taken
    public static int pick() {
        for (int i = 0; i < TRIES; i++) {
            int port = RANDOM.nextInt(LOWEST, ABOVE_HIGHEST);
            if (isFree(port)) {
                return port;
            }
        }
        throw new PostgresStartException("no free port found on 127.0.0.1 between " + LOWEST + " and " + ABOVE_HIGHEST);
    }

    /// Whether a server could listen on a port of 127.0.0.1 now.
    public static boolean isFree(int port) {
        try (var socket = new ServerSocket()) {
            // What a server that just ended left in TIME_WAIT does not keep the next one from its port.
            socket.setReuseAddress(true);
            socket.bind(new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), port));
            return true;
        } catch (IOException taken) {
            return false;
        }
    }
}
