package dev.vigil.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.vigil.postgres.Credentials;
import dev.vigil.postgres.Database;
import dev.vigil.postgres.TestPostgres;
import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// Each contestant as the harness drives it, with few tasks.
class BenchPeerTest {
    private static final JsonMapper JSON = JsonMapper.shared();
    private static final int TASKS = 300;

    @ParameterizedTest
    @ValueSource(strings = {"core", "floor"})
    void every_task_that_is_due_is_run_once_and_none_is_left(String name) throws Exception {
        Database database = TestPostgres.freshDatabase();
        try (var peer = new Peer(name, database)) {
            peer.ask("{'op':'install'}");
            peer.ask("{'op':'open'}");
            assertThat(peer.ask("{'op':'hello'}").path("durable").asBoolean()).isTrue();
            JsonNode single = peer.ask("{'op':'enqueue_single','clients':4,'seconds':0.2,'due':'future'}");
            assertThat(single.path("errors").asInt()).isZero();
            assertThat(single.path("n").asInt()).isPositive();
            peer.ask("{'op':'preload','n':20}");
            peer.ask("{'op':'enqueue_bulk','n':" + TASKS + ",'due':'now'}");
            assertThat(peer.ask("{'op':'remaining'}").path("remaining").asInt()).isEqualTo(TASKS);

            peer.ask("{'op':'start'}");
            peer.awaitDone(TASKS);
            peer.ask("{'op':'stop'}");

            assertThat(peer.ask("{'op':'progress'}").path("done").asInt()).isEqualTo(TASKS);
            assertThat(peer.ask("{'op':'remaining'}").path("remaining").asInt()).isZero();
            assertThat(peer.ask("{'op':'latency'}").path("windows")).hasSize(3);
        }
    }

    @Test
    void a_process_that_only_feeds_owns_nothing_and_what_it_feeds_starts_elsewhere() throws Exception {
        Database database = TestPostgres.freshDatabase();
        try (var peer = new Peer("core", database);
                var feeder = new Peer("core", database)) {
            peer.ask("{'op':'install'}");
            peer.ask("{'op':'open'}");
            feeder.ask("{'op':'open'}");
            peer.ask("{'op':'start'}");

            JsonNode fed = feeder.ask("{'op':'feed','rate':100,'seconds':0.5}");
            feeder.ask("{'op':'enqueue_bulk','n':50,'due':'spread','rate':100,'startInMs':200}");

            assertThat(fed.path("n").asInt()).isEqualTo(50);
            peer.awaitDone(100);
            assertThat(feeder.ask("{'op':'progress'}").path("done").asInt()).isZero();
            peer.ask("{'op':'stop'}");
            peer.ask("{'op':'reset'}");
            peer.ask("{'op':'cron','n':20,'period':1}");
            peer.ask("{'op':'start'}");
            peer.awaitDone(40);
        }
    }

    @Test
    void what_is_no_request_is_answered_with_an_error_and_the_next_one_is_heard() throws Exception {
        try (var peer = new Peer("core", TestPostgres.freshDatabase())) {
            assertThat(peer.say("{'op':'dance'}").path("error").asString()).contains("there is no op \"dance\"");
            assertThat(peer.say("no json").has("error")).isTrue();
            assertThat(peer.say("{'op':'enqueue_bulk','due':'now'}")
                            .path("error")
                            .asString())
                    .contains("needs n");
            assertThat(peer.ask("{'op':'hello'}").path("version").asString()).isEqualTo("vigil core");
        }
    }

    /// A contestant in a process of its own.
    private static final class Peer implements AutoCloseable {
        private final Process process;
        private final BufferedReader answers;
        private final OutputStream requests;

        Peer(String name, Database database) throws IOException {
            Credentials superuser = TestPostgres.superuser(database);
            String[] address = superuser
                    .url()
                    .replaceAll(".*//([^/:]+):(\\d+)/(\\w+).*", "$1 $2 $3")
                    .split(" ");
            var builder = new ProcessBuilder(
                    Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                    "-Xmx256m",
                    "-XX:TieredStopAtLevel=1",
                    "-cp",
                    System.getProperty("java.class.path"),
                    BenchPeer.class.getName(),
                    name);
            builder.environment()
                    .putAll(Map.of(
                            "PGHOST", address[0],
                            "PGPORT", address[1],
                            "PGDATABASE", address[2],
                            "PGUSER", superuser.username(),
                            "PGPASSWORD", superuser.password()));
            builder.redirectError(ProcessBuilder.Redirect.appendTo(new File("target/bench-peer.log")));
            process = builder.start();
            answers = process.inputReader(StandardCharsets.UTF_8);
            requests = process.getOutputStream();
        }

        /// What is answered to a request, whose quotes are single here.
        JsonNode say(String request) throws IOException {
            requests.write((request.replace('\'', '"') + "\n").getBytes(StandardCharsets.UTF_8));
            requests.flush();
            String line = answers.readLine();
            assertThat(line).as("answer to " + request).startsWith("@");
            return JSON.readTree(line.substring(1));
        }

        JsonNode ask(String request) throws IOException {
            JsonNode answer = say(request);
            assertThat(answer.path("error").asString("")).as(request).isEmpty();
            return answer;
        }

        void awaitDone(int tasks) {
            await().atMost(Duration.ofSeconds(30))
                    .pollInterval(Duration.ofMillis(20))
                    .until(() -> ask("{'op':'progress'}").path("done").asInt() >= tasks);
        }

        @Override
        public void close() throws IOException {
            ask("{'op':'exit'}");
            assertThat(process.onExit()).succeedsWithin(Duration.ofSeconds(10));
        }
    }
}
