package dev.vigil.scheduler.execution;

import dev.vigil.scheduler.execution.ModelRows.Schedule;
import dev.vigil.scheduler.execution.World.Host;
import dev.vigil.scheduler.history.Bounds;
import dev.vigil.scheduler.history.Event;
import dev.vigil.scheduler.history.HistoryCheck;
import dev.vigil.scheduler.task.Limited;
import dev.vigil.scheduler.task.Limited.Kind;
import dev.vigil.scheduler.task.Misfire;
import dev.vigil.scheduler.task.Overlap;
import dev.vigil.scheduler.task.RetryPolicy;
import dev.vigil.scheduler.task.RetryPolicy.Backoff;
import dev.vigil.scheduler.task.Schedule.Interval;
import dev.vigil.scheduler.task.ShardHints.ShardHint;
import dev.vigil.scheduler.task.SharedLimits.Rate;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SplittableRandom;
import java.util.UUID;

/// One run in virtual time: cores, workers and clients on a model of PostgreSQL and of the link, a mix of faults drawn
/// from the seed, then everything heals and drains. What is wrong with its history is what it answers.
final class Simulation {
    private static final int SHARDS = 3;
    private static final int ALONE_EVERY = 40;
    private static final Bounds BOUNDS = new Bounds(
            Bounds.PROMISED.overlap(),
            Duration.ofSeconds(30),
            // Core and worker may vanish together just before the end.
            Duration.ofSeconds(75),
            Bounds.PROMISED.clock(),
            Bounds.PROMISED.lossesMax(),
            Bounds.PROMISED.limitLag(),
            Bounds.PROMISED.jitter());

    private final World world;
    private final ModelServer server;
    private final ModelDatabase database;
    private final Host clients = new Host("clients", null);
    private final List<ModelCore> cores = new ArrayList<>();
    private final List<ModelWorker> workers = new ArrayList<>();
    private final Commanders commanders;
    private final long healAt;
    private final UUID owner;
    private final boolean limited;
    private int ids;

    Simulation(long seed) {
        this.world = new World(seed);
        this.database = new ModelDatabase(world, SHARDS);
        SplittableRandom chance = world.chance;
        boolean alone = seed % ALONE_EVERY == ALONE_EVERY - 1;
        boolean handed = alone && seed % (2 * ALONE_EVERY) == ALONE_EVERY - 1;
        Faults faults = alone ? Faults.ALONE : Faults.drawn(chance);
        this.server = new ModelServer(database, faults);
        this.healAt = faults.span() * World.SECOND;
        this.owner = id(9);
        this.commanders = new Commanders(server, clients);
        // What runs for long would keep everything else of its limit from starting.
        this.limited = !alone && chance.nextInt(4) == 0;
        if (limited) {
            boolean shared = chance.nextBoolean();
            if (shared) {
                // Everything counts in it, so it leaves room for all that is due in a while.
                Kind kind = chance.nextBoolean() ? Kind.NAMESPACE : Kind.HANDLER;
                limit(new Limited(kind, kind == Kind.HANDLER ? 0 : 1, id(9)), 4 + chance.nextInt(4));
            }
            if (!shared || chance.nextBoolean()) {
                limit(Limited.owner(1, owner), 1 + chance.nextInt(2));
            }
        }
        // Of its own chance, so that seeds without a rate are what they were.
        var rates = new SplittableRandom(~seed);
        if (alone) {
            database.starts.rate = new Rate(12 + rates.nextInt(8), Duration.ofSeconds(1 + rates.nextInt(3)));
        } else if (rates.nextInt(6) == 0) {
            database.starts.rate = new Rate(3 + rates.nextInt(5), Duration.ofSeconds(1));
        }
        world.tell(new Event.Fault(World.time(0), "all of " + faults, World.time(healAt)));
        int coreCount = alone ? handed ? 1 : 2 : 1 + chance.nextInt(2);
        for (int i = 0; i < coreCount; i++) {
            String name = "core-" + i;
            world.after(world.millis(0, 1_500), clients, () -> startCore(name));
        }
        int workerCount = alone ? 2 : 1 + chance.nextInt(3);
        for (int i = 0; i < workerCount; i++) {
            var machine = new Host("worker-" + i, null);
            UUID id = id(1);
            world.after(world.millis(0, 1_500), clients, () -> startWorker(machine, id));
        }
        createAll();
        int commands = alone || chance.nextInt(3) == 0 ? 0 : chance.nextInt(10);
        for (int i = 0; i < commands; i++) {
            world.after(world.millis(500, healAt / World.MILLI), clients, commanders::command);
        }
        var incidents = new Incidents(this);
        if (alone) {
            List<TaskFacts> longs = new ArrayList<>();
            for (int i = 0; i < SHARDS; i++) {
                int shard = i;
                TaskFacts task = task(true, false, ModelWorker.LONG.multipliedBy(2));
                longs.add(task);
                world.after(2 * World.SECOND, clients, () -> create("long-" + shard, shard, task, database.clock()));
            }
            // The first shard is the one that goes when another core comes.
            Runnable left = handed ? () -> incidents.handOver(longs.getFirst().id()) : incidents::leaveAlone;
            world.after(world.millis(8_000, 12_000), clients, left);
        }
        for (int i = 0; i < faults.incidents(); i++) {
            world.after(world.millis(1_000, faults.span() * 1_000L), clients, incidents::happen);
        }
    }

