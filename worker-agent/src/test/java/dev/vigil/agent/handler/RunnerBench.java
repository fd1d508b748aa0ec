package dev.vigil.agent.handler;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.Arrays;
import java.util.Comparator;
import java.util.function.Supplier;
import java.util.stream.Stream;

/// Latency of the runner, one execution after the other. Not a test: run its main from the module's test class
/// path, with `--enable-native-access=ALL-UNNAMED`.
final class RunnerBench {
    private RunnerBench() {}

    public static void main(String[] arguments) throws Exception {
        int rounds = arguments.length > 0 ? Integer.parseInt(arguments[0]) : 200;
        Path folder = Files.createTempDirectory(
                "bench", PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwxr-xr-x")));
        long opened = System.nanoTime();
        try (Workplace workplace = Workplace.in(folder)
                .shell("sh.fresh", "fresh", "echo '{\"done\":1}' >&$VIGIL_FD")
                .python("python.fresh", "fresh", "import os; os.write(int(os.environ['VIGIL_FD']), b'{\"done\":1}\\n')")
                .python("python.pooled", "pooled", """
                        import json, os, socket
                        channel = socket.socket(fileno=int(os.environ["VIGIL_FD"])).makefile("rw", newline="\\n")
                        def say(line):
                            channel.write(json.dumps(line) + "\\n"); channel.flush()
                        say({"hello": 1, "handlers": ["python.pooled"]})
                        for line in channel:
                            say({"run": json.loads(line)["run"], "done": 1})
                        """)
                .open(true, Duration.ofSeconds(60), Duration.ofSeconds(120))) {
            System.out.printf("open with self-test  %8.1f ms%n", (System.nanoTime() - opened) / 1e6);
            measure("demo.echo pooled", 20 * rounds, () -> workplace.run("demo.echo", "{\"a\":1}"));
            measure("python pooled", 20 * rounds, () -> workplace.run("python.pooled", "{\"a\":1}"));
            measure("sh fresh", rounds, () -> workplace.run("sh.fresh", "{}"));
            measure("python fresh", rounds, () -> workplace.run("python.fresh", "{}"));
            measure("cancel of a sleeping demo handler", rounds / 4, () -> {
                Attempt attempt = workplace.start("demo.sleep", "{\"ms\":60000}");
                attempt.cancel(Duration.ZERO);
                return Workplace.outcome(attempt);
            });
        } finally {
            delete(folder);
        }
    }

    private static void measure(String name, int rounds, Supplier<Outcome> run) {
        for (int i = 0; i < rounds / 5; i++) {
            var _ = run.get();
        }
        var nanos = new long[rounds];
        for (int i = 0; i < rounds; i++) {
            long start = System.nanoTime();
            Outcome outcome = run.get();
            nanos[i] = System.nanoTime() - start;
            if (outcome instanceof Outcome.Failed || outcome instanceof Outcome.Refused) {
                throw new IllegalStateException(name + ": " + outcome);
            }
        }
        Arrays.sort(nanos);
        System.out.printf(
                "%-34s p50 %8.3f ms  p99 %8.3f ms  (%d)%n",
                name, nanos[rounds / 2] / 1e6, nanos[rounds * 99 / 100] / 1e6, rounds);
    }

    private static void delete(Path folder) throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }
}
