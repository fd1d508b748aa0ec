package dev.vigil.postgres;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;

class FreePortTest {
    @RepeatedTest(20)
    void a_picked_port_can_be_listened_on_and_no_outgoing_connection_gets_it() throws IOException {
        int port = FreePort.pick();

        assertThat(port).isBetween(10_000, 32_767);
        try (var server = new ServerSocket()) {
            server.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
            assertThat(server.isBound()).isTrue();
        }
    }

    @Test
    void a_port_that_somebody_listens_on_is_taken_until_he_ends() throws IOException {
        int port;
        try (var server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            port = server.getLocalPort();
            assertThat(FreePort.isFree(port)).isFalse();
        }
        assertThat(FreePort.isFree(port)).isTrue();
    }
}