    private void limit(Limited key, int most) {
        database.rows.limits.put(key, new ModelRows.Limit(most));
        world.tell(new Event.Limit(world.time(), key.id().toString(), most));
    }

    World world() {
        return world;
    }

    ModelServer server() {
        return server;
    }

    long healAt() {
        return healAt;
    }

    List<Event> history() {
        return world.history;
    }

    List<ModelCore> cores() {
        return cores;
    }

    List<ModelWorker> workers() {
        return workers;
    }

    Host clients() {
        return clients;
    }

    private UUID id(int kind) {
        ids++;
        return new UUID(kind, 0x8000_0000_0000_0000L | ids);
    }

    void startCore(String name) {
        cores.removeIf(core -> core.host.isGone());
        cores.add(new ModelCore(server, new Host(name, null), world::now));
    }

    void startWorker(Host machine, UUID id) {
        workers.removeIf(worker -> worker.agent.isGone());
        workers.add(new ModelWorker(server, machine, id, () -> {
            cores.removeIf(core -> core.host.isGone());
            return cores;
        }));
    }

    /// The database's clock is stepped; no core reads another one but its own monotonic clock.
    void step(Duration by) {
        database.rows.ahead = database.rows.ahead.plus(by);
        world.tell(new Event.DatabaseClock(world.time(), database.rows.ahead));
    }

    private void createAll() {
        SplittableRandom chance = world.chance;
        int once = 2 + chance.nextInt(10);
        for (int i = 0; i < once; i++) {
            String key = "key-" + i;
            TaskFacts task = task(true, chance.nextBoolean() && limited);
            int shard = chance.nextInt(SHARDS);
            long in = world.millis(0, healAt / World.MILLI);
            Duration delay = Duration.ofMillis(chance.nextInt(3) == 0 ? chance.nextInt(8_000) : 0);
            world.after(
                    in, clients, () -> create(key, shard, task, database.clock().plus(delay)));
        }
        int schedules = chance.nextInt(3);
        for (int i = 0; i < schedules; i++) {
            Duration every = Duration.ofMillis(chance.nextInt(2_000, 9_000));
            var rules = new FirePlan.Rules(
                    new Interval(every, database.clock()),
                    any(Misfire.values()),
                    1 + chance.nextInt(3),
                    any(Overlap.values()),
                    chance.nextInt(3) == 0 ? Duration.ofMillis(chance.nextInt(3_000)) : Duration.ZERO);
            TaskFacts task = task(false, false);
            int shard = chance.nextInt(SHARDS);
            Instant first = database.clock().plus(every);
            server.schedules.create(new Schedule(shard, task, rules, first));
        }
    }

    private <T> T any(T[] all) {
        return all[world.chance.nextInt(all.length)];
    }

    private TaskFacts task(boolean once, boolean his) {
        SplittableRandom chance = world.chance;
        return task(once, his, Duration.ofMillis(chance.nextInt(2_000, 20_000)));
    }

    private TaskFacts task(boolean once, boolean his, Duration timeout) {
        SplittableRandom chance = world.chance;
        Duration initial = Duration.ofMillis(chance.nextInt(50, 3_000));
        var retry = new RetryPolicy(1 + chance.nextInt(4), any(Backoff.values()), initial, initial.multipliedBy(3));
        UUID whose = his ? owner : id(8);
        return new TaskFacts(1, id(2), 1, whose, ModelDatabase.HANDLER, new UUID(0, 1), 1, timeout, retry, false, once);
    }

