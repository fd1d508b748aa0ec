package dev.vigil.chaos;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.CleanupMode;
import org.junit.jupiter.api.io.TempDir;

/// Real processes, struck without warning while tasks pour in: nothing acknowledged is lost, nothing completes twice,
/// and everything comes back by itself. `-Dvigil.chaos.faults=200` makes the long run of it
/// (docs/how-to/test-under-faults.md).
class ChaosTest {
    private static final int FAULTS = Integer.getInteger("vigil.chaos.faults", 0);
    private static final int MINUTES = Integer.getInteger("vigil.chaos.minutes", 120);
    private static final String ONLY = System.getProperty("vigil.chaos.only", ".*");
    private static final long SEED = Long.getLong("vigil.chaos.seed", new Random().nextInt(1_000_000));

    /// Kept when the test fails: its logs say why.
    @TempDir(cleanup = CleanupMode.ON_SUCCESS)
    Path folder;

    @Test
    void no_fault_loses_or_doubles_an_acknowledged_task() throws Exception {
        Path log = folder.resolve("run.log");
        boolean apart = mayHaveNamespaces();
        Process run = new ProcessBuilder(command(apart))
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .start();
        try {
            int status = run.waitFor();
            System.out.println(report());
            assertThat(status).as(Files.readString(log)).isZero();
        } finally {
            run.descendants().forEach(ProcessHandle::destroyForcibly);
            run.destroyForcibly();
        }
    }

    private String report() throws IOException {
        Path table = folder.resolve("faults.md");
        return Files.exists(table) ? Files.readString(table) : "the run ended before its report";
    }

    /// Whether this machine lets us make namespaces of our own, in which a run's network, mounts and processes
    /// vanish with it.
    private static boolean mayHaveNamespaces() {
        return Stream.of("unshare", "ip", "tc", "iptables").allMatch(Shell::has)
                && Shell.run(List.of(
                                        "unshare",
                                        "--net",
                                        "--mount",
                                        "--pid",
                                        "--fork",
                                        "--mount-proc",
                                        "sh",
                                        "-c",
                                        "mount -t tmpfs none /run && ip link set lo up && iptables -S"))
                                .status()
                        == 0;
    }

    private List<String> command(boolean apart) {
        // However this JVM ends, the run ends with it.
        var command = new ArrayList<>(List.of("setpriv", "--pdeathsig", "KILL"));
        String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
        if (apart) {
            command.addAll(List.of("unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"));
            // The shell is the first process of its namespace, so it reaps what loses its parent.
            command.addAll(List.of("sh", "-c", "mount -t tmpfs none /run; \"$@\" & wait $!", "sh"));
        }
        command.addAll(List.of(java, "-Xmx384m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"));
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), ChaosRun.class.getName()));
        command.addAll(List.of(
                folder.toString(),
                Boolean.toString(apart),
                Long.toString(SEED),
                Integer.toString(FAULTS),
                Integer.toString(MINUTES),
                ONLY));
        return command;
    }
}
