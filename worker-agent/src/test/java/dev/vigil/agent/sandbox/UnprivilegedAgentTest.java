package dev.vigil.agent.sandbox;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.channels.Channels;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// An agent that is nobody special: no other user id for its sandboxes, and no control groups unless somebody gave
/// it some. It passes the same self-test and says which limits it has.
class UnprivilegedAgentTest {
    private static final String USER = "12345";

    @TempDir
    Path folder;

    /// The agent's side, in a process of its own.
    public static void main(String[] arguments) throws IOException {
        Path state = Path.of(arguments[0]);
        Path handler = Files.createDirectories(state.resolve("handler"));
        var patience = new Watchdog.Patience(Duration.ofSeconds(30), Duration.ofSeconds(60));
        try (Sandboxes sandboxes = Sandboxes.open(new Sandboxes.Settings(state, false, patience))) {
            System.out.println(sandboxes.report());
            SandboxProcess process = sandboxes
                    .sandbox()
                    .orElseThrow()
                    .start(new SandboxOrder(
                            sandboxes.stage("h", handler),
                            List.of(
                                    "/bin/sh",
                                    "-c",
                                    "(setsid sleep 64 &); cat /run/task/secrets/s >&3; id -u >&3; ulimit -n >&3"),
                            Limits.DEFAULT,
                            Map.of()));
            process.putSecrets(Map.of("s", "told\n".getBytes(StandardCharsets.UTF_8)));
            process.release();
            System.out.print(
                    new String(Channels.newInputStream(process.channel()).readAllBytes(), StandardCharsets.UTF_8));
            System.out.println("gone " + process.kill());
        }
    }

    @Test
    void an_unprivileged_agent_holds_a_sandbox_and_says_that_memory_is_limited_per_process() throws Exception {
        assumeTrue(Libc.uid() == 0, "this test starts as root; an unprivileged run of all tests shows the same");
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxrwxrwx"));
        Path classes = Files.createDirectories(folder.resolve("classes"));
        for (Class<?> type : List.of(Sandboxes.class, UnprivilegedAgentTest.class)) {
            copyPackage(
                    Path.of(type.getProtectionDomain()
                            .getCodeSource()
                            .getLocation()
                            .toURI()),
                    classes);
        }

        Process agent = new ProcessBuilder(
                        "/usr/bin/setpriv",
                        "--reuid",
                        USER,
                        "--regid",
                        USER,
                        "--clear-groups",
                        Path.of(System.getProperty("java.home"), "bin/java").toString(),
                        "--enable-native-access=ALL-UNNAMED",
                        "-Xmx64m",
                        "-cp",
                        classes.toString(),
                        UnprivilegedAgentTest.class.getName(),
                        folder.resolve("state").toString())
                .redirectErrorStream(true)
                .start();
        String said = new String(agent.getInputStream().readAllBytes(), StandardCharsets.UTF_8);

        assertThat(agent.waitFor()).as(said).isZero();
        assertThat(said)
                .contains("SandboxReport[kind=bubblewrap, limits=rlimit, usable=true")
                .contains("memory is limited per process only")
                .contains("told\n65532\n256\ngone true");
        assertThat(ProcessHandle.allProcesses().map(p -> p.info().commandLine().orElse("")))
                .noneMatch(line -> line.endsWith("sleep 64"));
    }

    private static void copyPackage(Path from, Path to) throws IOException {
        Path packageFolder = Path.of(Sandboxes.class.getPackageName().replace('.', '/'));
        Files.createDirectories(to.resolve(packageFolder));
        try (Stream<Path> files = Files.list(from.resolve(packageFolder))) {
            for (Path file : files.toList()) {
                Files.copy(file, to.resolve(packageFolder).resolve(file.getFileName()));
            }
        }
    }
}