    /// A client that tries again, with the same key, until it is answered.
    private void create(String key, int shard, TaskFacts task, Instant at) {
        boolean heard = server.reaches(clients) && !world.happens(server.faults.cut() * 5);
        if (server.reaches(clients) && (heard || world.happens(0.5))) {
            UUID made = database.create(key, new ModelDatabase.Placed(shard, task), at, after(task));
            if (heard) {
                world.tell(new Event.Acknowledged(world.time(), key, made));
                if (world.happens(0.7)) {
                    hint(shard, at);
                }
                return;
            }
        }
        world.after(world.millis(100, 2_000), clients, () -> create(key, shard, task, at));
    }

    /// Some tasks come after others that are open when they are stored.
    private List<UUID> after(TaskFacts task) {
        boolean free =
                task.timeout().compareTo(ModelWorker.LONG) > 0 || task.owner().equals(owner);
        List<UUID> open = free || !world.happens(0.25)
                ? List.of()
                : database.rows.executions.values().stream()
                        .filter(one -> one.first.task().once()
                                && one.first.task().timeout().compareTo(ModelWorker.LONG) <= 0)
                        .map(ModelRows.Execution::id)
                        .toList();
        return open.subList(0, Math.min(open.size(), 1 + world.chance.nextInt(2)));
    }

    private void hint(int shard, Instant at) {
        for (ModelCore core : cores) {
            if (core.incarnation.equals(database.owner(shard))) {
                world.after(
                        World.MILLI,
                        core.host,
                        () -> core.hint(new ShardHint(shard, 1L << ModelDatabase.LANE, at, true, false)));
            }
        }
    }

    /// Plays it to its end.
    ///
    /// @return what is wrong, nothing when it kept all promises
    List<String> run() {
        world.runUntil(healAt);
        server.heal();
        commanders.end();
        Instant mustBeOver = database.clock();
        long end = healAt + 120 * World.SECOND;
        while (world.now() < end && !isDrained(mustBeOver)) {
            world.runUntil(world.now() + World.SECOND);
        }
        server.promises.check();
        database.promises.check();
        tellEnd();
        var wrong = new ArrayList<>(server.promises.broken());
        wrong.addAll(database.promises.broken());
        HistoryCheck.of(world.history, BOUNDS).forEach(one -> wrong.add(one.toString()));
        if (world.history.stream().noneMatch(Event.DatabaseClock.class::isInstance)) {
            database.starts.broken().ifPresent(wrong::add);
        }
        return wrong;
    }

    /// All that was due when everything healed is over, commands are carried out, and schedules have caught up.
    private boolean isDrained(Instant mustBeOver) {
        return world.now() > healAt + 2 * World.SECOND
                && database.rows.inbox.stream().noneMatch(row -> row.changeSeq() > 0)
                && database.rows.executions.values().stream()
                        .noneMatch(one -> one.first.dueAt().isBefore(mustBeOver)
                                || one.first.task().once())
                && database.rows.schedules.values().stream()
                        .noneMatch(one -> one.nextAt.isBefore(database.clock().minusSeconds(1)));
    }

    private void tellEnd() {
        database.rows
                .tasks
                .keySet()
                .forEach(task -> world.tell(new Event.Found(
                        world.time(),
                        task,
                        database.rows.keys.entrySet().stream()
                                .filter(key -> key.getValue().equals(task))
                                .map(Map.Entry::getKey)
                                .findFirst()
                                .orElse(null))));
        database.rows.executions.values().forEach(one -> {
            world.tell(new Event.Left(world.time(), one.first.task().id(), one.id()));
            if (one.first.task().once()) {
                expect(one.first.task().id());
            }
        });
        database.rows.history.values().forEach(one -> {
            boolean mayNotHaveRun = one.state() == ExecutionView.State.SKIPPED
                    || one.state() == ExecutionView.State.CANCELLED
                    || Objects.equals(one.code(), "poison");
            if (!mayNotHaveRun) {
                expect(one.task());
            }
        });
    }

    private void expect(UUID task) {
        world.tell(new Event.Expected(World.time(0), task, world.time()));
    }
}
