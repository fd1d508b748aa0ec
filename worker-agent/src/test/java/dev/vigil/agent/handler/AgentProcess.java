package dev.vigil.agent.handler;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.TimeUnit;

/// An agent in a process of its own, so that it can be killed and stopped. Its one handler, `stubborn`, runs until
/// it is killed. It prints `up` when the handler runs, and the outcome when there is one.
final class AgentProcess implements AutoCloseable {
    private final Process process;
    private final BufferedReader lines;

    private AgentProcess(Process process) {
        this.process = process;
        this.lines = process.inputReader(StandardCharsets.UTF_8);
    }

    /// @param folder of [Workplace.Folders] with a handler `stubborn`
    /// @param token  given to the handler, which shows it in its arguments
    static AgentProcess start(Path folder, String token, Duration ownedWithin) throws IOException {
        var builder = new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx64m",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                System.getProperty("java.class.path"),
                AgentProcess.class.getName(),
                folder.toString(),
                "" + ownedWithin.toMillis());
        builder.redirectError(ProcessBuilder.Redirect.INHERIT);
        var agent = new AgentProcess(builder.start());
        agent.say(token);
        return agent;
    }

    /// Runs in the other process.
    public static void main(String[] arguments) throws Exception {
        var folders = Workplace.in(Path.of(arguments[0]));
        Duration ownedWithin = Duration.ofMillis(Long.parseLong(arguments[1]));
        try (Workplace workplace = folders.open(false, ownedWithin, ownedWithin.multipliedBy(4));
                var orders = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8))) {
            ExecutionRequest request = Workplace.request("stubborn", "{\"token\":\"" + orders.readLine() + "\"}");
            Attempt attempt = workplace.runner().run(request, new RunListener() {
                @Override
                public void progress(UUID execution, double fraction, String message) {
                    print("up");
                }
            });
            Thread.startVirtualThread(
                    () -> print(Workplace.outcome(attempt).getClass().getSimpleName()));
            while (orders.readLine() != null) {
                workplace.runner().ownership().owned(List.of(request.execution()), Duration.ZERO);
            }
        }
    }

    private static void print(String line) {
        System.out.println(line);
    }

    private void say(String line) throws IOException {
        process.outputWriter().write(line + "\n");
        process.outputWriter().flush();
    }

    /// Waits for a line of it.
    String next() throws IOException {
        return String.valueOf(lines.readLine());
    }

    /// Lets it hear that its execution is owned.
    void owned() throws IOException {
        say("owned");
    }

    void signal(String name) throws IOException, InterruptedException {
        new ProcessBuilder("/bin/sh", "-c", "kill -" + name + " " + process.pid())
                .start()
                .waitFor();
    }

    boolean ends() throws InterruptedException {
        return process.waitFor(20, TimeUnit.SECONDS);
    }

    @Override
    public void close() {
        process.destroyForcibly().onExit().join();
    }
}
