package dev.vigil.agent.sandbox;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.ReentrantLock;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// One sandbox and everything that runs in it.
public final class SandboxProcess implements AutoCloseable {
    private static final System.Logger LOG = System.getLogger(SandboxProcess.class.getName());
    /// How long the sandbox's own front may take to notice that its inside is gone, before it is killed as well.
    private static final long FRONT_MILLIS = 100;

    private static final Duration PATIENCE = Duration.ofSeconds(2);
    private static final int LAST_WORDS = 1_000;
    private static final Pattern CHILD = Pattern.compile("\"child-pid\": *([0-9]{1,9})");
    private static final String BUBBLEWRAP = "bwrap";
    /// The processes that have a thread waiting for them; nobody else reaps those.
    private static final Set<Integer> FRONTS = ConcurrentHashMap.newKeySet();

    private final String id;
    private final Started started;
    private final Optional<Cgroup> cgroup;
    private final Interior interior;
    private final CompletableFuture<Integer> exit = new CompletableFuture<>();
    private final CompletableFuture<Boolean> gone = new CompletableFuture<>();
    private final ReentrantLock lock = new ReentrantLock();
    private volatile long memoryKills;
    private boolean reaped;
    private boolean ending;

    /// What belongs to a sandbox besides its processes.
    ///
    /// @param secrets   where its secrets are written
    /// @param cleanUp   gives back its user id and its folder; runs once, when nothing of it is left
    record Interior(TaskFolder secrets, boolean fronted, Runnable cleanUp) {}

    SandboxProcess(String id, Started started, Optional<Cgroup> cgroup, Interior interior) {
        this.id = id;
        this.started = started;
        this.cgroup = cgroup;
        this.interior = interior;
        FRONTS.add(started.pid());
        Thread.ofPlatform().daemon().name("sandbox-wait-" + id).start(this::await);
    }

    private void await() {
        int code = -1;
        try {
            Libc.awaitEnd(started.pid());
            lock.lock();
            try {
                code = Libc.reap(started.pid());
                reaped = true;
                FRONTS.remove(started.pid());
            } finally {
                lock.unlock();
            }
        } catch (IOException e) {
            LOG.log(System.Logger.Level.ERROR, "event=sandbox_not_awaited sandbox=" + id, e);
        }
        exit.complete(code);
    }

    public String id() {
        return id;
    }

    /// Lets its program start.
    ///
    /// @throws IOException when the sandbox did not come up; the message is what it said
    public void release() throws IOException {
        try (OutputStream gate = started.gate()) {
            gate.write('\n');
        } catch (IOException e) {
            kill();
            String said = new String(started.stderr().readNBytes(LAST_WORDS), StandardCharsets.UTF_8).strip();
            throw new IOException("the sandbox did not come up: " + said, e);
        }
    }

    /// The agent's end of `VIGIL_FD`.
    public SocketChannel channel() {
        return started.channel();
    }

    public OutputStream stdin() {
        return started.stdin();
    }

    public Output stdout() {
        return started.stdout();
    }

    public Output stderr() {
        return started.stderr();
    }

    /// The exit code of the program, 128 + signal if it was killed by one. The whole inside is dead by then.
    public CompletableFuture<Integer> exit() {
        return exit.copy();
    }

    /// Writes secrets where only this sandbox reads them.
    ///
    /// @return name to the path that the program finds it at
    public Map<String, String> putSecrets(Map<String, byte[]> secrets) throws IOException {
        return interior.secrets().put(secrets);
    }

    /// Removes the secrets of an execution before the next one.
    public void clearSecrets() throws IOException {
        interior.secrets().clear();
    }

    /// Sends SIGTERM to everything inside, the sandbox's own two processes excepted: those would take all with
    /// them.
    public void terminate() {
        List<Integer> all = Pids.descendants(started.pid());
        if (!interior.fronted()) {
            signalFront(Libc.SIGTERM);
        }
        // The front's first child is pid 1 inside.
        all.stream().skip(interior.fronted() ? 1 : 0).forEach(pid -> Pids.signal(pid, Libc.SIGTERM));
    }

