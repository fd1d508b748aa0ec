package dev.vigil.agent.sandbox;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/// The agent's end of the watchdog process ([WatchdogMain]). It is started again when it dies, with all that it
/// must know; while it is down [#alive] is false and nothing new should run.
public final class Watchdog implements AutoCloseable {
    private static final System.Logger LOG = System.getLogger(Watchdog.class.getName());
    private static final int ORDERS_MAX = 100_000;
    private static final long TICK_MILLIS = 1_000;
    private static final long AGAIN_MILLIS = 500;
    private static final List<String> CLASSES = List.of("WatchdogMain.class");

    private final Launcher launcher;
    private final Patience patience;
    private final List<String> command;
    private final LinkedBlockingQueue<String> orders = new LinkedBlockingQueue<>(ORDERS_MAX);
    private final Set<String> killed = ConcurrentHashMap.newKeySet();
    private final Map<String, WatchdogEntry> sandboxes = new HashMap<>();
    private final Map<UUID, Run> runs = new HashMap<>();
    private volatile boolean alive;
    private volatile boolean closed;
    private volatile @Nullable Started current;
    private final Thread keeper;

    private static final class Run {
        private final String sandbox;
        private long ownedAt = System.nanoTime();
        private long heardAt = ownedAt;

        Run(String sandbox) {
            this.sandbox = sandbox;
        }
    }

    private Watchdog(Launcher launcher, Patience patience, List<String> command) {
        this.launcher = launcher;
        this.patience = patience;
        this.command = command;
        this.keeper = Thread.ofPlatform().daemon().name("watchdog-keeper").unstarted(this::keep);
    }

    /// @param folder where its class is put; readable by the agent only
    static Watchdog start(Launcher launcher, Path folder, Patience patience) throws IOException {
        Path classes = folder.resolve("watchdog");
        ClassFiles.copy(Watchdog.class, CLASSES, classes);
        var watchdog = new Watchdog(
                launcher,
                patience,
                List.of(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xmx16m",
                        "-Xss256k",
                        "-Xint",
                        "-XX:+UseSerialGC",
                        "-XX:-UsePerfData",
                        "-Xshare:auto",
                        "-cp",
                        classes.toString(),
                        "dev.vigil.agent.sandbox.WatchdogMain",
                        "" + patience.ownedWithin().toMillis(),
                        "" + patience.orphanGrace().toMillis()));
        watchdog.spawn();
        watchdog.keeper.start();
        return watchdog;
    }

    /// How long an execution may run that nobody calls owned.
    public record Patience(Duration ownedWithin, Duration orphanGrace) {}

    private Started spawn() throws IOException {
        Started started = launcher.call(() -> Started.start(launcher, command, Path.of("/dev/null")));
        Started.closeQuietly(started.gate());
        Started.closeQuietly(started.channel());
        current = started;
        return started;
    }

    private void keep() {
        try {
            while (true) {
                Started process = Objects.requireNonNull(current);
                Thread errors = Thread.ofPlatform().daemon().start(() -> repeatErrors(process));
                serve(process);
                alive = false;
                current = null;
                process.closeInputs();
                process.closeOutputs();
                int code = Libc.reap(process.pid());
                errors.join();
                if (closed) {
                    return;
                }
                LOG.log(System.Logger.Level.WARNING, "event=watchdog_ended code={0}; it is started again", code);
                Thread.sleep(AGAIN_MILLIS);
                spawn();
            }
        } catch (IOException | InterruptedException e) {
            LOG.log(System.Logger.Level.ERROR, "event=watchdog_lost nothing runs until the agent is restarted", e);
        }
    }

    /// Returns when the process has ended.
    private void serve(Started process) {
        synchronized (this) {
            orders.clear();
            orders.addAll(book());
        }
        Thread writer = Thread.ofPlatform().daemon().name("watchdog-writer").start(() -> write(process.stdin()));
        try (var answers = new BufferedReader(new InputStreamReader(process.stdout(), StandardCharsets.UTF_8))) {
            String line;
            while ((line = answers.readLine()) != null) {
                if (line.equals("ready")) {
                    alive = true;
                } else if (line.startsWith("killed\t")) {
                    killed.add(line.substring("killed\t".length()));
                    LOG.log(System.Logger.Level.WARNING, "event=watchdog_killed sandbox={0}", line.substring(7));
                }
            }
        } catch (IOException e) {
            LOG.log(System.Logger.Level.DEBUG, "event=watchdog_unreadable", e);
        }
        writer.interrupt();
    }

