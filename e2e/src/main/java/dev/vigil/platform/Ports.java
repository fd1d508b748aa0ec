package dev.vigil.platform;

import java.io.IOException;
import java.net.BindException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.util.ArrayList;
import java.util.List;

/// The loopback ports of one platform, all chosen before the first service starts, because they name each other.
///
/// @param api        public
/// @param worker     the API's mTLS port
/// @param management metrics of the API
/// @param audit      audit-service
/// @param gdpr       gdpr-service
record Ports(int api, int worker, int management, int audit, int gdpr) {
    private static final int OTHERS = 4;

    /// @param api 0 takes a free one
    static Ports choose(int api) throws IOException {
        var sockets = new ArrayList<ServerSocket>();
        try {
            sockets.add(bound(api));
            for (int i = 0; i < OTHERS; i++) {
                sockets.add(bound(0));
            }
            List<Integer> ports =
                    sockets.stream().map(ServerSocket::getLocalPort).toList();
            return new Ports(ports.get(0), ports.get(1), ports.get(2), ports.get(3), ports.get(4));
        } finally {
            for (ServerSocket socket : sockets) {
                socket.close();
            }
        }
    }

    /// One more free port.
    static int free() throws IOException {
        try (ServerSocket socket = bound(0)) {
            return socket.getLocalPort();
        }
    }

    private static ServerSocket bound(int port) throws IOException {
        var socket = new ServerSocket();
        try {
            socket.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
            return socket;
        } catch (BindException taken) {
            socket.close();
            throw new PlatformStartException(
                    "port " + port + " on 127.0.0.1 is taken; choose another one with --port", taken);
        }
    }

    static String url(int port) {
        return "http://127.0.0.1:" + port;
    }
}
