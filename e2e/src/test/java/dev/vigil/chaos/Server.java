package dev.vigil.chaos;

import dev.vigil.postgres.Credentials;
import dev.vigil.postgres.Database;
import dev.vigil.postgres.EmbeddedPostgres;
import dev.vigil.postgres.FreePort;
import dev.vigil.postgres.PostgresSettings;
import dev.vigil.postgres.Roles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.sql.SQLException;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// The PostgreSQL of a run: killed, it comes back by itself; put down, it stays away until it is put up.
final class Server implements AutoCloseable {
    private static final String DISK = "768m";

    private final Path folder;
    private final PostgresSettings settings;
    private final boolean ownDisk;
    private @Nullable EmbeddedPostgres server;

    private Server(Path folder, PostgresSettings settings, boolean ownDisk) {
        this.folder = folder;
        this.settings = settings;
        this.ownDisk = ownDisk;
    }

    /// Starts it, on a small disk of its own where this JVM may mount one.
    static Server start(Path folder, Lan lan) throws IOException {
        Files.createDirectories(folder);
        if (lan.isApart()) {
            Shell.must("mount -t tmpfs -o mode=700,size=" + DISK + " none " + folder);
        }
        Map<String, String> overrides = lan.isApart()
                ? Map.of("listen_addresses", "127.0.0.1," + lan.hub(), "max_wal_size", "128MB")
                : Map.of("max_wal_size", "128MB");
        Path programs = Path.of(System.getProperty("user.home"), ".cache", "vigil");
        var server =
                new Server(folder, new PostgresSettings(folder, FreePort.pick(), programs, overrides), lan.isApart());
        server.up();
        if (lan.isApart()) {
            server.admit(lan.network());
        }
        return server;
    }

    private void admit(String network) throws IOException {
        Files.writeString(
                folder.resolve("cluster/data/pg_hba.conf"),
                "host all all " + network + " scram-sha-256\n",
                StandardOpenOption.APPEND);
        try (var connection = superuser("postgres").connect();
                var statement = connection.createStatement()) {
            statement.execute("SELECT pg_reload_conf()");
        } catch (SQLException refused) {
            throw new IOException("pg_hba.conf was not read again", refused);
        }
    }

    /// Whether it lies on a disk of its own, which may be filled.
    boolean hasOwnDisk() {
        return ownDisk;
    }

    private Path filler() {
        return folder.resolve("filler");
    }

    /// Leaves not a byte on its disk.
    void fillDisk() throws IOException {
        long free = Files.getFileStore(folder).getUsableSpace();
        var _ = Shell.run(java.util.List.of("fallocate", "-l", Long.toString(free), filler().toString()));
        var _ = Shell.run(java.util.List.of("sh", "-c", "cat /dev/zero >> " + filler()));
    }

    void emptyDisk() throws IOException {
        Files.deleteIfExists(filler());
    }

    Database database(Path passwords) throws IOException {
        return Roles.bootstrap(this::superuser, passwords);
    }

    /// Its superuser at the database of Vigil.
    Credentials superuser() {
        return superuser(Roles.DATABASE);
    }

    private Credentials superuser(String database) {
        try {
            return new Credentials(
                    "jdbc:postgresql://127.0.0.1:" + settings.port() + "/" + database
                            + "?connectTimeout=3&socketTimeout=20",
                    "postgres",
                    Files.readString(folder.resolve("superuser.password")).strip());
        } catch (IOException failure) {
            throw new java.io.UncheckedIOException(failure);
        }
    }

    /// SIGKILL to the postmaster.
    void kill() {
        EmbeddedPostgres running = server;
        if (running != null) {
            running.processHandle().destroyForcibly();
        }
    }

    /// Stops it; it stays away.
    void down() {
        EmbeddedPostgres running = server;
        server = null;
        if (running != null) {
            running.close();
        }
    }

    /// Starts it unless it runs.
    void up() {
        if (server == null) {
            server = EmbeddedPostgres.start(settings);
        }
    }

    @Override
    public void close() {
        down();
        if (ownDisk) {
            var _ = Shell.run(java.util.List.of("umount", folder.toString()));
        }
    }
}
