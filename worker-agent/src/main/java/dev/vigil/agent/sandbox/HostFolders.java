package dev.vigil.agent.sandbox;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/// What a sandbox sees of the machine: its programs and libraries, read-only, nothing else.
final class HostFolders {
    private static final List<String> BESIDE_USR = List.of("bin", "sbin", "lib", "lib32", "lib64", "libx32");
    private static final Path ALTERNATIVES = Path.of("/etc/alternatives");

    private HostFolders() {}

    /// Arguments of bwrap.
    ///
    /// @param alternatives a folder that [#copyAlternatives] filled
    static List<String> arguments(Path alternatives) throws IOException {
        var arguments = new ArrayList<>(List.of("--ro-bind", "/usr", "/usr"));
        for (String name : BESIDE_USR) {
            Path path = Path.of("/", name);
            if (Files.isSymbolicLink(path)) {
                arguments.addAll(
                        List.of("--symlink", Files.readSymbolicLink(path).toString(), path.toString()));
            } else if (Files.isDirectory(path)) {
                arguments.addAll(List.of("--ro-bind", path.toString(), path.toString()));
            }
        }
        arguments.addAll(List.of("--ro-bind", alternatives.toString(), ALTERNATIVES.toString()));
        return arguments;
    }

    /// On Debian many programs of /usr/bin, awk among them, are links by way of /etc/alternatives. Those links are
    /// made anew, as far as they lead back to /usr; /etc itself is not shown.
    static void copyAlternatives(Path target) throws IOException {
        if (!Files.isDirectory(ALTERNATIVES)) {
            return;
        }
        try (Stream<Path> links = Files.list(ALTERNATIVES)) {
            for (Path link : links.filter(Files::isSymbolicLink).toList()) {
                Path leadsTo = Files.readSymbolicLink(link);
                if (leadsTo.startsWith("/usr") || leadsTo.startsWith("/bin")) {
                    Files.createSymbolicLink(target.resolve(link.getFileName()), leadsTo);
                }
            }
        }
    }
}
