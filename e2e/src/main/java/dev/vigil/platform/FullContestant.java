package dev.vigil.platform;

import dev.vigil.bench.BenchDatabase;
import dev.vigil.bench.Contestant;
import dev.vigil.bench.Starts;
import dev.vigil.postgres.Folders;
import dev.vigil.protocol.id.Id;
import dev.vigil.protocol.id.Kind;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.json.JsonMapper;

/// All of Vigil: creates over REST with a token, sealed payloads, the default link, a worker in a process of its own,
/// and the audit trail, which stands in a signed checkpoint before anything counts as over. The process that installs
/// it runs API, core and audit-service as `./vigil dev` does; each process that executes has a worker.
final class FullContestant implements Contestant {
    private static final int BULK = 10_000;
    private static final int BULK_CALLERS = 2;
    private static final int REQUESTS_PER_MINUTE = 10_000_000;
    private static final Duration SEQUENCED_WITHIN = Duration.ofMinutes(2);
    private static final JsonMapper JSON = JsonMapper.shared();

    private final DataFolder folder;
    private final OtherServer server;
    private final BenchDatabase database;
    private final InstantSource clock;
    private @Nullable Platform platform;
    private @Nullable Ready ready;
    private @Nullable BenchCaller caller;
    private @Nullable WorkerProcess worker;

    FullContestant(DataFolder folder, OtherServer server, BenchDatabase database, InstantSource clock) {
        this.folder = folder;
        this.server = server;
        this.database = database;
        this.clock = clock;
    }

    @Override
    public String version() {
        return "vigil full";
    }

    @Override
    public Map<String, Object> config() {
        return Map.of(
                "rest",
                "HTTP/1.1, JWT",
                "sealed",
                "AES-256-GCM",
                "audit",
                "signed checkpoint",
                "slots",
                BenchWorker.SLOTS);
    }

    /// Starts the services on the empty database. Nothing of an earlier run stays but the passwords of the roles, which
    /// are the server's.
    @Override
    public void install() throws IOException {
        emptyFolder();
        Path handler = folder.part("handlers/" + BenchCaller.HANDLER).resolve("handler.yaml");
        // What runs is the bench worker's own; here is what the API approves.
        Files.writeString(handler, """
                name: %s
                version: 1
                command: [/bin/false]
                isolation: pooled
                """.formatted(BenchCaller.HANDLER));
        platform = Platform.start(
                new PlatformSettings(
                        folder.dir(), 0, folder.dir().resolve("handlers"), true, 0, 1, false, server, folder.dir()),
                _ -> {});
        folder.writeReady(platform.ready());
        raiseRate(platform.ready());
    }

    private void emptyFolder() throws IOException {
        if (folder.wasUsed()) {
            String passwords = Files.readString(folder.rolePasswords());
            Trees.delete(folder.dir());
            Folders.createPrivate(folder.dir());
            Folders.writePrivate(folder.rolePasswords(), passwords);
        }
    }

    /// The benchmark's client alone may call as often as it can.
    private static void raiseRate(Ready ready) throws IOException {
        VigilClient client = client(ready);
        String id = client.get("/api/v1/me").expect(200).path("id").asString();
        VigilClient admin = admin(ready);
        URI api = URI.create(ready.url());
        try (var connection = new RestConnection(api.getPort())) {
            connection.call(
                    "PATCH /api/v1/users/" + id + " HTTP/1.1\r\nHost: " + api.getAuthority()
                            + "\r\nAuthorization: Bearer " + admin.token()
                            + "\r\nIf-Match: *\r\nContent-Type: application/merge-patch+json\r\n",
                    JSON.writeValueAsBytes(Map.of("requests_per_minute", REQUESTS_PER_MINUTE)));
        }
    }

    private static VigilClient client(Ready ready) {
        return VigilClient.ofClient(
                ready.url(), ready.client().clientId(), ready.client().clientSecret());
    }

