package dev.vigil.scheduler.execution;

import dev.vigil.scheduler.execution.CoreConnection.Database;
import dev.vigil.scheduler.task.NearbyOwners;
import dev.vigil.scheduler.task.ShardHints.ShardHint;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.function.BiConsumer;
import java.util.function.LongSupplier;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/// The engine of a core: owns shards, dispatches what comes due in them, and closes what has ended. It hears
/// workers through [LinkEvents] and speaks to them through [Link].
public final class Dispatcher implements LinkEvents, NearbyOwners.Owner, AutoCloseable {
    private final Settings settings;
    private final Tenure tenure = new Tenure();
    private final LongSupplier time;
    private final DbClock clock;
    private final WorkersSeen workers = new WorkersSeen();
    private final OpenIndex index = new OpenIndex();
    private final RandomGenerator chance;
    private final List<OwnerLoop> loops = new ArrayList<>();
    private @Nullable ShardKeeper keeper;
    private @Nullable Journal journal;
    private @Nullable Caretaker caretaker;

    /// @param chance spreads retries
    public Dispatcher(Settings settings, RandomGenerator chance) {
        this(settings, chance, System::nanoTime);
    }

    /// @param time monotonic nanoseconds
    Dispatcher(Settings settings, RandomGenerator chance, LongSupplier time) {
        this.settings = settings;
        this.chance = chance;
        this.time = time;
        this.clock = new DbClock(time);
    }

    /// How an engine works.
    ///
    /// @param incarnation this life of the core
    /// @param url         JDBC address of the database
    /// @param username    role, vigil_core
    /// @param password    its password
    /// @param loops       threads among which shards are divided, 64 at most; 0 for one a processor, but 2 to 4
    /// @param retention   how long it keeps what is over
    public record Settings(
            UUID incarnation, String url, String username, String password, int loops, Retention retention) {
        public Settings {
            if (loops < 0 || loops > 64) {
                throw new IllegalArgumentException("vigil.core.loops is " + loops + "; use 0 to 64");
            }
            // With more of them than processors what comes one by one is stored one by one.
            loops = loops == 0 ? Math.clamp(Runtime.getRuntime().availableProcessors(), 2, 4) : loops;
        }

        @Override
        public String toString() {
            return "core " + incarnation;
        }
    }

    /// Begins to own shards and to dispatch.
    ///
    /// @param link       to the workers
    /// @param sessionUrl where workers open sessions with this core
    public void start(Link link, String sessionUrl) {
        var database = new Database(settings.url, settings.username, settings.password);
        LoopState.Core core = core(link);
        for (int i = 0; i < settings.loops; i++) {
            var closer = new PostgresCloser("vigil-closer-" + i, new Postgres(new CoreConnection(database, core)));
            add(core, new Postgres(new CoreConnection(database, core)), closer);
        }
        var writing = new Journal(core, new CoreConnection(database, core));
        writing.start();
        journal = writing;
        var started = new ShardKeeper(
                core,
                sessionUrl,
                loops,
                new ShardKeeper.Ways(
                        new PostgresCores(new CoreConnection(database, core)),
                        new PostgresCores(new CoreConnection(database, core))));
        keeper = started;
        loops.forEach(OwnerLoop::start);
        started.start();
        var caring = new Caretaker(core, new CoreConnection(database, core), settings.retention);
        caring.start();
        caretaker = caring;
        NearbyOwners.add(this);
    }

    /// What the loops of this core share.
    LoopState.Core core(Link link) {
        return new LoopState.Core(
                settings.incarnation, time, tenure, new ClusterGuard(), clock, link, workers, chance, new Shortages());
    }

    /// Adds a loop that has not begun.
    OwnerLoop add(LoopState.Core core, Truth truth, Closer closer) {
        int number = loops.size();
        var loop = new OwnerLoop("vigil-loop-" + number, new LoopState(core, truth, closer, index.part(number)));
        loops.add(loop);
        return loop;
    }

    /// How many shards this core owns.
    public int shardsOwned() {
        ShardKeeper current = keeper;
        return current == null ? 0 : current.owned();
    }

    @Override
    public boolean mayAct() {
        return tenure.mayAct(time.getAsLong());
    }

    @Override
    public void joined(WorkerBoot worker, List<Link.Running> running) {
        workers.reported(worker, running, time.getAsLong());
        loops.forEach(loop -> loop.joined(worker));
    }

    @Override
    public void started(WorkerBoot worker, List<Link.Running> executions) {
        forEachOpen(worker, executions, OwnerLoop::started);
    }

    @Override
    public void declined(WorkerBoot worker, List<Declined> executions) {
        for (Declined declined : executions) {
            forEachOpen(worker, List.of(declined.running()), (loop, opens) -> loop.declined(opens, declined.code()));
        }
    }

    @Override
    public void undelivered(WorkerBoot worker, List<Dispatch> dispatches) {
        List<Link.Running> executions = dispatches.stream()
                .map(dispatch -> new Link.Running(dispatch.execution(), dispatch.fence()))
                .toList();
        forEachOpen(worker, executions, (loop, opens) -> loop.cameBack(opens, "undelivered"));
    }

