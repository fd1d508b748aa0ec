package dev.vigil.agent.sandbox;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;

/// The control groups of one sandbox: one folder under cgroup v2, one per controller under v1.
///
/// @param folders     the first one counts the processes
/// @param killSwitch  true when the kernel kills everything in the first folder by one write (v2)
/// @param oomCounter  the file that holds a line `oom_kill N`
record Cgroup(List<Path> folders, boolean killSwitch, Path oomCounter) {
    private static final String PROCESSES = "cgroup.procs";

    Cgroup {
        folders = List.copyOf(folders);
    }

    /// Where a process writes its number to join.
    List<Path> entrances() {
        return folders.stream().map(folder -> folder.resolve(PROCESSES)).toList();
    }

    /// The processes in it, zombies that nobody reaped yet included; empty when it was removed.
    List<Integer> processes() {
        try {
            return Files.readAllLines(folders.getFirst().resolve(PROCESSES)).stream()
                    .map(Integer::valueOf)
                    .filter(pid -> pid > 1) // 0 is a process of a pid namespace that we do not see
                    .toList();
        } catch (NoSuchFileException e) {
            return List.of();
        } catch (IOException e) {
            if (gone()) {
                return List.of(); // reading a folder that is being removed answers ENODEV
            }
            throw new UncheckedIOException(e);
        }
    }

    /// Sends SIGKILL to everything in it, once.
    void kill() {
        if (killSwitch) {
            try {
                Files.writeString(folders.getFirst().resolve("cgroup.kill"), "1");
            } catch (NoSuchFileException e) {
                return;
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
            return;
        }
        for (int pid : processes()) {
            Pids.signal(pid, Libc.SIGKILL);
        }
    }

    /// Removes its folders; possible only when nothing runs in it.
    ///
    /// @return false when the kernel says that something still does
    boolean remove() {
        boolean all = true;
        for (Path folder : folders) {
            all &= removed(folder);
        }
        return all;
    }

    /// How often the kernel killed something in it for want of memory.
    long oomKills() {
        try {
            return Files.readAllLines(oomCounter).stream()
                    .filter(line -> line.startsWith("oom_kill "))
                    .mapToLong(line -> Long.parseLong(line.substring("oom_kill ".length())))
                    .sum();
        } catch (IOException e) {
            return 0;
        }
    }

    private boolean gone() {
        return !Files.exists(folders.getFirst());
    }

    private static boolean removed(Path folder) {
        try {
            Files.deleteIfExists(folder);
            return true;
        } catch (DirectoryNotEmptyException e) {
            return false;
        } catch (IOException e) {
            return false; // EBUSY: something still runs in it
        }
    }
}