    private static VigilClient admin(Ready ready) {
        return VigilClient.ofUser(
                ready.url(), ready.admin().username(), ready.admin().password());
    }

    @Override
    public void open() throws IOException {
        Ready found = JSON.readValue(Files.readString(folder.ready()), Ready.class);
        ready = found;
        caller = new BenchCaller(URI.create(found.url()), client(found).token());
    }

    private BenchCaller caller() {
        return Objects.requireNonNull(caller, "call open first");
    }

    @Override
    public void enqueue(NoOp task) throws IOException {
        caller().create(task);
    }

    @Override
    public void enqueueAll(List<NoOp> tasks) throws Exception {
        inParts(tasks.size(), (from, to) -> caller().createAll(tasks.subList(from, to)));
    }

    private interface Part {
        void create(int from, int to) throws IOException;
    }

    private static void inParts(int n, Part part) throws Exception {
        try (ExecutorService callers = Executors.newFixedThreadPool(BULK_CALLERS)) {
            var calls = new ArrayList<Future<?>>();
            int size = Math.max(1, Math.min(BULK, (n + BULK_CALLERS - 1) / BULK_CALLERS));
            for (int first = 0; first < n; first += size) {
                int from = first;
                int to = Math.min(n, first + size);
                calls.add(callers.submit(() -> {
                    part.create(from, to);
                    return Optional.empty();
                }));
            }
            for (Future<?> call : calls) {
                call.get();
            }
        }
    }

    @Override
    public void preload(int n) throws IOException {
        long tomorrow = Starts.micros(clock.instant().plus(1, ChronoUnit.DAYS));
        String model = caller().create(new NoOp(tomorrow, tomorrow));
        database.multiply(Id.parse(Kind.TASK, model).orElseThrow().uuid(), n - 1);
    }

    @Override
    public void start(StartListener listener) throws Exception {
        Ready found = Objects.requireNonNull(ready, "call open first");
        if (worker == null) {
            Registrar.Invitation invitation = new Registrar(admin(found)).invite("default");
            String name = "bench-" + ProcessHandle.current().pid();
            worker = WorkerProcess.start(
                    Map.of(
                            BenchWorker.STATE, folder.part("workers/" + name).toString(),
                            BenchWorker.API, found.workerUrl(),
                            BenchWorker.NAME, name,
                            BenchWorker.TOKEN, invitation.token(),
                            BenchWorker.CA_PIN, invitation.caPin()),
                    listener);
        }
        worker.tell(BenchWorker.START);
    }

    @Override
    public void stop() throws Exception {
        if (worker != null) {
            worker.tell(BenchWorker.STOP);
        }
        awaitSequenced();
    }

    /// Until every event that the engine has written stands in a signed checkpoint.
    private void awaitSequenced() throws SQLException {
        try (Connection connection = database.connect()) {
            Optional<Boolean> sequenced = Polling.until(
                    SEQUENCED_WITHIN,
                    () -> database.unsequenced(connection) == 0 ? Optional.of(true) : Optional.empty());
            if (sequenced.isEmpty()) {
                throw new IllegalStateException("the audit trail is not sequenced after " + SEQUENCED_WITHIN);
            }
        }
    }

    @Override
    public long remaining() throws SQLException {
        awaitSequenced();
        return database.due();
    }

    @Override
    public int recur(int n, int periodSeconds) throws Exception {
        Instant base = clock.instant().truncatedTo(ChronoUnit.SECONDS);
        inParts(
                n,
                (from, to) -> caller().createRecurring(
                                IntStream.range(from, to)
                                        .mapToObj(i -> base.plusSeconds(i % periodSeconds))
                                        .toList(),
                                periodSeconds));
        return periodSeconds;
    }

    @Override
    public void close() {
        if (worker != null) {
            worker.close();
            worker = null;
        }
        if (platform != null) {
            platform.close();
            platform = null;
        }
    }
}
