package dev.vigil.postgres;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;

/// A JVM of its own whose server must not outlive it.
record ServerParentProcess(Process process, int port, long serverPid) implements AutoCloseable {
    private static final int NOBODY = 65_534;

    static ServerParentProcess start(Path dir, Path programs) throws IOException {
        return start(new ProcessBuilder(java(System.getProperty("java.class.path"), dir, programs)));
    }

    /// A folder in which the user `nobody` may make his own; it lies where he may go.
    static Path folderForNobody(Path temporary) throws IOException {
        Files.setPosixFilePermissions(temporary, PosixFilePermissions.fromString("rwxr-xr-x"));
        Path home = Files.createDirectory(temporary.resolve("nobody"));
        Files.setAttribute(home, "unix:uid", NOBODY);
        return home.resolve("pg");
    }

    /// The class path is copied first: nobody may not read a root user's Maven repository.
    static ServerParentProcess startAsNobody(Path dir, String path) throws IOException {
        Path copies = Files.createDirectories(dir.resolveSibling("classpath"));
        var classPath = new ArrayList<String>();
        for (String entry : System.getProperty("java.class.path").split(File.pathSeparator, -1)) {
            Path copy = copies.resolve(classPath.size() + "-" + Path.of(entry).getFileName());
            copyTree(Path.of(entry), copy);
            classPath.add(copy.toString());
        }
        var command = new ArrayList<>(List.of(
                "/usr/bin/setpriv", "--reuid=" + NOBODY, "--regid=" + NOBODY, "--clear-groups", "/usr/bin/env"));
        command.add("PATH=" + path);
        command.addAll(java(String.join(File.pathSeparator, classPath), dir, dir.resolveSibling("programs")));
        return start(new ProcessBuilder(command));
    }

    private static List<String> java(String classPath, Path dir, Path programs) {
        return List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:+UseSerialGC",
                "-cp",
                classPath,
                ServerParent.class.getName(),
                dir.toString(),
                programs.toString());
    }

    private static ServerParentProcess start(ProcessBuilder builder) throws IOException {
        Process process = builder.redirectError(ProcessBuilder.Redirect.INHERIT).start();
        String line = process.inputReader().readLine();
        if (line == null) {
            throw new IOException("the parent process ended before its server was ready; its error output is above");
        }
        String[] words = line.split(" ", -1);
        return new ServerParentProcess(process, Integer.parseInt(words[0]), Long.parseLong(words[1]));
    }

    private static void copyTree(Path from, Path to) throws IOException {
        if (!Files.exists(from)) {
            return;
        }
        try (var paths = Files.walk(from)) {
            for (Path path : (Iterable<Path>) paths::iterator) {
                Path copy = to.resolve(from.relativize(path).toString());
                if (Files.isDirectory(path)) {
                    Files.createDirectories(copy);
                } else {
                    Files.copy(path, copy);
                }
            }
        }
    }

    Credentials superuser(Path dir) throws IOException {
        String url = "jdbc:postgresql://127.0.0.1:" + port + "/postgres";
        return new Credentials(
                url,
                "postgres",
                Files.readString(dir.resolve("superuser.password")).strip());
    }

    @Override
    public void close() {
        process.destroyForcibly();
    }
}
