package dev.vigil.platform;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.vigil.postgres.Credentials;
import dev.vigil.postgres.Database;
import dev.vigil.postgres.Folders;
import dev.vigil.postgres.Role;
import dev.vigil.postgres.TestPostgres;
import dev.vigil.protocol.audit.EventBatch;
import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// The contestant `vigil:full` as the harness of the peers' benchmark drives it, on a PostgreSQL that it did not start.
class BenchFullTest {
    private static final JsonMapper JSON = JsonMapper.shared();
    private static final int TASKS = 300;
    private static final int FED = 50;

    @TempDir
    Path folder;

    @Test
    void what_is_created_over_rest_is_run_by_a_worker_process_and_stands_in_a_checkpoint_before_it_counts_as_over()
            throws Exception {
        Database database = TestPostgres.freshDatabase();
        keepPasswords(database);
        try (var peer = new Peer(database, folder)) {
            peer.ask("{'op':'install'}");
            peer.ask("{'op':'open'}");
            assertThat(peer.ask("{'op':'hello'}").path("version").asString()).isEqualTo("vigil full");
            // More than the usual 100 calls a minute, however busy the machine is.
            for (int created = 0; created <= 100; ) {
                JsonNode single = peer.ask("{'op':'enqueue_single','clients':8,'seconds':2.5,'due':'future'}");
                assertThat(single.path("errors").asInt()).isZero();
                created += single.path("n").asInt();
            }
            peer.ask("{'op':'enqueue_bulk','n':" + TASKS + ",'due':'now'}");
            assertThat(peer.ask("{'op':'remaining'}").path("remaining").asInt()).isEqualTo(TASKS);

            peer.ask("{'op':'start'}");
            peer.awaitDone(TASKS);
            try (var feeder = new Peer(database, folder)) {
                feeder.ask("{'op':'open'}");
                JsonNode fed = feeder.ask("{'op':'feed','rate':100,'seconds':0.5}");
                assertThat(fed.path("errors").asInt()).isZero();
                assertThat(fed.path("n").asInt()).isEqualTo(FED);
            }
            peer.awaitDone(TASKS + FED);
            peer.ask("{'op':'stop'}");

            assertThat(peer.ask("{'op':'remaining'}").path("remaining").asInt()).isZero();
            assertThat(peer.ask("{'op':'latency'}").path("n").asInt()).isEqualTo(TASKS + FED);
            assertThat(sequencedSuccesses(database)).isEqualTo(TASKS + FED);
        }
    }

    /// The server is shared with other tests, and so are the passwords of its roles.
    private void keepPasswords(Database database) throws IOException {
        var text = new StringBuilder();
        for (Role role : Role.values()) {
            text.append(role.name().toLowerCase(Locale.ROOT))
                    .append('=')
                    .append(database.as(role).password())
                    .append('\n');
        }
        Folders.writePrivate(new DataFolder(folder).rolePasswords(), text.toString());
    }

    private static int sequencedSuccesses(Database database) throws Exception {
        try (Connection connection = TestPostgres.superuser(database).connect();
                Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery("SELECT framed FROM audit.entry_part")) {
            int successes = 0;
            while (rows.next()) {
                byte[] framed = rows.getBytes(1);
                // Only events of executions are packed, and only what is packed is framed.
                for (byte[] entry : framed == null ? List.<byte[]>of() : EventBatch.split(framed)) {
                    String event = new String(entry, StandardCharsets.UTF_8);
                    successes += event.contains("\"action\":\"execute\"") && event.contains("\"result\":\"success\"")
                            ? 1
                            : 0;
                }
            }
            return successes;
        }
    }

    /// A contestant in a process of its own.
    private static final class Peer implements AutoCloseable {
        private final Process process;
        private final BufferedReader answers;
        private final OutputStream requests;

        Peer(Database database, Path folder) throws IOException {
            Credentials superuser = TestPostgres.superuser(database);
            String[] address = superuser
                    .url()
                    .replaceAll(".*//([^/:]+):(\\d+)/(\\w+).*", "$1 $2 $3")
                    .split(" ");
            var builder = new ProcessBuilder(
                    Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                    "-Xmx512m",
                    "-XX:TieredStopAtLevel=1",
                    "--enable-native-access=ALL-UNNAMED",
                    "-Dvigil.bench.data=" + folder,
                    "-cp",
                    System.getProperty("java.class.path"),
                    BenchFull.class.getName());
            builder.environment()
                    .putAll(Map.of(
                            "PGHOST", address[0],
                            "PGPORT", address[1],
                            "PGDATABASE", address[2],
                            "PGUSER", superuser.username(),
                            "PGPASSWORD", superuser.password()));
            builder.redirectError(ProcessBuilder.Redirect.appendTo(new File("target/bench-full.log")));
            process = builder.start();
            answers = process.inputReader(StandardCharsets.UTF_8);
            requests = process.getOutputStream();
        }

        /// What is answered to a request, whose quotes are single here.
        JsonNode ask(String request) throws IOException {
            requests.write((request.replace('\'', '"') + "\n").getBytes(StandardCharsets.UTF_8));
            requests.flush();
            String line = answers.readLine();
            assertThat(line).as("answer to " + request).startsWith("@");
            JsonNode answer = JSON.readTree(line.substring(1));
            assertThat(answer.path("error").asString("")).as(request).isEmpty();
            return answer;
        }

        void awaitDone(int tasks) {
            await().atMost(Duration.ofSeconds(60))
                    .pollInterval(Duration.ofMillis(50))
                    .until(() -> ask("{'op':'progress'}").path("done").asInt() >= tasks);
        }

        @Override
        public void close() throws IOException {
            ask("{'op':'exit'}");
            assertThat(process.onExit()).succeedsWithin(Duration.ofSeconds(20));
        }
    }
}
