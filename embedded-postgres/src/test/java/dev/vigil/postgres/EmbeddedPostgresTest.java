package dev.vigil.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EmbeddedPostgresTest {
    private static final Path PROGRAMS = TestPostgres.sharedPrograms();

    /// JUnit makes it with mode 0700: as root, the server's account cannot enter it the ordinary way.
    @TempDir
    private Path dir;

    @Test
    void it_is_durable_checksummed_and_has_no_local_socket() throws Exception {
        try (EmbeddedPostgres server = start()) {
            assertThat(value(server, "SHOW fsync")).isEqualTo("on");
            assertThat(value(server, "SHOW synchronous_commit")).isEqualTo("on");
            assertThat(value(server, "SHOW full_page_writes")).isEqualTo("on");
            assertThat(value(server, "SHOW data_checksums")).isEqualTo("on");
            assertThat(value(server, "SHOW jit")).isEqualTo("off");
            assertThat(value(server, "SHOW tcp_user_timeout")).isEqualTo("5000");
            assertThat(value(server, "SHOW unix_socket_directories")).isEmpty();
            assertThat(value(server, "SHOW listen_addresses")).isEqualTo("127.0.0.1");
            assertThat(value(server, "SELECT version()")).startsWith("PostgreSQL 18.");
        }
    }

    @Test
    void nobody_connects_without_the_password() throws Exception {
        try (EmbeddedPostgres server = start()) {
            String url = server.url("postgres");

            assertThatThrownBy(() -> DriverManager.getConnection(url, "postgres", "guess")
                            .close())
                    .isInstanceOf(SQLException.class)
                    .hasMessageContaining("password authentication failed");
            assertThatThrownBy(
                            () -> DriverManager.getConnection(url, "nobody", "").close())
                    .isInstanceOf(SQLException.class);
            try (Connection allowed = server.superuser("postgres").connect()) {
                assertThat(allowed.isValid(1)).isTrue();
            }
        }
    }

    @Test
    void secrets_and_cluster_are_readable_by_their_owner_only() throws Exception {
        try (EmbeddedPostgres server = start()) {
            Roles.bootstrap(server, dir.resolve("roles.properties"));

            assertThat(mode(dir.resolve("pg/superuser.password"))).isEqualTo("rw-------");
            assertThat(mode(dir.resolve("roles.properties"))).isEqualTo("rw-------");
            assertThat(mode(dir.resolve("pg"))).isEqualTo("rwx------");
            assertThat(mode(dir.resolve("pg/cluster/data"))).isEqualTo("rwx------");
            assertThat(dir.resolve("pg/cluster/initial.password")).doesNotExist();
        }
    }

    @Test
    void as_root_the_server_runs_under_an_account_of_its_own() throws Exception {
        try (EmbeddedPostgres server = start()) {
            Path status = Path.of("/proc", Long.toString(server.processHandle().pid()), "status");
            List<String> lines = Files.exists(status) ? Files.readAllLines(status) : List.of();

            assertThat(lines).noneMatch(line -> line.matches("Uid:.*\\b0\\b.*"));
            if (System.getProperty("user.name").equals("root") && !lines.isEmpty()) {
                assertThat(lines).contains("Uid:\t26432\t26432\t26432\t26432", "Groups:\t ", "NoNewPrivs:\t1");
                assertThat(Files.getAttribute(dir.resolve("pg/cluster/data/base"), "unix:uid"))
                        .isEqualTo(26_432);
            }
        }
    }

    @Test
    void a_restart_keeps_data_and_passwords() throws Exception {
        Path file = dir.resolve("roles.properties");
        Credentials before;
        try (EmbeddedPostgres server = start()) {
            before = Roles.bootstrap(server, file).as(Role.OWNER);
            run(before, "CREATE SCHEMA kept; CREATE TABLE kept.row (n int); INSERT INTO kept.row VALUES (42)");
        }

        try (EmbeddedPostgres server = start()) {
            Credentials after = Roles.bootstrap(server, file).as(Role.OWNER);

            assertThat(after.password()).isEqualTo(before.password());
            assertThat(value(after, "SELECT n FROM kept.row")).isEqualTo("42");
        }
    }

    @Test
    void a_killed_server_comes_back_on_the_same_port_with_what_was_committed() throws Exception {
        try (EmbeddedPostgres server = start()) {
            run(server.superuser("postgres"), "CREATE TABLE kept (n int); INSERT INTO kept VALUES (42)");
            ProcessHandle killed = server.processHandle();

            killed.destroyForcibly();

            await().atMost(Duration.ofSeconds(20)).ignoreExceptions().untilAsserted(() -> {
                assertThat(server.processHandle().pid()).isNotEqualTo(killed.pid());
                assertThat(value(server, "SELECT n FROM kept")).isEqualTo("42");
            });
        }
    }

    @Test
    void a_stopped_server_leaves_no_process() throws Exception {
        ProcessHandle process;
        try (EmbeddedPostgres server = start()) {
            process = server.processHandle();
            assertThat(process.isAlive()).isTrue();
        }

        assertThat(process.isAlive()).isFalse();
    }

    @Test
    void a_folder_in_use_is_refused() {
        try (EmbeddedPostgres server = start()) {
            assertThat(server.port()).isPositive();

            assertThatThrownBy(this::start)
                    .isInstanceOf(PostgresStartException.class)
                    .hasMessageContaining("another process runs a PostgreSQL server in")
                    .hasMessageContaining("use another folder");
        }
    }

    @Test
    void a_taken_port_is_refused_by_number() throws Exception {
        try (EmbeddedPostgres server = start()) {
            var settings = PostgresSettings.in(dir.resolve("second"))
                    .withServerDir(PROGRAMS)
                    .withPort(server.port());

            assertThatThrownBy(() -> EmbeddedPostgres.start(settings))
                    .isInstanceOf(PostgresStartException.class)
                    .hasMessageContaining("port " + server.port() + " on 127.0.0.1 is taken");
        }
    }

    @Test
    void a_setting_the_server_refuses_is_in_the_message() {
        var settings = new PostgresSettings(dir.resolve("pg"), 0, PROGRAMS, Map.of("work_mem", "plenty"));

        assertThatThrownBy(() -> EmbeddedPostgres.start(settings))
                .isInstanceOf(PostgresStartException.class)
                .hasMessageContaining("work_mem");
    }

    @Test
    void a_stale_pid_file_with_a_strangers_number_does_not_stop_a_start() throws Exception {
        start().close();
        Files.writeString(
                dir.resolve("pg/cluster/data/postmaster.pid"),
                ProcessHandle.current().pid() + "\n/elsewhere\n1\n5432\n\n127.0.0.1\n1 1\nready   \n");

        try (EmbeddedPostgres server = start()) {
            assertThat(value(server, "SELECT 1")).isEqualTo("1");
        }
    }

    @Test
    void when_its_parent_is_killed_the_server_ends_and_the_next_start_takes_over_at_once() throws Exception {
        Path folder = dir.resolve("pg");
        ProcessHandle orphan = killParentOfServerWithOneRow(ServerParentProcess.start(folder, PROGRAMS), folder);

        try (EmbeddedPostgres server = start()) {
            assertThat(value(server, "SELECT n FROM kept")).isEqualTo("42");
            assertThat(server.processHandle()).isNotEqualTo(orphan);
        }
        awaitEnd(orphan);
    }

    @Test
    void an_ordinary_user_needs_no_other_account_and_the_server_ends_with_its_parent() throws Exception {
        assumeTrue(System.getProperty("user.name").equals("root"), "otherwise every other test here shows it");
        Path folder = ServerParentProcess.folderForNobody(dir);

        ProcessHandle orphan =
                killParentOfServerWithOneRow(ServerParentProcess.startAsNobody(folder, "/usr/bin:/bin"), folder);

        awaitEnd(orphan);
    }

    @Test
    void without_setpriv_the_server_ends_with_its_parent_too() throws Exception {
        assumeTrue(System.getProperty("user.name").equals("root"), "root is needed to become nobody");
        Path folder = ServerParentProcess.folderForNobody(dir);

        ProcessHandle orphan =
                killParentOfServerWithOneRow(ServerParentProcess.startAsNobody(folder, "/nonexistent"), folder);

        awaitEnd(orphan);
    }

    private static ProcessHandle killParentOfServerWithOneRow(ServerParentProcess parent, Path folder)
            throws Exception {
        try (parent) {
            run(parent.superuser(folder), "CREATE TABLE kept (n int); INSERT INTO kept VALUES (42)");
            ProcessHandle orphan = ProcessHandle.of(parent.serverPid()).orElseThrow();

            parent.process().destroyForcibly().waitFor();

            return orphan;
        }
    }

    private static void awaitEnd(ProcessHandle process) {
        await().atMost(Duration.ofSeconds(10)).until(() -> !process.isAlive());
    }

    private EmbeddedPostgres start() {
        return EmbeddedPostgres.start(PostgresSettings.in(dir.resolve("pg")).withServerDir(PROGRAMS));
    }

    private static String mode(Path path) throws IOException {
        return PosixFilePermissions.toString(Files.getPosixFilePermissions(path));
    }

    private static String value(EmbeddedPostgres server, String query) throws SQLException {
        return value(server.superuser("postgres"), query);
    }

    private static String value(Credentials credentials, String query) throws SQLException {
        try (Connection connection = credentials.connect();
                Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(query)) {
            rows.next();
            return rows.getString(1);
        }
    }

    private static void run(Credentials credentials, String sql) throws SQLException {
        try (Connection connection = credentials.connect();
                Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }
}
