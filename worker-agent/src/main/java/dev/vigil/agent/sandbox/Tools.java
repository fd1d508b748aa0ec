package dev.vigil.agent.sandbox;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/// The programs that start a sandbox. The agent's own PATH is not trusted with that.
///
/// @param bubblewrap absent when it is not installed
record Tools(Path shell, Path prlimit, Path setpriv, Optional<Path> bubblewrap) {
    /// Where they are looked for.
    static final List<Path> USUAL_FOLDERS = Stream.of(
                    "/usr/local/bin", "/usr/bin", "/bin", "/usr/local/sbin", "/usr/sbin", "/sbin")
            .map(Path::of)
            .toList();

    static Tools find(List<Path> folders) throws SandboxUnavailableException {
        return new Tools(
                require(folders, "sh", "dash"),
                require(folders, "prlimit", "util-linux"),
                require(folders, "setpriv", "util-linux"),
                find(folders, "bwrap"));
    }

    private static Path require(List<Path> folders, String program, String aptPackage)
            throws SandboxUnavailableException {
        return find(folders, program)
                .orElseThrow(() -> new SandboxUnavailableException(
                        program + " is in none of " + folders + "; install it: apt-get install " + aptPackage));
    }

    private static Optional<Path> find(List<Path> folders, String program) {
        return folders.stream()
                .map(folder -> folder.resolve(program))
                .filter(Files::isExecutable)
                .findFirst();
    }
}
