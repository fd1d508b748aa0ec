package dev.vigil.agent.sandbox;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.channels.Channels;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;

/// Tries the sandbox from inside before the agent takes work: what is only configured is not yet so. (Rootless
/// podman on cgroup v1 takes a memory limit and ignores it.)
final class SelfTest {
    private static final int PIDS = 60;
    private static final long MEMORY_GROUP = 128L << 20;
    /// A JVM reserves more address space than it uses.
    private static final long MEMORY_ADDRESSES = 1024L << 20;
    private static final long PATIENCE_SECONDS = 30;
    private static final int LINES_MAX = 2_000;
    private static final Set<String> WALLS = Set.of(
            "host_files",
            "environment",
            "network",
            "user_namespace",
            "vsock",
            "ptrace",
            "no_new_privileges",
            "filter",
            "capabilities",
            "capability_bounds",
            "processes");

    private final Sandbox sandbox;
    private final JavaInside java;
    private final Path classes;
    private final Path folder;

    /// @param classes the probe's class path, shared
    /// @param folder  the agent's own, where the canary is put
    SelfTest(Sandbox sandbox, JavaInside java, Path classes, Path folder) {
        this.sandbox = sandbox;
        this.java = java;
        this.classes = classes;
        this.folder = folder;
    }

    /// Runs all checks.
    ///
    /// @return the first check that failed, as a sentence; empty when all hold
    Optional<String> failure() {
        var memory = CompletableFuture.supplyAsync(this::memory, Thread::startVirtualThread);
        Optional<String> walls = walls();
        try {
            return walls.or(memory::join);
        } catch (CompletionException e) {
            return Optional.of("the memory check broke: " + e.getCause());
        }
    }

    private Optional<String> walls() {
        try (var listener = new ServerSocket(0, 8, InetAddress.getLoopbackAddress())) {
            Path canary = canary();
            // Control: the listener can be reached, from outside.
            new Socket(listener.getInetAddress(), listener.getLocalPort()).close();
            Map<String, String> report = run(
                    Limits.DEFAULT.withPids(PIDS),
                    List.of("walls", canary.toString(), marker(), "" + listener.getLocalPort(), "" + PIDS));
            Files.delete(canary);
            for (Map.Entry<String, String> check : report.entrySet()) {
                if (!check.getValue().equals("held")) {
                    return Optional.of("check " + check.getKey() + " failed: " + check.getValue());
                }
            }
            if (!report.keySet().containsAll(WALLS)) {
                return Optional.of("the probe did not finish; it reported " + report.keySet());
            }
            return Optional.empty();
        } catch (IOException e) {
            return Optional.of("no sandbox started: " + e.getMessage());
        }
    }

    /// A file that root may read and nobody else, at a path that the probe knows.
    private Path canary() throws IOException {
        Path canary = folder.resolve("canary-" + UUID.randomUUID());
        return Files.createFile(
                canary, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
    }

    /// Something that stands in the agent's environment.
    private static String marker() {
        return System.getenv().entrySet().stream()
                .map(variable -> variable.getKey() + "=" + variable.getValue())
                .filter(text -> text.length() > 12 && text.length() < 4_000 && !text.startsWith("LANG="))
                .findFirst()
                .orElse("no-marker-in-an-empty-environment");
    }

    private Optional<String> memory() {
        boolean groups = sandbox.limits().equals("cgroup");
        long limit = groups ? MEMORY_GROUP : MEMORY_ADDRESSES;
        try {
            Map<String, String> report = run(Limits.DEFAULT.withMemoryBytes(limit), List.of("memory", "" + 2 * limit));
            if (!report.containsKey("taken")) {
                return Optional.of("check memory failed: the probe took none at all");
            }
            boolean stopped = report.getOrDefault("memory", "held").equals("held");
            boolean seen = !groups || report.containsKey("killed");
            if (!stopped || !seen) {
                return Optional.of("check memory failed: a limit of " + limit + " bytes was not enforced");
            }
            return Optional.empty();
        } catch (IOException e) {
            return Optional.of("no sandbox started: " + e.getMessage());
        }
    }

    private Map<String, String> run(Limits limits, List<String> arguments) throws IOException {
        List<String> command = java.command(InsideProbe.class.getName(), arguments);
        try (SandboxProcess process = sandbox.start(new SandboxOrder(classes, command, limits, java.extra()))) {
            return run(process);
        }
    }

    private static Map<String, String> run(SandboxProcess process) throws IOException {
        var _ = process.exit().orTimeout(PATIENCE_SECONDS, TimeUnit.SECONDS).whenComplete((code, late) -> {
            if (late != null) {
                process.kill();
            }
        });
        Thread.ofPlatform().daemon().start(() -> discard(process));
        process.release();
        Map<String, String> report = report(process);
        if (process.outOfMemory()) {
            report.put("killed", "held");
        }
        if (report.isEmpty()) {
            process.kill();
            throw new IOException("the probe said nothing; " + said(process));
        }
        return report;
    }

    private static Map<String, String> report(SandboxProcess process) throws IOException {
        var report = new LinkedHashMap<String, String>();
        var lines = new BufferedReader(
                new InputStreamReader(Channels.newInputStream(process.channel()), StandardCharsets.UTF_8));
        for (int i = 0; i < LINES_MAX; i++) {
            String line = lines.readLine();
            if (line == null) {
                return report;
            }
            int tab = line.indexOf('\t');
            if (tab > 0) {
                String name = line.substring(0, tab);
                report.put(name, name.equals("taken") ? "held" : line.substring(tab + 1));
            }
        }
        return report;
    }

    private static String said(SandboxProcess process) throws IOException {
        return "its error output was: "
                + new String(process.stderr().readNBytes(1_000), StandardCharsets.UTF_8).strip();
    }

    private static void discard(SandboxProcess process) {
        try {
            process.stdout().transferTo(OutputStream.nullOutputStream());
        } catch (IOException e) {
            System.getLogger(SelfTest.class.getName()).log(System.Logger.Level.DEBUG, "event=probe_output_ended", e);
        }
    }
}
