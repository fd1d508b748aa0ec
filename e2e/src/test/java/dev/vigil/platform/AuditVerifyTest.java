package dev.vigil.platform;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.vigil.audit.RunningService;
import dev.vigil.audit.log.Ledger;
import dev.vigil.cli.Vigil;
import dev.vigil.postgres.Database;
import dev.vigil.postgres.EmbeddedPostgres;
import dev.vigil.postgres.PostgresSettings;
import dev.vigil.postgres.Role;
import dev.vigil.postgres.Roles;
import dev.vigil.protocol.audit.AuditEvent;
import dev.vigil.protocol.audit.EventType;
import dev.vigil.protocol.id.Id;
import dev.vigil.protocol.id.Kind;
import dev.vigil.protocol.tree.VerifierKey;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;
import tools.jackson.core.JsonParser;
import tools.jackson.databind.json.JsonMapper;

/// `vigil audit verify` against a real log: while the service runs, when its database was tampered with, and when
/// service, database and network are gone.
class AuditVerifyTest {
    @TempDir
    private static Path folder;

    @SuppressWarnings("NullAway.Init")
    private static EmbeddedPostgres postgres;

    private record Ran(int exitCode, String output) {}

    @BeforeAll
    static void startPostgres() {
        postgres = EmbeddedPostgres.start(PostgresSettings.in(folder.resolve("postgres"))
                .withServerDir(Path.of(System.getProperty("user.home"), ".cache", "vigil")));
    }

    @AfterAll
    static void stopPostgres() {
        postgres.close();
    }

    @Test
    void tampering_is_found_while_the_service_runs_and_long_after_it_is_gone() throws Exception {
        Database database = Roles.bootstrap(postgres, folder.resolve("passwords"));
        Ledger ledger = Ledger.on(database);
        List<AuditEvent> events = IntStream.range(0, 300)
                .mapToObj(i -> RunningService.event(EventType.TASK_CREATED, "create"))
                .toList();
        String copy = folder.resolve("copy").toString();
        VerifierKey key;
        try (var service = new RunningService(ledger)) {
            service.emit(events.toArray(AuditEvent[]::new));
            await().until(() -> service.find(events.getLast().id()));
            key = service.publicKey();
            List<String> byUrl = List.of("--url", service.url(), "--token", service.token(), "--key", key.toString());

            Ran verified = verify(AuditVerifyTest::here, byUrl);
            assertThat(verified.exitCode()).as(verified.output()).isEqualTo(0);
            assertThat(verified.output()).contains("VERIFIED: audit log test.vigil/audit");
            Ran download = here(
                    List.of("audit", "download", "--url", service.url(), "--token", service.token(), "--dir", copy));
            assertThat(download.exitCode()).as(download.output()).isEqualTo(0);

            // The owner of the database, with all his rights, changes one letter of one event.
            ledger.as(Role.OWNER).sql("""
                            ALTER TABLE audit.entry_part DISABLE TRIGGER append_only;
                            UPDATE audit.entry_part
                               SET entries = overlay(entries PLACING 'delete' FROM position('create' IN entries))
                             WHERE bundle = 0 AND start = 0;
                            ALTER TABLE audit.entry_part ENABLE ALWAYS TRIGGER append_only
                            """).update();
            Ran tampered = verify(AuditVerifyTest::here, byUrl);
            assertThat(tampered.exitCode()).as(tampered.output()).isEqualTo(8);
            String first = new Id(Kind.AUDIT_EVENT, events.getFirst().id()).toString();
            assertThat(tampered.output()).contains("TAMPERING: entry 0 (" + first + ") is the first bad one");
            Ran event = verify(AuditVerifyTest::here, both(byUrl, List.of("--event", first)));
            assertThat(event.exitCode()).as(event.output()).isEqualTo(8);
            assertThat(event.output()).contains("TAMPERING: entry 0 (" + first + ")");
        }
        postgres.close();

        List<String> offline = List.of("--dir", copy, "--key", key.toString());
        assertThat(verify(AuditVerifyTest::elsewhere, offline).exitCode()).isEqualTo(0);
        Path bundle = Path.of(copy, "tile", "entries", "000");
        byte[] bytes = Files.readAllBytes(bundle);
        bytes[bytes.length - 10] ^= 1;
        Files.write(bundle, bytes);
        Ran tampered = verify(AuditVerifyTest::elsewhere, offline);
        assertThat(tampered.exitCode()).isEqualTo(8);
        assertThat(tampered.output()).contains("TAMPERING: entry 255 ");
    }

    private interface Command {
        Ran run(List<String> arguments) throws Exception;
    }

    private static Ran verify(Command command, List<String> arguments) throws Exception {
        return command.run(both(both(List.of("audit", "verify"), arguments), List.of("--no-state")));
    }

    private static Ran here(List<String> arguments) {
        var output = new StringWriter();
        var writer = new PrintWriter(output, true);
        return new Ran(Vigil.run(writer, writer, arguments.toArray(String[]::new)), output.toString());
    }

    private static List<String> both(List<String> first, List<String> second) {
        return Stream.concat(first.stream(), second.stream()).toList();
    }

    /// The command as a process of its own, without a network where that can be taken away, and with nothing on its
    /// class path but the command: no driver, no Spring.
    private static Ran elsewhere(List<String> arguments) throws Exception {
        String classPath = Stream.of(
                        Vigil.class,
                        VerifierKey.class,
                        CommandLine.class,
                        JsonMapper.class,
                        JsonParser.class,
                        com.fasterxml.jackson.annotation.JsonProperty.class)
                .map(AuditVerifyTest::jarOf)
                .collect(Collectors.joining(":"));
        var command = new ArrayList<String>();
        if (canUnshareNetwork()) {
            command.addAll(List.of("unshare", "--user", "--map-root-user", "--net"));
        }
        command.addAll(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-cp",
                classPath,
                Vigil.class.getName()));
        command.addAll(arguments);
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        process.getOutputStream().close();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        return new Ran(process.waitFor(), output);
    }

    private static boolean canUnshareNetwork() throws IOException, InterruptedException {
        return new ProcessBuilder("unshare", "--user", "--map-root-user", "--net", "true")
                        .start()
                        .waitFor()
                == 0;
    }

    private static String jarOf(Class<?> type) {
        try {
            return Path.of(type.getProtectionDomain()
                            .getCodeSource()
                            .getLocation()
                            .toURI())
                    .toString();
        } catch (URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }
}
