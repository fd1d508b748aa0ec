package dev.vigil.platform;

import dev.vigil.agent.link.AgentLink;
import dev.vigil.agent.link.LinkSettings;
import dev.vigil.protocol.identity.IdentityException;
import dev.vigil.protocol.identity.IdentityKeeper;
import dev.vigil.protocol.identity.IdentitySettings;
import dev.vigil.protocol.link.NonceWitness;
import java.io.BufferedReader;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// The worker of the benchmark: the identity, link and cryptography of the real one, and a handler that runs in the
/// process itself and does nothing but tell when it started. Ends with its standard input.
final class BenchWorker {
    /// Private folder of its certificate.
    static final String STATE = "state";

    /// Worker port of the API.
    static final String API = "api";

    static final String NAME = "name";
    static final String TOKEN = "token";
    static final String CA_PIN = "ca-pin";

    /// Port on the loopback interface that hears of starts.
    static final String REPORTS = "reports";

    /// Begin to take executions; answered once a core has it.
    static final String START = "start";

    /// Take no more; answered once all that was taken is stored as over.
    static final String STOP = "stop";

    /// Executions at once, and as many beyond them.
    static final int SLOTS = Integer.getInteger("vigil.bench.slots", 1_000);

    private static final Duration PATIENCE = Duration.ofSeconds(20);
    private static final Duration CORES_ASKED_EVERY = Duration.ofSeconds(1);

    private final IdentityKeeper keeper;
    private final URI api;
    private final StartReports reports;
    private final InstantSource clock;
    private @Nullable NoOpRunner runner;
    private @Nullable AgentLink link;

    private BenchWorker(IdentityKeeper keeper, URI api, StartReports reports, InstantSource clock) {
        this.keeper = keeper;
        this.api = api;
        this.reports = reports;
        this.clock = clock;
    }

    /// Reads its settings, then commands, from standard input.
    static void main(String[] args) throws IOException, IdentityException, InterruptedException {
        System.setProperty("logback.configurationFile", "bench-log.xml");
        var in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        var out = new PrintStream(new FileOutputStream(FileDescriptor.out), true, StandardCharsets.UTF_8);
        Map<String, String> settings = Child.receive(in);
        InstantSource clock = InstantSource.system();
        URI api = URI.create(setting(settings, API));
        var identity = new IdentitySettings(
                Path.of(setting(settings, STATE)),
                api,
                setting(settings, NAME),
                setting(settings, TOKEN),
                setting(settings, CA_PIN));
        try (IdentityKeeper keeper = IdentityKeeper.await(identity, clock);
                var reports = new StartReports(Integer.parseInt(setting(settings, REPORTS)))) {
            var worker = new BenchWorker(keeper, api, reports, clock);
            for (String line = in.readLine(); line != null; line = in.readLine()) {
                worker.obey(line);
                out.println(line + " " + reports.told());
            }
            worker.stop();
        }
        System.exit(0);
    }

    private static String setting(Map<String, String> settings, String name) {
        return Objects.requireNonNull(settings.get(name), name);
    }

    private void obey(String command) throws IOException, InterruptedException {
        switch (command) {
            case START -> start();
            case STOP -> stop();
            default -> throw new IOException("there is no command " + command);
        }
    }

    private void start() throws IOException {
        var starting = new NoOpRunner(SLOTS, reports, clock);
        var opened = new AgentLink(
                new AgentLink.Parts(keeper, api, starting, clock),
                new LinkSettings(SLOTS, "bench", CORES_ASKED_EVERY, NonceWitness.NONE));
        runner = starting;
        link = opened;
        opened.start();
        if (Polling.until(PATIENCE, () -> opened.connected() > 0 ? Optional.of(true) : Optional.empty())
                .isEmpty()) {
            throw new IOException("no core after " + PATIENCE);
        }
    }

    private void stop() throws IOException, InterruptedException {
        AgentLink ending = link;
        link = null;
        if (ending == null || runner == null) {
            return;
        }
        boolean over = ending.drain(PATIENCE);
        runner.close();
        ending.close();
        if (!over) {
            throw new IOException("not all that was taken was over after " + PATIENCE);
        }
    }
}
