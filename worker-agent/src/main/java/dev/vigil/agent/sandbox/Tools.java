package dev.vigil.agent.sandbox;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/// The programs that start a sandbox, found in the usual folders: the agent's own PATH is not trusted with that.
///
/// @param bubblewrap absent when it is not installed
record Tools(Path shell, Path prlimit, Path setpriv, Optional<Path> bubblewrap) {
    private static final List<String> FOLDERS =
            List.of("/usr/local/bin", "/usr/bin", "/bin", "/usr/local/sbin", "/usr/sbin", "/sbin");

    static Tools find() throws SandboxUnavailableException {
        return new Tools(
                require("sh", "dash"),
                require("prlimit", "util-linux"),
                require("setpriv", "util-linux"),
                find("bwrap"));
    }

    private static Path require(String program, String aptPackage) throws SandboxUnavailableException {
        return find(program)
                .orElseThrow(() -> new SandboxUnavailableException(program + " is not in " + String.join(", ", FOLDERS)
                        + "; install it: apt-get install " + aptPackage));
    }

    private static Optional<Path> find(String program) {
        return FOLDERS.stream()
                .map(folder -> Path.of(folder, program))
                .filter(Files::isExecutable)
                .findFirst();
    }
}