    private void write(OutputStream out) {
        try {
            while (true) {
                String order = orders.poll(TICK_MILLIS, TimeUnit.MILLISECONDS);
                var lines = new ArrayList<String>();
                lines.add(order == null ? "alive" : order);
                orders.drainTo(lines, 1_000);
                String text = lines.stream().map(line -> line + "\n").collect(Collectors.joining());
                out.write(text.getBytes(StandardCharsets.UTF_8));
                out.flush();
            }
        } catch (IOException | InterruptedException e) {
            LOG.log(System.Logger.Level.DEBUG, "event=watchdog_not_written", e);
        }
    }

    private static void repeatErrors(Started process) {
        try (var lines = new BufferedReader(new InputStreamReader(process.stderr(), StandardCharsets.UTF_8))) {
            String line;
            while ((line = lines.readLine()) != null) {
                LOG.log(System.Logger.Level.WARNING, "event=watchdog_says text={0}", line);
            }
        } catch (IOException e) {
            LOG.log(System.Logger.Level.DEBUG, "event=watchdog_unreadable", e);
        }
    }

    /// All that a new process must know.
    private List<String> book() {
        var lines = new ArrayList<String>();
        sandboxes.values().forEach(entry -> lines.add(line(entry)));
        long now = System.nanoTime();
        runs.forEach((execution, run) -> {
            lines.add("run\t" + execution + "\t" + run.sandbox);
            lines.add("owned\t" + execution + "\t" + millis(now - run.ownedAt));
            lines.add("down\t" + execution + "\t" + millis(now - run.heardAt));
        });
        return lines;
    }

    private static String line(WatchdogEntry entry) {
        return "sandbox\t" + entry.id() + "\t" + entry.pid() + "\t" + Pids.startOf(entry.pid())
                + entry.cgroups().stream().map(path -> "\t" + path).collect(Collectors.joining());
    }

    private static long millis(long nanos) {
        return TimeUnit.NANOSECONDS.toMillis(nanos);
    }

    private void order(String line) {
        if (!orders.offer(line)) {
            // It reads nothing any more: a new one learns everything from the book.
            LOG.log(System.Logger.Level.ERROR, "event=watchdog_stuck pid={0}; it is killed and started again", pid());
            if (pid() > 1) {
                Pids.signal(pid(), Libc.SIGKILL);
            }
        }
    }

    /// True while the process watches.
    public boolean alive() {
        return alive;
    }

    /// 0 while it is down.
    int pid() {
        Started process = current;
        return process == null ? 0 : process.pid();
    }

    synchronized void watch(WatchdogEntry entry) {
        sandboxes.put(entry.id(), entry);
        order(line(entry));
    }

    synchronized void forget(String sandbox) {
        sandboxes.remove(sandbox);
        order("forget\t" + sandbox);
    }

    /// From now on the sandbox works for this execution, which counts as owned at this moment.
    public synchronized void begin(UUID execution, SandboxProcess sandbox) {
        runs.put(execution, new Run(sandbox.id()));
        order("run\t" + execution + "\t" + sandbox.id());
    }

    public synchronized void end(UUID execution) {
        runs.remove(execution);
        order("end\t" + execution);
    }

    /// Whether the watchdog killed this sandbox. It says so before it kills.
    public boolean killed(SandboxProcess sandbox) {
        return killed.contains(sandbox.id());
    }

    /// Somebody owns these executions, as of `age` ago.
    public synchronized void owned(Collection<UUID> executions, Duration age) {
        long at = System.nanoTime() - age.toNanos();
        for (UUID execution : executions) {
            Run run = runs.get(execution);
            if (run != null) {
                run.ownedAt = Math.max(run.ownedAt, at);
                run.heardAt = Math.max(run.heardAt, at);
                order("owned\t" + execution + "\t" + age.toMillis());
            }
        }
    }

    /// Somebody would own these executions but has no database, as of `age` ago.
    public synchronized void databaseDown(Collection<UUID> executions, Duration age) {
        long at = System.nanoTime() - age.toNanos();
        for (UUID execution : executions) {
            Run run = runs.get(execution);
            if (run != null) {
                run.heardAt = Math.max(run.heardAt, at);
                order("down\t" + execution + "\t" + age.toMillis());
            }
        }
    }

    /// Whether nobody has spoken of this execution for so long that the watchdog kills it now, if it has not yet.
    public synchronized boolean lapsed(UUID execution) {
        Run run = runs.get(execution);
        long now = System.nanoTime();
        return run != null
                && (now - run.heardAt > patience.ownedWithin().toNanos()
                        || now - run.ownedAt > patience.orphanGrace().toNanos());
    }

    /// Ends the process; whatever it still knows is killed by it first.
    @Override
    public void close() {
        closed = true;
        Started process = current;
        if (process != null) {
            Started.closeQuietly(process.stdin());
        }
        try {
            if (!keeper.join(Duration.ofSeconds(5))) {
                LOG.log(System.Logger.Level.WARNING, "event=watchdog_not_ended pid={0}", pid());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
