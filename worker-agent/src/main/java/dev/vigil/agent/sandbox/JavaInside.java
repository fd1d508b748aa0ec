package dev.vigil.agent.sandbox;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/// The agent's own JDK as a sandbox sees it: at its usual place if that lies under /usr, else under /opt/java.
///
/// @param program the `java` inside
/// @param extra   folders that must be shown for it
public record JavaInside(String program, Map<Path, String> extra) {
    /// Small and quick to start: one thread for garbage, no optimizing compiler, little reserved address space.
    private static final List<String> FLAGS = List.of(
            "-Xmx24m",
            "-Xss256k",
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",
            "-XX:ReservedCodeCacheSize=16m",
            "-XX:CompressedClassSpaceSize=16m",
            "-XX:-UsePerfData",
            "-Xshare:auto",
            "--enable-native-access=ALL-UNNAMED");

    public JavaInside {
        extra = Map.copyOf(extra);
    }

    static JavaInside of(Path home, Launcher launcher) throws IOException {
        Path real = home.toRealPath();
        var extra = new HashMap<Path, String>();
        String seenAs = real.toString();
        if (!real.startsWith("/usr")) {
            seenAs = "/opt/java";
            extra.put(launcher.share(real), seenAs);
        }
        // Distributions move a JDK's configuration to /etc and leave links; without it the JVM does not start.
        for (Path folder : configuration(real)) {
            extra.put(launcher.share(folder), folder.toString());
        }
        return new JavaInside(seenAs + "/bin/java", extra);
    }

    /// As a program sees it that runs in no sandbox.
    static JavaInside bare(Path home) {
        return new JavaInside(home.resolve("bin/java").toString(), Map.of());
    }

    private static List<Path> configuration(Path home) throws IOException {
        var folders = new ArrayList<Path>();
        try (Stream<Path> files = Files.walk(home, 2)) {
            for (Path file : files.filter(Files::isSymbolicLink).toList()) {
                if (Files.exists(file) && file.toRealPath().startsWith("/etc")) {
                    Path folder = Path.of("/etc").resolve(file.toRealPath().getName(1));
                    if (Files.isDirectory(folder) && !folders.contains(folder)) {
                        folders.add(folder);
                    }
                }
            }
        }
        return folders;
    }

    /// A command that runs a class of the working directory, with the private channel as its descriptor 0: that one
    /// the JDK can read and write, and it has no way to open another by number.
    public List<String> command(String mainClass, List<String> arguments) {
        var command = new ArrayList<>(List.of("/bin/sh", "-c", "exec \"$@\" <&$VIGIL_FD", "sh", program));
        command.addAll(FLAGS);
        command.addAll(List.of("-cp", ".", mainClass));
        command.addAll(arguments);
        return command;
    }
}
