package dev.vigil.postgres;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.HexFormat;
import java.util.Optional;
import java.util.function.Consumer;

/// A real PostgreSQL server beside this process, reached by password over loopback TCP only.
///
/// It is durable (fsync, synchronous commit and data checksums are on), its superuser has a random password in a
/// file only its owner reads, and there is no local socket. It ends with this process, however that ends; if it
/// dies alone it is started again on the same port. Safe to start as root, see [ServerAccount]. Thread-safe.
public final class EmbeddedPostgres implements AutoCloseable {
    static final String SUPERUSER = "postgres";
    private static final int PASSWORD_BYTES = 24;

    private final ServerProcess process;
    private final FolderLock lock;
    private final String password;

    private EmbeddedPostgres(ServerProcess process, FolderLock lock, String password) {
        this.process = process;
        this.lock = lock;
        this.password = password;
    }

    /// Starts the server and waits until it takes connections; creates the cluster on the first start.
    /// A server of an earlier process that is still ending on the same folder is waited for.
    ///
    /// @throws PostgresStartException when the folder is in use, the port is taken or the server refuses; it
    ///     says why
    public static EmbeddedPostgres start(PostgresSettings settings) {
        return start(settings, process -> {});
    }

    /// The same, and `started` is told the process of each start, those after a crash included.
    public static EmbeddedPostgres start(PostgresSettings settings, Consumer<ProcessHandle> started) {
        try {
            Folders.createPrivate(settings.dir());
            FolderLock lock = FolderLock.take(settings.dir().resolve("lock"))
                    .orElseThrow(() -> new PostgresStartException("another process runs a PostgreSQL server in "
                            + settings.dir() + "; stop it first, or use another folder"));
            try {
                return start(settings, lock, started);
            } catch (IOException | RuntimeException failure) {
                lock.close();
                throw failure;
            }
        } catch (IOException failure) {
            throw new UncheckedIOException("PostgreSQL not started in " + settings.dir(), failure);
        }
    }

    private static EmbeddedPostgres start(PostgresSettings settings, FolderLock lock, Consumer<ProcessHandle> started)
            throws IOException {
        Path programs = ServerPrograms.unpackTo(settings.serverDir());
        Path folder = Folders.createPrivate(settings.dir().resolve("cluster"));
        ServerAccount account = ServerAccount.choose(folder, programs);
        account.own(folder);
        var cluster = new Cluster(folder, account, settings.dir().resolve("postgres.log"));
        String password = password(settings.dir().resolve("superuser.password"));
        cluster.createIfAbsent(password);
        return new EmbeddedPostgres(ServerProcess.start(cluster, settings, started), lock, password);
    }

    private static String password(Path file) throws IOException {
        if (!Files.exists(file)) {
            Folders.writePrivate(file, newPassword());
        }
        return Files.readString(file).strip();
    }

    /// A password of 192 random bits.
    public static String newPassword() {
        var random = new byte[PASSWORD_BYTES];
        new SecureRandom().nextBytes(random);
        return HexFormat.of().formatHex(random);
    }

    /// The server that works on this folder now, whoever started it; empty when there is none.
    public static Optional<ProcessHandle> running(Path dir) throws IOException {
        return PidFile.of(dir.resolve("cluster").resolve("data")).living();
    }

    /// The address of this server.
    public String host() {
        return ServerProcess.HOST;
    }

    /// The loopback port; it stays the same when the server is restarted after a crash.
    public int port() {
        return process.port();
    }

    /// The process that answers now. It changes when the server is restarted after a crash.
    public ProcessHandle processHandle() {
        return process.handle();
    }

    /// The JDBC address of a database of this server.
    public String url(String database) {
        // The timeout makes a connection whose peer vanished fail instead of hanging; the server has the same setting.
        return "jdbc:postgresql://" + host() + ":" + port() + "/" + database + "?tcpKeepAlive=true&connectTimeout=5";
    }

    /// Access to a database as the superuser: for creating roles and databases, nothing else.
    public Credentials superuser(String database) {
        return new Credentials(url(database), SUPERUSER, password);
    }

    /// Stops the server: open transactions are rolled back, the rest is written. Returns when it is gone.
    @Override
    public void close() {
        process.close();
        lock.close();
    }
}
