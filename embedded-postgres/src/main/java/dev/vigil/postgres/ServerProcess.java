package dev.vigil.postgres;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;

/// Keeps one server running: a platform thread of its own starts it, waits for its end and starts it again.
///
/// It must be that one thread, and a platform thread: the kernel ends the server with the *thread* that started it.
final class ServerProcess implements AutoCloseable {
    static final String HOST = "127.0.0.1";

    private static final System.Logger LOG = System.getLogger(ServerProcess.class.getName());
    private static final Duration READY_WITHIN = Duration.ofSeconds(90);
    private static final Duration PREDECESSOR_GONE_WITHIN = Duration.ofSeconds(30);
    private static final Duration SHARED_MEMORY_FREE_WITHIN = Duration.ofSeconds(10);
    private static final Duration FAST_STOP_WITHIN = Duration.ofSeconds(20);
    private static final long PAUSE_MILLIS_MAX = 5_000;

    private final Cluster cluster;
    private final int port;
    private final Map<String, String> overrides;
    private final Consumer<ProcessHandle> started;
    private final CompletableFuture<ProcessHandle> firstReady = new CompletableFuture<>();
    private final Thread thread;
    private volatile boolean closing;

    private ServerProcess(Cluster cluster, int port, Map<String, String> overrides, Consumer<ProcessHandle> started) {
        this.cluster = cluster;
        this.port = port;
        this.overrides = overrides;
        this.started = started;
        this.thread = Thread.ofPlatform().daemon().name("postgres-" + port).unstarted(this::keepRunning);
    }

    static ServerProcess start(Cluster cluster, PostgresSettings settings, Consumer<ProcessHandle> started)
            throws IOException {
        var process = new ServerProcess(cluster, checkedPort(settings.port()), settings.overrides(), started);
        process.thread.start();
        try {
            process.firstReady.get(READY_WITHIN.plus(PREDECESSOR_GONE_WITHIN).toMillis(), TimeUnit.MILLISECONDS);
            return process;
        } catch (ExecutionException failed) {
            process.close();
            Throwable cause = Objects.requireNonNullElse(failed.getCause(), failed);
            throw new PostgresStartException(String.valueOf(cause.getMessage()), cause);
        } catch (TimeoutException slow) {
            process.close();
            throw new PostgresStartException("PostgreSQL is not ready; " + cluster.lastWords(), slow);
        } catch (InterruptedException interrupted) {
            process.close();
            Thread.currentThread().interrupt();
            throw new PostgresStartException("interrupted while PostgreSQL started", interrupted);
        }
    }

    private static int checkedPort(int wanted) {
        if (wanted == 0) {
            return FreePort.pick();
        }
        if (!FreePort.isFree(wanted)) {
            throw new PostgresStartException(
                    "port " + wanted + " on " + HOST + " is taken; give PostgreSQL another port");
        }
        return wanted;
    }

    int port() {
        return port;
    }

