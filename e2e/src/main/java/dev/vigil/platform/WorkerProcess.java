package dev.vigil.platform;

import dev.vigil.bench.Contestant.StartListener;
import java.io.BufferedInputStream;
import java.io.BufferedReader;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/// A [BenchWorker] in a process of its own: told what to do through its standard input, it answers on its standard
/// output and tells when tasks start through a socket on the loopback interface.
final class WorkerProcess implements AutoCloseable {
    private static final Duration HEARD_WITHIN = Duration.ofSeconds(20);
    private static final long END_SECONDS_MAX = StartCache.training() ? 120 : 10;
    private static final String START_CACHE = "bench-worker";
    private static final int HEAP_MEGABYTES = 512;

    private final Process process;
    private final BufferedReader answers;
    private final ServerSocket reports;
    private final AtomicLong heard = new AtomicLong();

    private WorkerProcess(Process process, ServerSocket reports) {
        this.process = process;
        this.answers = process.inputReader(StandardCharsets.UTF_8);
        this.reports = reports;
    }

    /// @param settings as [BenchWorker] names them, but for the port
    /// @param listener hears of each task that starts
    static WorkerProcess start(Map<String, String> settings, StartListener listener) throws IOException {
        var reports = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
        var command = new ArrayList<String>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(StartCache.flags(START_CACHE));
        command.addAll(List.of(
                "-XX:+UseSerialGC",
                "--enable-native-access=ALL-UNNAMED",
                "--sun-misc-unsafe-memory-access=allow",
                "-Xmx" + HEAP_MEGABYTES + "m",
                "-cp",
                System.getProperty("java.class.path"),
                BenchWorker.class.getName()));
        Process process = new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        var all = new HashMap<>(settings);
        all.put(BenchWorker.REPORTS, String.valueOf(reports.getLocalPort()));
        Child.send(all, process.getOutputStream());
        var worker = new WorkerProcess(process, reports);
        Thread.ofPlatform().daemon().name("bench-reports").start(() -> worker.listen(listener));
        return worker;
    }

    private void listen(StartListener listener) {
        try (Socket socket = reports.accept();
                var in = new DataInputStream(new BufferedInputStream(socket.getInputStream()))) {
            while (true) {
                listener.started(in.readLong(), in.readLong());
                heard.incrementAndGet();
            }
        } catch (EOFException end) {
            LOG.log(System.Logger.Level.DEBUG, "the worker ended", end);
        } catch (IOException failure) {
            LOG.log(System.Logger.Level.WARNING, "event=reports_broken", failure);
        }
    }

    private static final System.Logger LOG = System.getLogger(WorkerProcess.class.getName());

    /// Has a command carried out, and waits until every start that it knows of is heard here.
    void tell(String command) throws IOException {
        process.getOutputStream().write((command + "\n").getBytes(StandardCharsets.UTF_8));
        process.getOutputStream().flush();
        String answer = answers.readLine();
        if (answer == null || !answer.startsWith(command + " ")) {
            throw new IOException("the worker answered " + answer + " to " + command + "; standard error says why");
        }
        long told = Long.parseLong(answer.substring(command.length() + 1));
        if (Polling.until(HEARD_WITHIN, () -> heard.get() >= told ? Optional.of(true) : Optional.empty())
                .isEmpty()) {
            throw new IOException("the worker started " + told + " tasks, of which " + heard.get() + " are known");
        }
    }

    @Override
    public void close() {
        try {
            process.getOutputStream().close();
            if (!process.waitFor(END_SECONDS_MAX, TimeUnit.SECONDS)) {
                process.destroyForcibly().waitFor();
            }
            reports.close();
        } catch (IOException failure) {
            LOG.log(System.Logger.Level.WARNING, "event=worker_not_ended", failure);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
