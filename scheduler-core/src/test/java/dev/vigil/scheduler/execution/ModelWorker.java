package dev.vigil.scheduler.execution;

import dev.vigil.scheduler.execution.AttemptEnd.Outcome;
import dev.vigil.scheduler.execution.Link.Running;
import dev.vigil.scheduler.execution.World.Host;
import dev.vigil.scheduler.history.Event;
import java.time.Duration;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// A worker process by the rules of worker-agent: what it holds, what it tells whom, and the watchdog beside it, which
/// goes on when the agent stands still.
final class ModelWorker {
    private static final long BEAT = World.SECOND;
    private static final long FRESH = 5 * World.SECOND;
    private static final long ANSWER = 5 * World.SECOND;
    private static final long SLOT = 2 * World.SECOND;
    private static final long OWNED_WITHIN = 12 * World.SECOND;
    private static final long ORPHAN_GRACE = 60 * World.SECOND;
    private static final long DRAIN = 15 * World.SECOND;
    private static final long LOOK = 500 * World.MILLI;
    /// How long an attempt of a task takes that may take this long.
    static final Duration LONG = Duration.ofSeconds(95);

    final WorkerBoot boot;
    final Host machine;
    final Host agent;
    private final World world;
    private final ModelServer server;
    private final Supplier<List<ModelCore>> cores;
    private final int slots;
    private final Map<UUID, Holding> held = new LinkedHashMap<>();
    private final Set<Holding> runs = new LinkedHashSet<>();
    private final Map<UUID, Channel> to = new HashMap<>();
    private final Map<UUID, Channel> from = new HashMap<>();
    private long aliveAt;
    private long drainedAt;
    private @Nullable Runnable whenEmpty;

    ModelWorker(ModelServer server, Host machine, UUID id, Supplier<List<ModelCore>> cores) {
        this.world = server.world;
        this.server = server;
        this.machine = machine;
        this.agent = new Host(machine.name + "-agent", machine);
        this.cores = cores;
        this.boot = new WorkerBoot(id, new UUID(world.chance.nextLong(), world.chance.nextLong()));
        this.slots = 4 + world.chance.nextInt(4);
        this.aliveAt = world.now();
        world.after(world.millis(0, 500), agent, this::beat);
        world.after(LOOK, machine, this::watch);
    }

    private static final class Holding {
        final Dispatch dispatch;
        final long takenAt;
        ModelCore core;
        boolean waiting = true;
        boolean running;
        boolean dropped;
        long ownedAt;
        long heardAt;
        long sentAt;

        @Nullable AttemptEnd result;

        Holding(Dispatch dispatch, ModelCore core, long now) {
            this.dispatch = dispatch;
            this.core = core;
            this.takenAt = now;
        }

        Running named() {
            return new Running(dispatch.execution(), dispatch.fence());
        }

        boolean is(Running other) {
            return dispatch.fence() == other.fence();
        }
    }

    /// The core that gave it something long, which it runs.
    Optional<ModelCore> employer() {
        return runs.stream()
                .filter(one -> one.dispatch.timeout().compareTo(LONG) > 0)
                .map(one -> one.core)
                .findFirst();
    }

    boolean isRunning(UUID execution) {
        return runs.stream().anyMatch(one -> one.dispatch.execution().equals(execution));
    }

    Channel from(ModelCore core) {
        return from.computeIfAbsent(core.incarnation, id -> new Channel(server, agent));
    }

    Channel to(ModelCore core) {
        return to.computeIfAbsent(core.incarnation, id -> new Channel(server, core.host));
    }

    private void beat() {
        aliveAt = world.now();
        if (whenEmpty != null && (held.isEmpty() || world.now() - drainedAt > DRAIN)) {
            cores.get().forEach(core -> to(core).send(() -> core.goodbye(boot)));
            kill();
            whenEmpty.run();
            return;
        }
        long sentAt = world.now();
        List<Running> list = held.values().stream().map(Holding::named).toList();
        int busy =
                (int) held.values().stream().filter(one -> one.result == null).count();
        int free = whenEmpty == null ? Math.max(0, slots - busy) : 0;
        cores.get().forEach(core -> to(core).send(() -> core.heard(this, sentAt, list, free)));
        held.values().forEach(this::report);
        world.after(BEAT, agent, this::beat);
    }

    private void report(Holding holding) {
        AttemptEnd end = holding.result;
        if (end != null && (holding.sentAt == 0 || world.now() - holding.sentAt > ANSWER)) {
            holding.sentAt = world.now();
            ModelCore core = holding.core;
            to(core).send(() -> core.ended(boot, end));
        }
    }

    /// It takes nothing more, says goodbye when it holds nothing or after a while, and ends.
    void drain(Runnable ended) {
        whenEmpty = ended;
        drainedAt = world.now();
    }

    /// Its process is killed, and what it ran with it.
    void kill() {
        List.copyOf(runs).forEach(this::stop);
        agent.kill();
    }

    /// A connection was made: results go out again.
    void welcomed(ModelCore core) {
        held.values().stream().filter(one -> one.core == core).forEach(one -> {
            one.sentAt = 0;
            report(one);
        });
    }

