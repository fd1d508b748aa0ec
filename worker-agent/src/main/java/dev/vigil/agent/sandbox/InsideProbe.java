package dev.vigil.agent.sandbox;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.stream.Stream;

/// Runs inside a sandbox when the agent starts, tries to get out, and reports each try as one line on descriptor 0:
/// `name`, a tab, `held` or what was reached. A single class that needs the JDK alone.
final class InsideProbe {
    private static final int CLONE_NEWUSER = 0x1000_0000;
    private static final int AF_VSOCK = 40;
    private static final int THREADS_MAX = 400;
    private static final int STEP = 8 << 20;

    private final PrintStream report;

    private InsideProbe(PrintStream report) {
        this.report = report;
    }

    /// Tries and reports.
    ///
    /// @param arguments `walls canary marker port threads`, or `memory bytes`
    public static void main(String[] arguments) throws Throwable {
        var probe =
                new InsideProbe(new PrintStream(new FileOutputStream(FileDescriptor.in), true, StandardCharsets.UTF_8));
        if (arguments[0].equals("memory")) {
            probe.memory(Long.parseLong(arguments[1]));
        } else {
            probe.files(Path.of(arguments[1]));
            probe.environment(arguments[2]);
            probe.network(Integer.parseInt(arguments[3]));
            probe.systemCalls();
            probe.status();
            probe.threads(Integer.parseInt(arguments[4]));
        }
        probe.report.println("end");
        System.exit(0);
    }

    private void files(Path canary) {
        for (String folder : List.of("/", "/usr", "/handler", "/dev", "/run/task")) {
            try {
                Files.createFile(Path.of(folder, "probe"));
                report("write_" + folder, "a file was made in " + folder);
            } catch (IOException e) {
                report("write_" + folder, "");
            }
        }
        report("host_files", Files.exists(canary) ? "a file of the agent is visible" : "");
    }

    private void environment(String marker) throws IOException {
        try (Stream<Path> processes = Files.list(Path.of("/proc"))) {
            for (Path process : processes
                    .filter(path -> Files.exists(path.resolve("environ")))
                    .toList()) {
                try {
                    String environment = Files.readString(process.resolve("environ"), StandardCharsets.ISO_8859_1);
                    if (environment.contains(marker)) {
                        report("environment", "the agent's environment is in " + process);
                        return;
                    }
                } catch (IOException e) {
                    // Not readable is what is wanted.
                }
            }
        }
        report("environment", "");
    }

    private void network(int port) {
        try (var socket = new Socket()) {
            socket.connect(new InetSocketAddress(InetAddress.getByAddress(new byte[] {127, 0, 0, 1}), port), 1_000);
            report("network", "the loopback of the host was reached");
        } catch (IOException e) {
            report("network", "");
        }
    }

    private void systemCalls() throws Throwable {
        // ptrace is declared with an ellipsis; on the machines we know, integers travel the same way.
        report("user_namespace", works("unshare", CLONE_NEWUSER) ? "unshare worked" : "");
        report("vsock", works("socket", AF_VSOCK, 1, 0) ? "a vsock socket was made" : "");
        report("ptrace", works("ptrace", 0, 0) ? "ptrace worked" : "");
    }

    @SuppressWarnings("restricted") // its JVM is started with native access enabled
    private static boolean works(String function, Integer... arguments) throws Throwable {
        var layouts = new MemoryLayout[arguments.length];
        Arrays.fill(layouts, ValueLayout.JAVA_INT);
        Linker linker = Linker.nativeLinker();
        MethodHandle handle = linker.downcallHandle(
                linker.defaultLookup().findOrThrow(function), FunctionDescriptor.of(ValueLayout.JAVA_INT, layouts));
        return (int) handle.invokeWithArguments((Object[]) arguments) >= 0;
    }

    private void status() throws IOException {
        List<String> status = Files.readAllLines(Path.of("/proc/self/status"));
        expect(status, "NoNewPrivs:\t1", "no_new_privileges");
        expect(status, "Seccomp:\t2", "filter");
        expect(status, "CapEff:\t0000000000000000", "capabilities");
        expect(status, "CapBnd:\t0000000000000000", "capability_bounds");
    }

    private void expect(List<String> status, String line, String name) {
        report(name, status.contains(line) ? "" : "/proc/self/status has no line " + line.replace("\t", " "));
    }

    private void threads(int limit) {
        var end = new CountDownLatch(1);
        int started = 0;
        try {
            while (started < THREADS_MAX) {
                Thread.ofPlatform().daemon().stackSize(64 << 10).start(() -> {
                    try {
                        end.await();
                    } catch (InterruptedException e) {
                        Thread.currentThread().interrupt();
                    }
                });
                started++;
            }
        } catch (OutOfMemoryError e) {
            // The kernel refused: the limit holds.
        }
        end.countDown();
        report("processes", started > 0 && started <= limit ? "" : started + " threads started, the limit is " + limit);
    }

    /// Takes more memory than allowed. A line before shows that less than the limit was to be had.
    private void memory(long bytes) {
        try (Arena arena = Arena.ofConfined()) {
            for (long taken = 0; taken < bytes; taken += STEP) {
                MemorySegment piece = arena.allocate(STEP);
                piece.fill((byte) 1);
                report.println("taken\t" + taken);
            }
            report("memory", bytes + " bytes were to be had");
        } catch (OutOfMemoryError e) {
            report("memory", "");
        }
    }

    private void report(String name, String reached) {
        report.println(name + "\t" + (reached.isEmpty() ? "held" : reached));
    }
}
