package dev.vigil.postgres;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;

/// The PostgreSQL of a module's tests: one server per JVM, started by the first test that asks, with the settings of
/// the real thing (durable, passwords), gone with the JVM.
///
/// Each test class takes its own empty database:
/// ```java
/// private static final Database DATABASE = TestPostgres.freshDatabase();
/// CoreService.start(DATABASE.settings(Role.CORE));
/// ```
public final class TestPostgres {
    private static final AtomicInteger NEXT = new AtomicInteger(1);

    private final EmbeddedPostgres server;
    private final Map<Role, String> passwords;

    private TestPostgres() {
        try {
            Path dir = Files.createTempDirectory("vigil-test-postgres-");
            server = EmbeddedPostgres.start(
                    PostgresSettings.in(dir.resolve("postgres")).withServerDir(sharedPrograms()));
            Runtime.getRuntime().addShutdownHook(new Thread(() -> end(dir), "test-postgres-end"));
            passwords = new EnumMap<>(Role.class);
            for (Role role : Role.values()) {
                passwords.put(role, EmbeddedPostgres.newPassword());
            }
            try (Connection connection = server.superuser("postgres").connect()) {
                Roles.create(connection, passwords);
            }
        } catch (IOException failure) {
            throw new UncheckedIOException("no folder for the PostgreSQL of the tests", failure);
        } catch (SQLException failure) {
            throw new PostgresStartException("roles of the tests not created: " + failure.getMessage(), failure);
        }
    }

    private static final class Holder {
        private static final TestPostgres ONLY = new TestPostgres();
    }

    /// A new, empty database with all roles of Vigil and nothing migrated.
    public static Database freshDatabase() {
        TestPostgres only = Holder.ONLY;
        String name = "test_" + NEXT.getAndIncrement();
        try {
            try (Connection connection = only.server.superuser("postgres").connect()) {
                Roles.createDatabase(connection, name);
            }
            try (Connection connection = only.server.superuser(name).connect()) {
                Roles.closeToStrangers(connection, name);
            }
        } catch (SQLException failure) {
            throw new PostgresStartException("database " + name + " not created: " + failure.getMessage(), failure);
        }
        return new Database(only.server.url(name), only.passwords);
    }

    /// The server itself: for tests that stop or kill it. It comes back on the same port.
    public static EmbeddedPostgres server() {
        return Holder.ONLY.server;
    }

    /// How the superuser connects to a test database: for tests that look from outside of every role.
    public static Credentials superuser(Database database) {
        return new Credentials(
                database.url(),
                EmbeddedPostgres.SUPERUSER,
                Holder.ONLY.server.superuser("postgres").password());
    }

    /// A folder of this user's that outlives the run, so that only the first one unpacks.
    static Path sharedPrograms() {
        return Path.of(System.getProperty("user.home"), ".cache", "vigil");
    }

    private static void end(Path dir) {
        server().close();
        try {
            Folders.delete(dir);
        } catch (IOException left) {
            System.getLogger(TestPostgres.class.getName())
                    .log(System.Logger.Level.WARNING, "event=test_postgres_left dir={0}", dir);
        }
    }
}