    private void forEachOpen(
            WorkerBoot worker, List<Link.Running> executions, BiConsumer<OwnerLoop, List<Open>> action) {
        var byLoop = new HashMap<Integer, List<Open>>();
        for (Link.Running running : executions) {
            OpenIndex.Entry entry = index.find(running.execution());
            if (entry != null && entry.open().isHeldBy(worker, running.fence())) {
                byLoop.computeIfAbsent(entry.loop(), loop -> new ArrayList<>()).add(entry.open());
            }
        }
        byLoop.forEach((loop, opens) -> action.accept(loops.get(loop), opens));
    }

    @Override
    public void said(WorkerBoot worker, List<Saying> sayings) {
        Journal writing = journal;
        for (Saying saying : sayings) {
            OpenIndex.Entry entry = index.find(saying.running().execution());
            if (writing != null
                    && entry != null
                    && entry.open().isHeldBy(worker, saying.running().fence())) {
                writing.add(entry.open(), saying);
            }
        }
    }

    @Override
    public void ended(WorkerBoot worker, List<AttemptEnd> ends) {
        Map<Integer, List<AttemptEnd>> byLoop = new HashMap<>();
        for (AttemptEnd end : ends) {
            OpenIndex.Entry entry = index.find(end.running().execution());
            // One loop answers for what no loop knows: it reads what became of it.
            int loop = entry == null ? 0 : entry.loop();
            Optional<CompletableFuture<Boolean>> unstored = journal == null
                    ? Optional.empty()
                    : journal.unstored(end.running().execution());
            if (unstored.isEmpty()) {
                byLoop.computeIfAbsent(loop, key -> new ArrayList<>()).add(end);
            } else {
                // Whoever sees the end finds all that was said before it.
                var _ = unstored.get().thenRun(() -> loops.get(loop).ended(worker, List.of(end)));
            }
        }
        byLoop.forEach((loop, list) -> loops.get(loop).ended(worker, list));
    }

    @Override
    public void goodbye(WorkerBoot worker) {
        workers.left(worker, time.getAsLong());
        loops.forEach(loop -> loop.left(worker));
    }

    @Override
    public void silent(WorkerBoot worker, Duration since) {
        workers.silent(worker);
        loops.forEach(loop -> loop.silent(worker, since));
    }

    @Override
    public void capacityChanged() {
        loops.forEach(OwnerLoop::capacityChanged);
    }

    @Override
    public Ownership ownership(WorkerBoot worker, List<Link.Running> running) {
        workers.reported(worker, running, time.getAsLong());
        if (!mayAct()) {
            boolean vouches = tenure.vouches(time.getAsLong());
            return new Ownership(vouches, vouches ? vouched(worker, running) : List.of(), List.of());
        }
        var owned = new ArrayList<Link.Running>();
        var stale = new ArrayList<Link.Running>();
        for (Link.Running one : running) {
            OpenIndex.Entry entry = index.find(one.execution());
            if (entry != null) {
                (entry.open().isHeldBy(worker, one.fence()) ? owned : stale).add(one);
            }
        }
        return new Ownership(false, owned, stale);
    }

    /// What of a worker runs on by the word of this core while it has no database: what it held then, and had not begun
    /// to give to another core. Whoever owns that by now waits for its worker no longer than for any other.
    private List<Link.Running> vouched(WorkerBoot worker, List<Link.Running> running) {
        return running.stream().filter(one -> holds(worker, one)).toList();
    }

    private boolean holds(WorkerBoot worker, Link.Running one) {
        OpenIndex.Entry entry = index.find(one.execution());
        return entry != null && entry.open().isHeldBy(worker, one.fence());
    }

    @Override
    public void shardsHinted(Collection<ShardHint> hints) {
        hints.stream().filter(hint -> hint.shard() >= 0).forEach(this::tell);
    }

    @Override
    public boolean tell(ShardHint hint) {
        OwnerLoop loop = loop(hint.shard());
        if (hint.commands()) {
            loop.hinted(hint.shard());
        }
        loop.created(hint);
        ShardKeeper current = keeper;
        return current != null && current.owns(hint.shard());
    }

    private OwnerLoop loop(int shard) {
        return loops.get(shard % loops.size());
    }

    /// Releases all shards, then leaves. What runs on workers runs on; the next owner adopts it.
    @Override
    public void close() {
        NearbyOwners.remove(this);
        ShardKeeper current = keeper;
        if (current != null) {
            current.stopWatching();
            stopCaring();
            if (journal != null) {
                journal.close();
            }
            loops.forEach(OwnerLoop::close);
            current.close();
        }
    }

    /// Stops as a crash would: nothing is released, nobody is told.
    void abandon() {
        NearbyOwners.remove(this);
        ShardKeeper current = keeper;
        if (current != null) {
            current.abandon();
        }
        loops.forEach(OwnerLoop::abandon);
        stopCaring();
        if (journal != null) {
            journal.close();
        }
    }

    private void stopCaring() {
        if (caretaker != null) {
            caretaker.close();
        }
    }
}
