package dev.vigil.agent.handler;

import dev.vigil.agent.handler.HandlerProcess.Event;
import dev.vigil.agent.sandbox.Sandbox;
import dev.vigil.agent.sandbox.SandboxOrder;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// The processes of one program for one namespace. Pooled ones wait here between attempts, after their hello; of
/// fresh ones at most one waits, its sandbox ready and its program not started. Safe for use by several threads.
final class HandlerPool implements AutoCloseable {
    private static final System.Logger LOG = System.getLogger(HandlerPool.class.getName());
    private static final long HELLO_NANOS = TimeUnit.SECONDS.toNanos(10);
    private static final long EXIT_NANOS = TimeUnit.SECONDS.toNanos(1);
    private static final int SERVED_MAX = 10_000;
    private static final long AGE_MAX_NANOS = TimeUnit.HOURS.toNanos(1);
    private static final long IDLE_MAX_NANOS = TimeUnit.MINUTES.toNanos(5);
    private static final Duration FIRST_BACK_OFF = Duration.ofMillis(200);
    private static final Duration LONGEST_BACK_OFF = Duration.ofSeconds(30);

    private final Sandbox sandbox;
    private final SandboxOrder order;
    private final Isolation isolation;
    private final String name;
    private final ArrayDeque<HandlerProcess> waiting = new ArrayDeque<>();
    private int failures;
    private long closedUntil = System.nanoTime();
    private String lastFailure = "";
    private boolean closed;

    /// @param name for logs
    HandlerPool(String name, Isolation isolation, Sandbox sandbox, SandboxOrder order) {
        this.name = name;
        this.isolation = isolation;
        this.sandbox = sandbox;
        this.order = order;
    }

    Isolation isolation() {
        return isolation;
    }

    /// A process for one attempt, or why there is none.
    sealed interface Taken {
        record Ready(HandlerProcess process) implements Taken {}

        /// None could be started.
        ///
        /// @param again when it is worth another try
        record Failed(String why, Duration again) implements Taken {}
    }

    /// Takes a process that waits, or starts one. A pooled one has said hello.
    Taken take() {
        HandlerProcess ready = waiting();
        if (ready != null) {
            return new Taken.Ready(ready);
        }
        synchronized (this) {
            long left = closedUntil - System.nanoTime();
            if (failures > 0 && left > 0) {
                return new Taken.Failed(lastFailure, Duration.ofNanos(left));
            }
        }
        return start();
    }

    private @Nullable HandlerProcess waiting() {
        while (true) {
            HandlerProcess process;
            synchronized (this) {
                process = waiting.pollFirst();
            }
            if (process == null) {
                return null;
            }
            boolean usable = process.quiet() && !process.sandbox().exit().isDone();
            if (usable) {
                return process;
            }
            LOG.log(System.Logger.Level.WARNING, "event=idle_handler_lost handler={0}; it is replaced", name);
            discard(process);
        }
    }

    private Taken start() {
        HandlerProcess process = null;
        try {
            process = prepare();
            if (isolation == Isolation.POOLED) {
                process.open();
                process.endStdin();
                greet(process);
            }
            synchronized (this) {
                failures = 0;
            }
            return new Taken.Ready(process);
        } catch (IOException | InterruptedException e) {
            if (process != null) {
                process.kill();
            }
            return failed(e);
        }
    }

    private HandlerProcess prepare() throws IOException {
        return new HandlerProcess(sandbox.start(order));
    }

    private void greet(HandlerProcess process) throws IOException, InterruptedException {
        Event event = process.await(HELLO_NANOS);
        if (event instanceof Event.Silent) {
            event = process.await(EXIT_NANOS); // its exit says more
        }
        switch (event) {
            case Event.Line(HandlerLine.Hello(List<String> handlers)) -> process.greeted(handlers);
            case null -> throw new IOException(lastWords(process, "it said nothing for 10 s, or closed its channel"));
            case Event.Line(HandlerLine.Malformed(String why)) -> throw new IOException("its first line is " + why);
            case Event.Line line -> throw new IOException("its first line is no hello");
            case Event.Flooded(String code, String what) -> throw new IOException(what);
            case Event.Exited(int code) -> throw new IOException(lastWords(process, "it ended with exit code " + code));
            case Event.Silent silent -> throw new IllegalStateException("a channel closes once");
            case Event.Cancel cancel -> throw new IllegalStateException("no attempt has this process yet");
            case Event.Abandon abandon -> throw new IOException("the worker is closing");
        }
    }

    private static String lastWords(HandlerProcess process, String what) {
        process.kill(); // so that its last words are complete
        String words = process.lastWords();
        return what + " before a hello" + (words.isEmpty() ? "" : "; the end of its stderr:\n" + words);
    }

    private synchronized Taken failed(Exception cause) {
        failures++;
        Duration wait = FIRST_BACK_OFF.multipliedBy(1L << Math.min(failures - 1, 16));
        Duration again = wait.compareTo(LONGEST_BACK_OFF) > 0 ? LONGEST_BACK_OFF : wait;
        closedUntil = System.nanoTime() + again.toNanos();
        lastFailure = "no process of it started: " + cause.getMessage();
        LOG.log(
                System.Logger.Level.WARNING,
                "event=handler_not_started handler={0} failures={1} again={2}",
                name,
                failures,
                again);
        return new Taken.Failed(lastFailure, again);
    }

    /// Starts one ahead of need, in the calling thread.
    void warm() {
        try {
            if (isolation == Isolation.POOLED) {
                if (start() instanceof Taken.Ready(HandlerProcess process)) {
                    keep(process);
                }
            } else if (isEmpty()) {
                keep(prepare());
            }
        } catch (IOException e) {
            LOG.log(System.Logger.Level.WARNING, "event=handler_not_warmed handler=" + name, e);
        }
    }

    private synchronized boolean isEmpty() {
        return waiting.isEmpty() && !closed;
    }

    /// Takes back a pooled process that answered in good order.
    void giveBack(HandlerProcess process) {
        process.hearLogs((stream, bytes) -> {});
        if (process.answered() >= SERVED_MAX || process.ageNanos() > AGE_MAX_NANOS) {
            discard(process);
        } else {
            keep(process);
        }
    }

    private void keep(HandlerProcess process) {
        synchronized (this) {
            if (!closed) {
                waiting.addFirst(process);
                return;
            }
        }
        process.kill();
    }

    private static void discard(HandlerProcess process) {
        Thread.startVirtualThread(process::kill);
    }

    /// Ends processes that nobody needed for a while.
    void sweep() {
        var old = new ArrayList<HandlerProcess>();
        synchronized (this) {
            waiting.removeIf(process -> {
                boolean unused = process.idleNanos() > IDLE_MAX_NANOS;
                if (unused) {
                    old.add(process);
                }
                return unused;
            });
        }
        old.forEach(HandlerProcess::kill);
    }

    @Override
    public void close() {
        List<HandlerProcess> all;
        synchronized (this) {
            closed = true;
            all = List.copyOf(waiting);
            waiting.clear();
        }
        all.forEach(HandlerProcess::kill);
    }
}
