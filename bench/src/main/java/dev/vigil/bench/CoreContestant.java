package dev.vigil.bench;

import com.zaxxer.hikari.HikariDataSource;
import dev.vigil.postgres.Credentials;
import dev.vigil.postgres.Role;
import dev.vigil.scheduler.execution.Dispatcher;
import dev.vigil.scheduler.execution.LiveCores;
import dev.vigil.scheduler.execution.Retention;
import dev.vigil.scheduler.task.CreateResult;
import dev.vigil.scheduler.task.CreateResult.Created;
import dev.vigil.scheduler.task.Limits;
import dev.vigil.scheduler.task.NewTask;
import dev.vigil.scheduler.task.Schedule;
import dev.vigil.scheduler.task.Statements;
import dev.vigil.scheduler.task.Tasks;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.UUID;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.IntFunction;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.datasource.DataSourceTransactionManager;

/// The engine and a handler that does nothing in one JVM, as the schedulers that are libraries run: stored as the API
/// stores, under its role and with its number of connections; owned, dispatched, ended and audited by a core under its
/// own role. There is no REST, no vault and no network to a worker.
final class CoreContestant implements Contestant {
    /// As `vigil.database.connections` of the API and `vigil.core.loops` have them.
    private static final int CONNECTIONS = 12;

    private static final int LOOPS = Integer.getInteger("vigil.bench.loops", 0);

    /// Most unfinished and most running tasks of the one user, so that both are counted; `none` switches both off.
    private static final String LIMITS = System.getProperty("vigil.bench.limits", "none");

    /// Whether payloads are sealed; `false` shows what sealing costs.
    private static final boolean SEALED = !"false".equals(System.getProperty("vigil.bench.sealed"));

    /// Whether the rows of the audit trail are stored; `false` shows what they cost.
    private static final boolean TRAIL = !"false".equals(System.getProperty("vigil.bench.trail"));

    private static final int BULK = 1_000;
    private static final int BULK_THREADS = 2;

    private final BenchDatabase database;
    private final InstantSource clock;
    private final BenchTasks made;
    private @Nullable HikariDataSource pool;
    private @Nullable Tasks tasks;
    private @Nullable HintSocket hints;
    private @Nullable Dispatcher core;
    private @Nullable InProcessWorker worker;

    CoreContestant(BenchDatabase database, InstantSource clock) {
        this.database = database;
        this.clock = clock;
        this.made = new BenchTasks(clock, limits(), SEALED);
    }

    private static Limits limits() {
        if (LIMITS.equals("none")) {
            return Limits.NONE;
        }
        int limit = Integer.parseInt(LIMITS);
        return new Limits(limit, limit);
    }

    @Override
    public String version() {
        return "vigil core";
    }

    @Override
    public Map<String, Object> config() {
        return Map.of(
                "loops",
                LOOPS == 0 ? "one a processor" : LOOPS,
                "connections",
                CONNECTIONS,
                "limits",
                LIMITS,
                "sealed",
                SEALED ? "AES-256-GCM" : "no",
                "trail",
                TRAIL);
    }

    @Override
    public void install() throws Exception {
        database.install();
        if (!TRAIL) {
            database.dropEvents();
        }
    }

    @Override
    public void open() {
        Credentials api = database.as(Role.API);
        var source = new HikariDataSource();
        source.setJdbcUrl(api.url());
        source.setUsername(api.username());
        source.setPassword(api.password());
        source.setMaximumPoolSize(CONNECTIONS);
        var db = Statements.over(source);
        var told = new HintSocket(new LiveCores(db, System::nanoTime));
        pool = source;
        hints = told;
        tasks = new Tasks(db, new DataSourceTransactionManager(source), clock, told);
        told.listen(hinted -> {
            Dispatcher running = core;
            if (running != null) {
                running.shardsHinted(hinted);
            }
        });
    }

    private Tasks tasks() {
        return Objects.requireNonNull(tasks, "call open first");
    }

    @Override
    public void enqueue(NoOp task) {
        require(tasks().create(made.of(task)));
    }

    private static void require(CreateResult result) {
        if (!(result instanceof Created)) {
            throw new IllegalStateException("a task was not stored: " + result);
        }
    }

    @Override
    public void enqueueAll(List<NoOp> noOps) throws Exception {
        store(noOps.size(), i -> made.of(noOps.get(i)));
    }

    /// Two callers, each with a part after the other.
    private void store(int n, IntFunction<NewTask> task) throws Exception {
        try (ExecutorService callers = Executors.newFixedThreadPool(BULK_THREADS)) {
            var parts = new ArrayList<Future<?>>();
            for (int first = 0; first < n; first += BULK) {
                int from = first;
                int to = Math.min(n, first + BULK);
                parts.add(callers.submit(() -> tasks().createAll(
                                IntStream.range(from, to).mapToObj(task).toList())
                        .forEach(CoreContestant::require)));
            }
            for (Future<?> part : parts) {
                part.get();
            }
        }
    }

    @Override
    public void preload(int n) {
        Instant tomorrow = clock.instant().plus(1, ChronoUnit.DAYS);
        NewTask model = made.of(new Schedule.OneTime(tomorrow), 0);
        require(tasks().create(model));
        database.multiply(model.id(), n - 1);
    }

    @Override
    public void start(StartListener listener) {
        HintSocket listening = Objects.requireNonNull(hints, "call open first");
        if (core != null) {
            throw new IllegalStateException("it is started already");
        }
        Credentials role = database.as(Role.CORE);
        var starting = new Dispatcher(
                new Dispatcher.Settings(
                        UUID.randomUUID(), role.url(), role.username(), role.password(), LOOPS, Retention.USUAL),
                new SecureRandom());
        var link = new InProcessWorker(starting, listener, made, clock);
        worker = link;
        starting.start(link, listening.url());
        core = starting;
    }

    @Override
    public void stop() {
        InProcessWorker link = worker;
        Dispatcher running = core;
        core = null;
        worker = null;
        if (link != null && running != null) {
            try {
                link.drain();
            } finally {
                running.close();
                link.close();
            }
        }
    }

    @Override
    public long remaining() {
        return database.due();
    }

    @Override
    public int recur(int n, int periodSeconds) throws Exception {
        Instant base = clock.instant().truncatedTo(ChronoUnit.SECONDS);
        Duration every = Duration.ofSeconds(periodSeconds);
        store(n, i -> made.of(new Schedule.Interval(every, base.plusSeconds(i % periodSeconds)), 0));
        return periodSeconds;
    }

    @Override
    public void close() {
        stop();
        if (hints != null) {
            hints.close();
        }
        if (pool != null) {
            pool.close();
        }
    }
}