    void take(ModelCore core, Dispatch dispatch, long beatSentAt) {
        var named = new Running(dispatch.execution(), dispatch.fence());
        if (whenEmpty != null || world.now() - beatSentAt > FRESH) {
            to(core).send(() -> core.declined(boot, named, whenEmpty != null ? "draining" : "stale_heartbeat"));
            return;
        }
        Holding known = held.get(dispatch.execution());
        if (known != null && known.result != null && known.dispatch.fence() < dispatch.fence()) {
            held.remove(dispatch.execution());
            known = null;
        }
        if (known != null) {
            if (!known.is(named)) {
                to(core).send(() -> core.declined(boot, named, "no_slot"));
            }
            return;
        }
        var holding = new Holding(dispatch, core, world.now());
        held.put(dispatch.execution(), holding);
        world.after(world.millis(1, 10), agent, () -> begin(holding));
    }

    private void begin(Holding holding) {
        if (!holding.waiting || holding.dropped || held.get(holding.dispatch.execution()) != holding) {
            return;
        }
        if (runs.size() >= slots) {
            if (world.now() - holding.takenAt > SLOT) {
                held.remove(holding.dispatch.execution());
                ModelCore core = holding.core;
                to(core).send(() -> core.declined(boot, holding.named(), "no_slot"));
            } else {
                world.after(100 * World.MILLI, agent, () -> begin(holding));
            }
            return;
        }
        holding.waiting = false;
        holding.running = true;
        holding.ownedAt = world.now();
        holding.heardAt = world.now();
        runs.add(holding);
        world.tell(
                new Event.Started(world.time(), holding.dispatch.execution(), holding.dispatch.fence(), machine.name));
        ModelCore core = holding.core;
        to(core).send(() -> core.started(boot, holding.named()));
        run(holding);
    }

    private void run(Holding holding) {
        int kind = world.chance.nextInt(20);
        long wanted =
                kind < 13 ? world.millis(0, 400) : kind < 18 ? world.millis(500, 8_000) : world.millis(8_000, 25_000);
        long timeout = holding.dispatch.timeout().toNanos();
        if (timeout > LONG.toNanos()) {
            wanted = LONG.toNanos();
        }
        int luck = world.chance.nextInt(20);
        Outcome outcome = wanted > timeout ? Outcome.TIMED_OUT : luck < 14 ? Outcome.SUCCEEDED : Outcome.FAILED;
        boolean retryable = luck < 19;
        world.after(Math.min(wanted, timeout), machine, () -> {
            if (runs.contains(holding)) {
                stop(holding);
                world.after(0, agent, () -> over(holding, outcome, retryable));
            }
        });
    }

    private void stop(Holding holding) {
        if (runs.remove(holding)) {
            holding.running = false;
            world.tell(new Event.Stopped(world.time(), holding.dispatch.execution(), holding.dispatch.fence()));
        }
    }

    private void over(Holding holding, Outcome outcome, boolean retryable) {
        if (holding.dropped) {
            held.remove(holding.dispatch.execution(), holding);
            return;
        }
        holding.result = new AttemptEnd(
                holding.named(),
                outcome,
                Duration.ofMillis(1),
                outcome == Outcome.SUCCEEDED ? null : "broken",
                retryable,
                null,
                null,
                false);
        report(holding);
    }

    void settled(Link.Settled settled) {
        Holding holding = held.get(settled.execution());
        if (holding != null && holding.dispatch.fence() == settled.fence() && holding.result != null) {
            held.remove(settled.execution());
        }
    }

    void cancel(Running running) {
        Holding holding = held.get(running.execution());
        if (holding == null || !holding.is(running) || holding.result != null) {
            return;
        }
        if (holding.waiting) {
            holding.waiting = false;
            over(holding, Outcome.CANCELLED, false);
        } else if (holding.running) {
            stopSoon(holding, Outcome.CANCELLED);
        }
    }

    private void stopSoon(Holding holding, Outcome outcome) {
        world.after(world.millis(1, 300), machine, () -> {
            if (runs.contains(holding)) {
                stop(holding);
                world.after(0, agent, () -> over(holding, outcome, false));
            }
        });
    }

    /// What a core said about a heartbeat's list.
    void judged(ModelCore core, long sentAt, List<Running> listed, LinkEvents.Ownership ownership) {
        for (Running one : listed) {
            Holding holding = held.get(one.execution());
            if (holding == null || !holding.is(one)) {
                continue;
            }
            if (ownership.owned().contains(one) && ownership.databaseDown()) {
                if (holding.core == core) {
                    holding.heardAt = Math.max(holding.heardAt, sentAt);
                }
            } else if (ownership.owned().contains(one)) {
                if (holding.core != core) {
                    holding.core = core;
                    holding.sentAt = 0;
                    report(holding);
                }
                holding.ownedAt = Math.max(holding.ownedAt, sentAt);
                holding.heardAt = Math.max(holding.heardAt, sentAt);
            } else if (ownership.stale().contains(one)) {
                drop(holding);
            }
        }
    }

    /// Somebody else has it.
    private void drop(Holding holding) {
        holding.dropped = true;
        if (holding.running) {
            stopSoon(holding, Outcome.CANCELLED);
        } else {
            held.remove(holding.dispatch.execution(), holding);
        }
    }

    /// The watchdog is a process of its own: what nobody calls owned is killed, and all when the agent is mute.
    private void watch() {
        for (Holding holding : List.copyOf(runs)) {
            long now = world.now();
            if (now - aliveAt > OWNED_WITHIN
                    || now - holding.heardAt > OWNED_WITHIN
                    || now - holding.ownedAt > ORPHAN_GRACE) {
                stop(holding);
                world.after(0, agent, () -> held.remove(holding.dispatch.execution(), holding));
            }
        }
        if (!agent.isGone() || !runs.isEmpty()) {
            world.after(LOOK, machine, this::watch);
        }
    }
}
