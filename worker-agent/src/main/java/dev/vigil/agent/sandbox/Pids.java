package dev.vigil.agent.sandbox;

import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.StringTokenizer;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/// What `/proc` says about processes.
final class Pids {
    private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(2);
    private static final long STEP_NANOS = TimeUnit.MICROSECONDS.toNanos(200);
    private static final int DESCENDANTS_MAX = 100_000;

    private Pids() {}

    /// Sends a signal; a process that is already gone is fine.
    static void signal(int pid, int signal) {
        try {
            Libc.kill(pid, signal);
        } catch (Libc.ErrnoException e) {
            if (e.errno() != Libc.ESRCH) {
                throw new IllegalStateException("process " + pid + " cannot be signalled: " + e.getMessage(), e);
            }
        }
    }

    /// The children that the main thread of a process started; empty when it is gone.
    static List<Integer> children(int pid) {
        return read(Path.of("/proc/" + pid + "/task/" + pid + "/children"));
    }

    private static List<Integer> read(Path childrenFile) {
        try {
            var tokens = new StringTokenizer(Files.readString(childrenFile));
            var children = new ArrayList<Integer>(tokens.countTokens());
            while (tokens.hasMoreTokens()) {
                children.add(Integer.valueOf(tokens.nextToken()));
            }
            return children;
        } catch (IOException e) {
            return List.of();
        }
    }

    /// Everything that descends from a process now, parents before children, itself not included.
    static List<Integer> descendants(int pid) {
        var all = new ArrayList<Integer>(childrenOfAllThreads(pid));
        for (int next = 0; next < all.size() && all.size() < DESCENDANTS_MAX; next++) {
            all.addAll(childrenOfAllThreads(all.get(next)));
        }
        return all;
    }

    private static List<Integer> childrenOfAllThreads(int pid) {
        var children = new ArrayList<Integer>();
        try (DirectoryStream<Path> tasks = Files.newDirectoryStream(Path.of("/proc/" + pid + "/task"))) {
            for (Path task : tasks) {
                children.addAll(read(task.resolve("children")));
            }
        } catch (IOException | DirectoryIteratorException e) {
            return children; // it ended meanwhile
        }
        return children;
    }

    /// When a process started, in ticks since boot; with its number it names the process for ever. 0 when it is
    /// gone.
    static long startOf(int pid) {
        String stat = stat(pid);
        if (stat.isEmpty()) {
            return 0;
        }
        // The name in the second field may hold anything, blanks and brackets included.
        String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ");
        boolean dead = fields[0].equals("Z") || fields[0].equals("X");
        return dead ? 0 : Long.parseLong(fields[19]);
    }

    /// Waits until a killed process is reaped, by us if it is our child.
    ///
    /// @return false when it still is there after two seconds
    static boolean awaitReaped(int pid) {
        long end = System.nanoTime() + PATIENCE_NANOS;
        while (!Libc.reapIfEnded(pid)) {
            if (System.nanoTime() - end > 0) {
                return false;
            }
            LockSupport.parkNanos(STEP_NANOS);
        }
        return true;
    }

    /// Reaps dead children of this process that carry a name and that nobody waits for.
    static boolean reapOrphans(String name, Set<Integer> awaited) {
        int self = (int) ProcessHandle.current().pid();
        for (int pid : childrenOfAllThreads(self)) {
            if (!awaited.contains(pid) && stat(pid).contains("(" + name + ") Z")) {
                Libc.reapIfEnded(pid);
            }
        }
        return true;
    }

    private static String stat(int pid) {
        try {
            return Files.readString(Path.of("/proc/" + pid + "/stat"));
        } catch (IOException e) {
            return "";
        }
    }
}