    /// Kills everything in it and waits until it is gone: reaped, its control groups empty and removed. May be
    /// called often and by several threads.
    ///
    /// @return false only when the kernel did not let go of a process within two seconds
    public boolean kill() {
        lock.lock();
        try {
            if (ending) {
                return awaitGone();
            }
            ending = true;
        } finally {
            lock.unlock();
        }
        boolean ended = end();
        started.closeInputs();
        interior.cleanUp().run();
        gone.complete(ended);
        return ended;
    }

    /// Kills it and gives up its output too, which can be read until then.
    @Override
    public void close() {
        kill();
        started.closeOutputs();
    }

    private boolean awaitGone() {
        lock.unlock();
        try {
            return gone.join();
        } finally {
            lock.lock();
        }
    }

    private boolean end() {
        // bwrap's child is pid 1 inside: with it the kernel kills the rest, and the front, still alive, reaps it.
        List<Integer> inside = interior.fronted() ? Pids.children(started.pid()) : Pids.descendants(started.pid());
        inside.forEach(pid -> Pids.signal(pid, Libc.SIGKILL));
        if (inside.isEmpty() || !interior.fronted() || !exitsWithin(FRONT_MILLIS)) {
            signalFront(Libc.SIGKILL);
        }
        memoryKills = cgroup.map(Cgroup::oomKills).orElse(0L);
        boolean emptied = cgroup.map(Cgroups::empty).orElse(true);
        boolean exited = exitsWithin(PATIENCE.toMillis());
        // The front may end before its child does, by itself or by our signal: then the child is ours to reap. Once
        // pid 1 of a process namespace is reaped, nothing of that namespace is left.
        boolean reapedAll = interior.fronted()
                ? first().map(Pids::awaitReaped).orElseGet(() -> Pids.reapOrphans(BUBBLEWRAP, FRONTS))
                : inside.stream().allMatch(Pids::awaitReaped);
        if (!(emptied && exited && reapedAll)) {
            LOG.log(
                    System.Logger.Level.ERROR,
                    "event=sandbox_not_gone sandbox={0} emptied={1} exited={2}; the kernel holds a process of it",
                    id,
                    emptied,
                    exited);
        }
        return emptied && exited && reapedAll;
    }

    /// The number of pid 1 inside, as bwrap reported it; empty when it had not come that far.
    private Optional<Integer> first() {
        try {
            int waiting = started.info().available();
            String told = new String(started.info().readNBytes(waiting), StandardCharsets.US_ASCII);
            Matcher number = CHILD.matcher(told);
            return number.find() ? Optional.of(Integer.valueOf(number.group(1))) : Optional.empty();
        } catch (IOException e) {
            return Optional.empty();
        }
    }

    private void signalFront(int signal) {
        lock.lock();
        try {
            if (!reaped) { // until it is reaped its number cannot be another's
                Pids.signal(started.pid(), signal);
            }
        } finally {
            lock.unlock();
        }
    }

    private boolean exitsWithin(long millis) {
        try {
            exit.get(millis, TimeUnit.MILLISECONDS);
            return true;
        } catch (TimeoutException e) {
            return false;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return exit.isDone();
        } catch (ExecutionException e) {
            return true; // never: exit is completed with values only
        }
    }

    /// True when the kernel killed something in it for want of memory. Only known with control groups.
    public boolean outOfMemory() {
        return memoryKills > 0 || cgroup.map(Cgroup::oomKills).orElse(0L) > 0;
    }

    /// What the watchdog must know to end it without the agent.
    WatchdogEntry watchdogEntry() {
        return new WatchdogEntry(id, started.pid(), cgroup.map(Cgroup::folders).orElse(List.of()));
    }
}
