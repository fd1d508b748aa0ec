package dev.vigil.agent.sandbox;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// Makes control groups below the agent's own, in one folder per label, for memory, processes and processor time.
/// It knows cgroup v1, v2 and the mixture of both; which one holds the controllers decides.
final class Cgroups implements AutoCloseable {
    private static final List<String> CONTROLLERS = List.of("memory", "pids", "cpu");
    private static final int PERIOD_MICROS = 100_000;
    private static final long REMOVAL_NANOS = TimeUnit.SECONDS.toNanos(2);

    /// One place where folders can be made: under v2 one for all controllers (key empty), under v1 one for each.
    private final Map<String, Path> homes;

    private Cgroups(Map<String, Path> homes) {
        this.homes = homes;
    }

    /// Looks where this process may make control groups.
    ///
    /// @param label name of the folder that holds them all, this agent's alone
    /// @return empty when there is no such place: limits are then per process only
    static Optional<Cgroups> find(String label) throws IOException {
        return find(label, CgroupMounts.ofThisProcess());
    }

    static Optional<Cgroups> find(String label, CgroupMounts mounts) {
        return v1(label, mounts).or(() -> v2(label, mounts)).map(Cgroups::new);
    }

    private static Optional<Map<String, Path>> v1(String label, CgroupMounts mounts) {
        var homes = new LinkedHashMap<String, Path>();
        for (String controller : CONTROLLERS) {
            Optional<Path> own = mounts.own(controller);
            Optional<Path> home = own.flatMap(folder -> made(folder.resolve(label)));
            if (home.isEmpty()) {
                homes.values().forEach(Cgroups::removeQuietly);
                return Optional.empty();
            }
            homes.put(controller, home.get());
        }
        return Optional.of(homes);
    }

    /// Below the agent's own group if it was delegated, else (root only) below the top. A group that holds
    /// processes itself cannot hand controllers to its children, so the agent moves into a child if it is alone
    /// there.
    private static Optional<Map<String, Path>> v2(String label, CgroupMounts mounts) {
        for (Path parent : mounts.unified()) {
            if (!handsDown(parent) && !(leave(parent, label) && handsDown(parent))) {
                continue;
            }
            Optional<Path> home = made(parent.resolve(label));
            if (home.isPresent() && handsDown(home.get())) {
                return home.map(path -> Map.of("", path));
            }
            home.ifPresent(Cgroups::removeQuietly);
        }
        return Optional.empty();
    }

    private static boolean handsDown(Path group) {
        Path control = group.resolve("cgroup.subtree_control");
        try {
            if (!Files.readString(control).contains("memory")) {
                Files.writeString(control, "+memory +pids +cpu");
            }
            List<String> enabled = List.of(Files.readString(control).trim().split(" "));
            return enabled.containsAll(CONTROLLERS);
        } catch (IOException e) {
            return false;
        }
    }

    private static boolean leave(Path group, String label) {
        try {
            List<String> inside = Files.readAllLines(group.resolve("cgroup.procs"));
            if (!inside.equals(List.of(Long.toString(ProcessHandle.current().pid())))) {
                return false;
            }
            Path own = group.resolve(label + "-agent");
            Files.createDirectories(own);
            Files.writeString(own.resolve("cgroup.procs"), inside.getFirst());
            return true;
        } catch (IOException e) {
            return false;
        }
    }

    private static Optional<Path> made(Path folder) {
        try {
            return Optional.of(Files.createDirectories(folder));
        } catch (IOException e) {
            return Optional.empty();
        }
    }

    private static void removeQuietly(Path folder) {
        try {
            Files.deleteIfExists(folder);
        } catch (IOException e) {
            // An empty folder stays behind; the next start finds it again under the same label.
            System.getLogger(Cgroups.class.getName()).log(System.Logger.Level.DEBUG, "not removed: " + folder, e);
        }
    }

    /// Makes the groups of one sandbox and writes its limits.
    Cgroup create(String name, Limits limits) throws IOException {
        @Nullable Path unified = homes.get("");
        try {
            return unified != null ? createV2(unified.resolve(name), limits) : createV1(name, limits);
        } catch (IOException e) {
            homes.values().forEach(home -> removeQuietly(home.resolve(name)));
            throw e;
        }
    }

    private static Cgroup createV2(Path folder, Limits limits) throws IOException {
        Files.createDirectory(folder);
        write(folder, "memory.max", limits.memoryBytes());
        writeIfThere(folder, "memory.swap.max", 0);
        // Without it the kernel kills the largest process only, and half a handler goes on.
        writeIfThere(folder, "memory.oom.group", 1);
        write(folder, "pids.max", limits.pids());
        Files.writeString(folder.resolve("cpu.max"), quota(limits) + " " + PERIOD_MICROS);
        boolean killSwitch = Files.exists(folder.resolve("cgroup.kill"));
        return new Cgroup(List.of(folder), killSwitch, folder.resolve("memory.events"));
    }

    private Cgroup createV1(String name, Limits limits) throws IOException {
        Path memory = made(name, "memory");
        write(memory, "memory.limit_in_bytes", limits.memoryBytes());
        // Memory and swap together: without this line swap would be a second memory.
        writeIfThere(memory, "memory.memsw.limit_in_bytes", limits.memoryBytes());
        Path pids = made(name, "pids");
        write(pids, "pids.max", limits.pids());
        Path cpu = made(name, "cpu");
        write(cpu, "cpu.cfs_period_us", PERIOD_MICROS);
        write(cpu, "cpu.cfs_quota_us", quota(limits));
        return new Cgroup(List.of(pids, memory, cpu), false, memory.resolve("memory.oom_control"));
    }

    private Path made(String name, String controller) throws IOException {
        return Files.createDirectory(
                Objects.requireNonNull(homes.get(controller)).resolve(name));
    }

    private static long quota(Limits limits) {
        return Math.max(1_000, Math.round(limits.cpus() * PERIOD_MICROS));
    }

    private static void write(Path folder, String file, long value) throws IOException {
        Files.writeString(folder.resolve(file), Long.toString(value));
    }

    private static void writeIfThere(Path folder, String file, long value) throws IOException {
        if (Files.exists(folder.resolve(file))) {
            write(folder, file, value);
        }
    }

    /// The folders that hold this label's groups.
    List<Path> homes() {
        return List.copyOf(homes.values());
    }

    /// Kills and removes everything that a former agent left in these folders.
    ///
    /// @return how many groups there were
    static int reap(List<Path> homes) throws IOException {
        int groups = 0;
        for (Path home : homes) {
            if (!Files.isDirectory(home)) {
                continue;
            }
            List<Path> children;
            try (Stream<Path> list = Files.list(home)) {
                children = list.filter(Files::isDirectory).toList();
            }
            for (Path child : children) {
                empty(new Cgroup(List.of(child), Files.exists(child.resolve("cgroup.kill")), child));
                groups++;
            }
        }
        return groups;
    }

    /// Kills what is in a group until nothing is, and removes it.
    ///
    /// @return false when something in it does not die, which only the kernel can cause
    static boolean empty(Cgroup group) {
        long end = System.nanoTime() + REMOVAL_NANOS;
        while (true) {
            group.kill();
            if (group.remove()) {
                return true;
            }
            if (System.nanoTime() - end > 0) {
                return false;
            }
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(1));
        }
    }

    /// Kills what is left in the groups of this label and removes them.
    @Override
    public void close() throws IOException {
        reap(homes());
        homes.values().forEach(Cgroups::removeQuietly);
    }
}