    ProcessHandle handle() {
        try {
            return pidFile()
                    .living()
                    .orElseThrow(
                            () -> new IllegalStateException("PostgreSQL is not running now; see " + cluster.log()));
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }

    private PidFile pidFile() {
        return PidFile.of(cluster.data());
    }

    private void keepRunning() {
        long pause = 50;
        while (!closing) {
            long started = System.nanoTime();
            try {
                awaitPredecessor();
                int status = runOnce();
                if (!closing) {
                    LOG.log(System.Logger.Level.WARNING, "event=postgres_ended status={0} it is started again", status);
                }
            } catch (IOException | PostgresStartException failure) {
                if (firstReady.completeExceptionally(failure)) {
                    return;
                }
                LOG.log(System.Logger.Level.ERROR, "event=postgres_not_restarted it is tried again", failure);
            } catch (InterruptedException closed) {
                return;
            }
            boolean ranForAWhile =
                    System.nanoTime() - started > Duration.ofSeconds(10).toNanos();
            pause = ranForAWhile ? 50 : Math.min(PAUSE_MILLIS_MAX, pause * 2);
            if (closing || !rest(pause)) {
                return;
            }
        }
    }

    private static boolean rest(long millis) {
        try {
            TimeUnit.MILLISECONDS.sleep(millis);
            return true;
        } catch (InterruptedException closed) {
            return false;
        }
    }

    /// A server whose parent was just killed is still ending: wait for it, then make it end.
    private void awaitPredecessor() throws IOException {
        var patience = new Patience(PREDECESSOR_GONE_WITHIN);
        var predecessor = pidFile().living();
        while (predecessor.isPresent() && patience.pause()) {
            predecessor = pidFile().living();
        }
        predecessor.ifPresent(ProcessHandle::destroyForcibly);
        Files.deleteIfExists(pidFile().file());
    }

    /// Starts the server and returns its exit status. While processes of a killed predecessor hold its shared memory
    /// the server refuses to start; that passes.
    private int runOnce() throws IOException, InterruptedException {
        var patience = new Patience(SHARED_MEMORY_FREE_WITHIN);
        while (true) {
            long logged = Files.exists(cluster.log()) ? Files.size(cluster.log()) : 0;
            Process process = cluster.run("postgres", arguments());
            if (becameReady(process)) {
                started.accept(handle());
                firstReady.complete(process.toHandle());
                return process.waitFor();
            }
            process.destroyForcibly();
            int status = process.waitFor();
            if (!heldBack(logged) || !patience.pause()) {
                throw new PostgresStartException("PostgreSQL ended with " + status + "; " + cluster.lastWords());
            }
        }
    }

    private boolean becameReady(Process process) throws IOException {
        var patience = new Patience(READY_WITHIN);
        while (process.isAlive() && !closing) {
            if (pidFile().ready()) {
                return true;
            }
            if (!patience.pause()) {
                return false;
            }
        }
        return false;
    }

    private boolean heldBack(long logged) throws IOException {
        try (var log = Files.newInputStream(cluster.log())) {
            log.skipNBytes(logged);
            return new String(log.readAllBytes(), StandardCharsets.UTF_8).contains("pre-existing shared memory block");
        }
    }

    private List<String> arguments() {
        var settings = new LinkedHashMap<String, String>();
        settings.put("listen_addresses", HOST);
        settings.put("port", Integer.toString(port));
        settings.put("unix_socket_directories", "");
        settings.put("fsync", "on");
        settings.put("synchronous_commit", "on");
        settings.put("full_page_writes", "on");
        settings.put("max_connections", "100");
        settings.put("shared_buffers", "64MB");
        settings.put("max_wal_size", "512MB");
        settings.put("jit", "off");
        settings.put("tcp_user_timeout", "5000");
        settings.put("timezone", "UTC");
        settings.put("log_timezone", "UTC");
        settings.put("log_line_prefix", "%m [%p] %q%u@%d ");
        // A refused statement may hold a password or a person's data in its text: the log names the error only.
        settings.put("log_min_error_statement", "panic");
        settings.put("log_parameter_max_length_on_error", "0");
        settings.put("log_checkpoints", "off");
        settings.putAll(overrides);
        Path seen = cluster.account().clusterSeen().resolve("data");
        var arguments = new ArrayList<>(List.of("-D", seen.toString()));
        settings.forEach((name, value) -> arguments.addAll(List.of("-c", name + "=" + value)));
        return arguments;
    }

    @Override
    public void close() {
        closing = true;
        try {
            var running = pidFile().living();
            if (running.isPresent()) {
                stop(running.get());
            }
            thread.interrupt();
            thread.join(Duration.ofSeconds(5));
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /// INT is PostgreSQL's fast stop: open transactions are rolled back, a checkpoint is written.
    private static void stop(ProcessHandle server) throws IOException, InterruptedException {
        new ProcessBuilder("/bin/sh", "-c", "kill -INT " + server.pid()).start().waitFor();
        try {
            server.onExit().get(FAST_STOP_WITHIN.toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException | ExecutionException stuck) {
            LOG.log(System.Logger.Level.WARNING, "event=postgres_killed it did not stop within {0}", FAST_STOP_WITHIN);
            server.destroyForcibly();
        }
    }
}
