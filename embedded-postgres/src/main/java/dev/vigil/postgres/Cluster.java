package dev.vigil.postgres;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.concurrent.TimeUnit;

/// The files of one server.
///
/// @param folder  holds the data folder; the server's account owns it
/// @param account who runs the programs
/// @param log     what the programs print
record Cluster(Path folder, ServerAccount account, Path log) {
    private static final long INIT_SECONDS_MAX = 120;
    private static final int LOG_LINES_SHOWN = 12;

    Path data() {
        return folder.resolve("data");
    }

    /// Runs `initdb` unless the data folder is there. It is made under another name and renamed when complete.
    void createIfAbsent(String password) throws IOException {
        if (Files.exists(data())) {
            return;
        }
        Path fresh = folder.resolve("data.new");
        Folders.delete(fresh);
        Path passwordFile = folder.resolve("initial.password");
        Folders.writePrivate(passwordFile, password);
        account.own(passwordFile);
        try {
            initialise(fresh.getFileName(), passwordFile.getFileName());
        } finally {
            Files.delete(passwordFile);
        }
        Files.move(fresh, data(), StandardCopyOption.ATOMIC_MOVE);
    }

    private void initialise(Path data, Path passwordFile) throws IOException {
        Path seen = account.clusterSeen();
        List<String> arguments = List.of(
                "--pgdata=" + seen.resolve(data),
                "--username=" + EmbeddedPostgres.SUPERUSER,
                "--pwfile=" + seen.resolve(passwordFile),
                "--auth=scram-sha-256",
                "--data-checksums",
                "--encoding=UTF8",
                "--locale=C",
                "--locale-provider=builtin",
                "--builtin-locale=C.UTF-8",
                "--no-instructions");
        Process initdb = run("initdb", arguments);
        try {
            if (!initdb.waitFor(INIT_SECONDS_MAX, TimeUnit.SECONDS)) {
                initdb.destroyForcibly();
                throw new PostgresStartException("initdb took longer than " + INIT_SECONDS_MAX + " s; " + lastWords());
            }
        } catch (InterruptedException interrupted) {
            initdb.destroyForcibly();
            Thread.currentThread().interrupt();
            throw new PostgresStartException("interrupted while the database was created", interrupted);
        }
        if (initdb.exitValue() != 0) {
            throw new PostgresStartException("initdb ended with " + initdb.exitValue() + "; " + lastWords());
        }
    }

    /// Starts a program of the server; its standard input is a pipe of this process.
    Process run(String program, List<String> arguments) throws IOException {
        var builder = new ProcessBuilder(account.command(program, arguments))
                .directory(Path.of("/").toFile());
        builder.environment().keySet().removeIf(name -> name.startsWith("PG"));
        builder.environment().put("LC_ALL", "C");
        builder.environment().put("TZ", "UTC");
        return builder.redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()))
                .start();
    }

    /// The end of the log, for a message.
    String lastWords() throws IOException {
        List<String> lines = Files.exists(log) ? Files.readAllLines(log) : List.of();
        List<String> last = lines.subList(Math.max(0, lines.size() - LOG_LINES_SHOWN), lines.size());
        return "the end of " + log + ":\n  " + String.join("\n  ", last);
    }
}
