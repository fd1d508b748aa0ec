package dev.vigil.api.task;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vigil.api.Api;
import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.json.JsonMapper;

/// The largest bulk there may be, against a service that has 256 MB.
class BulkHeapTest {
    private static final int LINES = BulkRoutes.LINES_MAX;
    private static final int BAD = 31_337;
    private static final int TOO_LONG = 77_777;
    /// Every so often a line is large: 60 of them alone would fill a quarter of the heap.
    private static final int LARGE_EVERY = 1_600;

    private final Api api = Api.shared();

    @Test
    void a_hundred_thousand_lines_with_a_bad_one_and_one_too_long_go_through_256_mb() throws Exception {
        Api.Http owner = api.user("scheduler");
        try (Node node = Node.start(api)) {
            HttpRequest request = HttpRequest.newBuilder(URI.create(node.url + "/api/v1/tasks:bulk"))
                    .header("Authorization", "Bearer " + owner.token())
                    .header("Content-Type", "application/x-ndjson")
                    .header("Idempotency-Key", "heap")
                    .timeout(Duration.ofMinutes(5))
                    .POST(HttpRequest.BodyPublishers.ofInputStream(Lines::new))
                    .build();
            var problems = new ArrayList<String>();
            var count = new int[1];
            HttpResponse<java.util.stream.Stream<String>> reply =
                    HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofLines());
            assertThat(reply.statusCode()).isEqualTo(200);

            reply.body().forEach(line -> {
                if (!line.startsWith("{\"id\":\"tsk_")) {
                    problems.add(count[0] + " " + line);
                }
                count[0]++;
            });

            assertThat(count[0]).isEqualTo(LINES + 1);
            assertThat(problems).hasSize(3);
            assertThat(problems.get(0)).startsWith(BAD + " ").contains("malformed_request");
            assertThat(problems.get(1)).startsWith(TOO_LONG + " ").contains("too_large");
            assertThat(problems.get(2)).startsWith(LINES + " ").contains("too_large");
        }
        assertThat(api.query("SELECT count(*) FROM scheduler.task WHERE name = 'heap'", Long.class))
                .isEqualTo(LINES - 2);
    }

    /// The body, made while it is sent: one line more than may be.
    private static final class Lines extends InputStream {
        private int next;
        private ByteArrayInputStream line = new ByteArrayInputStream(new byte[0]);

        @Override
        public int read() {
            byte[] one = new byte[1];
            return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
        }

        @Override
        public int read(byte[] into, int offset, int length) {
            int read = line.read(into, offset, length);
            if (read >= 0 || next > LINES) {
                return read;
            }
            line = new ByteArrayInputStream(line(next++).getBytes(StandardCharsets.UTF_8));
            return line.read(into, offset, length);
        }

        private static String line(int n) {
            return switch (n) {
                case BAD -> "{\"name\":\n";
                case TOO_LONG -> "x".repeat(BulkLines.LINE_BYTES_MAX + 1) + "\n";
                default ->
                    "{\"name\":\"heap\",\"handler\":\"demo.echo\",\"schedule\":{\"type\":\"one_time\",\"delay\":\"P1D\"},\"payload\":\"%s\"}\n"
                            .formatted(n % LARGE_EVERY == 1 ? "p".repeat(1_000_000) : Integer.toString(n));
            };
        }
    }

    /// A node of the service in a process of its own.
    private record Node(Process process, String url) implements AutoCloseable {
        static Node start(Api api) throws IOException {
            var settings = api.settingsOfSecondNode();
            String url = "http://127.0.0.1:" + settings.get("server.port");
            byte[] json = JsonMapper.shared().writeValueAsBytes(settings);
            String classPath = System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
            var builder = new ProcessBuilder(List.of(
                    Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                    "-Xmx256m",
                    "-XX:+ExitOnOutOfMemoryError",
                    "-cp",
                    classPath,
                    BulkProcess.class.getName(),
                    Integer.toString(json.length)));
            builder.redirectErrorStream(true);
            Process process = builder.start();
            process.getOutputStream().write(json);
            process.getOutputStream().flush();
            var out = new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
            var said = new ArrayList<String>();
            for (String line = out.readLine(); line == null || !line.startsWith("ready"); line = out.readLine()) {
                assertThat(line)
                        .as("the process ended before it was ready: %s", said)
                        .isNotNull();
                said.add(line);
            }
            Thread.ofVirtual().start(() -> out.lines().forEach(System.out::println));
            return new Node(process, url);
        }

        @Override
        public void close() throws IOException {
            process.getOutputStream().close();
            assertThat(process.onExit()
                            .orTimeout(30, java.util.concurrent.TimeUnit.SECONDS)
                            .join()
                            .exitValue())
                    .isZero();
        }
    }
}
