package dev.vigil.scheduler.worker;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// Strangers with many connections against a core with 256 MiB of heap. Plain JeroMQ lost its I/O thread to a single
/// announced frame of 2 GiB, and to 400 announced frames of 1 MiB (facts F4 and F5): it makes room before it knows who
/// asks. Here nobody reaches it without a certificate.
class LinkFloodTest {
    private Process core;
    private BufferedReader answers;
    private BufferedWriter questions;
    private int port;
    private final List<Socket> strangers = new ArrayList<>();

    @BeforeEach
    void start() throws IOException {
        String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
        core = new ProcessBuilder(
                        java,
                        "-Xmx256m",
                        "-XX:+UseSerialGC",
                        "-XX:+ExitOnOutOfMemoryError",
                        "-cp",
                        System.getProperty("java.class.path"),
                        SmallCore.class.getName())
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        answers = core.inputReader(StandardCharsets.UTF_8);
        questions = core.outputWriter(StandardCharsets.UTF_8);
        port = Integer.parseInt(answer());
    }

    @AfterEach
    void stop() throws IOException {
        for (Socket stranger : strangers) {
            stranger.close();
        }
        core.destroyForcibly();
    }

    @Test
    void two_thousand_handshakes_that_never_end_leave_the_honest_worker_at_work() throws IOException {
        // The head of a TLS record that announces 16 KiB of ClientHello, and its first bytes.
        byte[] half = {0x16, 3, 1, 0x40, 0, 1, 0, 0x3f, (byte) 0xfc, 3, 3};

        flood(400, half);
        assertThat(ask()).isEqualTo("works");
        flood(1_600, half);
        assertThat(ask()).isEqualTo("works");

        assertThat(core.isAlive()).isTrue();
    }

    @Test
    void two_thousand_greetings_with_a_frame_of_two_gibibytes_never_reach_the_router() throws IOException {
        byte[] greeting = TestWorker.greeting();
        byte[] large = ByteBuffer.allocate(greeting.length + 9)
                .put(greeting)
                .put((byte) 2)
                .putLong(Integer.MAX_VALUE)
                .array();

        flood(2_000, large);

        assertThat(ask()).isEqualTo("works");
        assertThat(strangers).as("all are cut").allMatch(LinkFloodTest::ended);
        assertThat(ask()).isEqualTo("works");
    }

    private void flood(int connections, byte[] first) throws IOException {
        for (int i = 0; i < connections; i++) {
            var stranger = new Socket(InetAddress.getLoopbackAddress(), port);
            strangers.add(stranger);
            stranger.getOutputStream().write(first);
        }
    }

    private String ask() throws IOException {
        questions.write("check\n");
        questions.flush();
        return answer();
    }

    private String answer() throws IOException {
        String line = answers.readLine();
        while (line != null && !line.startsWith("> ")) {
            line = answers.readLine();
        }
        return line == null ? "the core is gone" : line.substring(2);
    }

    private static boolean ended(Socket stranger) {
        try {
            stranger.setSoTimeout(10_000);
            var in = stranger.getInputStream();
            int read = in.read();
            while (read >= 0) {
                read = in.read();
            }
            return true;
        } catch (java.net.SocketTimeoutException e) {
            return false;
        } catch (IOException reset) {
            return true;
        }
    }
}
