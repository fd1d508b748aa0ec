package dev.vigil.agent.sandbox;

import java.io.BufferedReader;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.StringTokenizer;

/// The watchdog: a process of its own that ends sandboxes when nobody owns their executions any longer, and all of
/// them when the agent is dead or stands still. It needs nothing but this one class, and no heap to speak of.
///
/// It reads lines of fields between tabs: `sandbox id pid start cgroup…`, `forget id`, `run execution id`,
/// `end execution`, `owned execution age`, `down execution age`, `alive`. It writes `ready`, and `killed id` before
/// it kills. The end of its input is the death of the agent.
final class WatchdogMain {
    private static final int OWNED = 0;
    private static final int HEARD = 1;
    private static final long LOOK_MILLIS = 200;
    private static final long GIVE_UP_NANOS = 5_000_000_000L;
    private static final int REMOVALS = 50;

    private final PrintStream answers =
            new PrintStream(new FileOutputStream(FileDescriptor.out), true, StandardCharsets.UTF_8);
    private final long ownedWithin;
    private final long orphanGrace;
    /// Sandbox to its line.
    private final Map<String, String[]> sandboxes = new HashMap<>();
    /// Execution to its sandbox.
    private final Map<String, String> runs = new HashMap<>();
    /// Execution to the moments when it was last owned, and last heard of at all.
    private final Map<String, long[]> moments = new HashMap<>();
    private long alive = System.nanoTime();
    private volatile boolean agentGone;

    private WatchdogMain(long ownedWithin, long orphanGrace) {
        this.ownedWithin = ownedWithin;
        this.orphanGrace = orphanGrace;
    }

    /// Watches until its input ends.
    ///
    /// @param arguments `ownedWithin` and `orphanGrace` in milliseconds
    public static void main(String[] arguments) throws IOException {
        var watchdog = new WatchdogMain(Long.parseLong(arguments[0]), Long.parseLong(arguments[1]));
        var looking = new Thread(watchdog::look, "watchdog");
        looking.setDaemon(true);
        looking.start();
        watchdog.answers.println("ready");
        try (var orders = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8))) {
            String line;
            while ((line = orders.readLine()) != null) {
                watchdog.obey(line.split("\t"));
            }
        } finally {
            watchdog.killAll();
        }
    }

    private synchronized void obey(String[] order) {
        long now = System.nanoTime();
        alive = now;
        switch (order[0]) {
            case "sandbox" -> sandboxes.put(order[1], order);
            case "forget" -> sandboxes.remove(order[1]);
            case "run" -> {
                runs.put(order[1], order[2]);
                moments.put(order[1], new long[] {now, now});
            }
            case "end" -> {
                runs.remove(order[1]);
                moments.remove(order[1]);
            }
            case "owned" -> heard(order, OWNED, now);
            case "down" -> heard(order, HEARD, now);
            default -> {} // "alive": the moment is all it says
        }
    }

    private void heard(String[] order, int upTo, long now) {
        long[] moment = moments.get(order[1]);
        if (moment != null) {
            long at = now - Long.parseLong(order[2]) * 1_000_000;
            for (int i = upTo; i <= HEARD; i++) {
                moment[i] = Math.max(moment[i], at);
            }
        }
    }

    private void look() {
        while (true) {
            try {
                Thread.sleep(LOOK_MILLIS);
            } catch (InterruptedException e) {
                return;
            }
            for (String id : condemned()) {
                kill(id);
            }
        }
    }

    private synchronized List<String> condemned() {
        long now = System.nanoTime();
        if (millis(now - alive) > ownedWithin) {
            return List.copyOf(sandboxes.keySet());
        }
        var condemned = new ArrayList<String>();
        moments.forEach((execution, moment) -> {
            boolean forgotten = millis(now - moment[HEARD]) > ownedWithin;
            boolean orphaned = millis(now - moment[OWNED]) > orphanGrace;
            if (forgotten || orphaned) {
                condemned.add(runs.get(execution));
            }
        });
        return condemned;
    }

    private static long millis(long nanos) {
        return nanos / 1_000_000;
    }

    /// The agent is gone: nobody else will end what it left, nor remove its control groups.
    private void killAll() {
        List<String> all;
        synchronized (this) {
            agentGone = true;
            all = List.copyOf(sandboxes.keySet());
        }
        all.forEach(this::kill);
    }

    /// The control groups of a sandbox that is empty. The kernel may need a moment until it lets go of one.
    private static void removeFolders(String[] sandbox) {
        for (int i = 4; i < sandbox.length; i++) {
            Path folder = Path.of(sandbox[i]);
            for (int attempt = 0; attempt < REMOVALS && Files.isDirectory(folder); attempt++) {
                try {
                    Files.deleteIfExists(folder);
                } catch (IOException e) {
                    pause();
                }
            }
        }
    }

    private void kill(String id) {
        String[] sandbox;
        synchronized (this) {
            sandbox = sandboxes.get(id);
        }
        if (sandbox == null) {
            return;
        }
        answers.println("killed\t" + id); // before the kill, so that the agent never wonders why it died
        long pid = Long.parseLong(sandbox[2]);
        long end = System.nanoTime() + GIVE_UP_NANOS;
        // pid 1 inside first: it takes the rest with it, and its parent, still alive, reaps it.
        numbers(Path.of("/proc/" + pid + "/task/" + pid + "/children")).forEach(WatchdogMain::sigkill);
        while (System.nanoTime() - end < 0) {
            boolean empty = true;
            for (int i = 4; i < sandbox.length; i++) {
                List<Long> inside = numbers(Path.of(sandbox[i], "cgroup.procs"));
                empty &= inside.isEmpty();
                inside.stream().filter(other -> other != pid).forEach(WatchdogMain::sigkill);
            }
            boolean front = isFront(pid, Long.parseLong(sandbox[3]));
            if (empty && !front) {
                break;
            }
            pause();
            if (front) {
                sigkill(pid);
            }
        }
        if (agentGone) {
            removeFolders(sandbox);
        }
        synchronized (this) {
            sandboxes.remove(id);
            runs.values().removeIf(id::equals);
            moments.keySet().retainAll(runs.keySet());
        }
    }

    /// Whether this number still is the process that the agent started, and not a later one.
    private static boolean isFront(long pid, long start) {
        try {
            String stat = Files.readString(Path.of("/proc/" + pid + "/stat"));
            String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ");
            return Long.parseLong(fields[19]) == start && !fields[0].equals("Z");
        } catch (IOException e) {
            return false;
        }
    }

    private static void pause() {
        try {
            Thread.sleep(20);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static void sigkill(long pid) {
        if (pid > 1) {
            ProcessHandle.of(pid).ifPresent(ProcessHandle::destroyForcibly);
        }
    }

    private static List<Long> numbers(Path file) {
        var numbers = new ArrayList<Long>();
        try {
            var tokens = new StringTokenizer(Files.readString(file));
            while (tokens.hasMoreTokens()) {
                numbers.add(Long.valueOf(tokens.nextToken()));
            }
        } catch (IOException e) {
            return List.of(); // it is gone
        }
        return numbers;
    }
}
