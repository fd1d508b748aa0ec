package dev.vigil.scheduler.execution;

import dev.vigil.scheduler.execution.World.Host;
import dev.vigil.scheduler.task.ShardHints.ShardHint;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.UUID;
import java.util.function.LongSupplier;

/// A core process: production's engine on the model, and a model of its end of the link. Its threads (loop, beat,
/// watch, link) are played in turn; one that waits for the database keeps none of the others.
final class ModelCore implements Link {
    /// Three heartbeats.
    private static final long SILENT = 3 * World.SECOND;

    private static final long TICK = 250 * World.MILLI;

    final Host host;
    final UUID incarnation;
    private final World world;
    private final ModelServer server;
    private final Dispatcher dispatcher;
    private final OwnerLoop loop;
    private final ShardKeeper keeper;
    private final Map<UUID, Tie> ties = new LinkedHashMap<>();
    private boolean turning;
    private boolean again;
    private boolean looking;
    private boolean leaving;
    private long plan;

    /// @param time what the engine takes for monotonic time
    ModelCore(ModelServer server, Host host, LongSupplier time) {
        this.world = server.world;
        this.server = server;
        this.host = host;
        this.incarnation = new UUID(world.chance.nextLong(), world.chance.nextLong());
        SplittableRandom chance = world.chance.split();
        var settings = new Dispatcher.Settings(incarnation, "", "", "", 1, Retention.USUAL);
        this.dispatcher = new Dispatcher(settings, chance, time);
        LoopState.Core core = dispatcher.core(this);
        this.loop =
                dispatcher.add(core, new ModelTruth(server, wire()), new ModelCloser(server, wire(), host, this::wake));
        var ways = new ShardKeeper.Ways(new ModelCores(server, wire()), new ModelCores(server, wire()));
        this.keeper = new ShardKeeper(core, "", List.of(loop), ways);
        world.after(0, host, this::beat);
        world.after(TICK, host, this::tick);
    }

    private Wire wire() {
        return new Wire(server, host, incarnation);
    }

    /// A worker as this core sees it.
    private static final class Tie {
        final ModelWorker worker;
        final WorkerBoot boot;
        long heardAt;
        long beatSentAt;
        int credits;
        boolean up;

        Tie(ModelWorker worker) {
            this.worker = worker;
            this.boot = worker.boot;
        }
    }

    private void beat() {
        keeper.beat();
        world.after(0, host, this::look);
        world.after(World.SECOND, host, this::beat);
        wake();
    }

    private void look() {
        if (!looking && !leaving) {
            looking = true;
            keeper.look();
            looking = false;
            wake();
        }
    }

    /// Something was told, or a time has come.
    private void wake() {
        turnIn(0);
    }

    private void turnIn(long nanos) {
        plan++;
        long mine = plan;
        world.after(nanos, host, () -> {
            if (mine == plan) {
                turn();
            }
        });
    }

    private void turn() {
        if (turning) {
            again = true;
            return;
        }
        turning = true;
        again = false;
        boolean more = loop.turn();
        turning = false;
        turnIn(more || again ? World.MILLI / 10 : Math.max(World.MILLI, loop.waitNanos()));
    }

    /// Leaves in order: gives its shards back first.
    void leave(Runnable left) {
        leaving = true;
        if (turning || looking) {
            world.after(10 * World.MILLI, host, () -> leave(left));
            return;
        }
        turning = true;
        try {
            loop.farewell();
            wire().ask(() -> server.leave(incarnation));
        } catch (RuntimeException failure) {
            // Others notice that its beat stands still.
        }
        host.kill();
        left.run();
    }

    private void tick() {
        for (Tie tie : List.copyOf(ties.values())) {
            if (tie.up && world.now() - tie.heardAt > SILENT) {
                tie.up = false;
                tie.worker.from(this).cut();
                tie.worker.to(this).cut();
                dispatcher.silent(tie.boot, Duration.ofNanos(world.now() - tie.heardAt));
                wake();
            }
        }
        world.after(TICK, host, this::tick);
    }

    /// News of creation comes directly.
    void hint(ShardHint hint) {
        dispatcher.tell(hint);
        wake();
    }

    /// A heartbeat of a worker arrives.
    ///
    /// @param sentAt by the worker's monotonic clock
    void heard(ModelWorker worker, long sentAt, List<Running> held, int free) {
        Tie tie = ties.get(worker.boot.worker());
        boolean fresh = false;
        if (tie == null || !tie.boot.equals(worker.boot) || !tie.up) {
            fresh = true;
            Tie old = tie;
            if (old != null && old.up) {
                world.after(SILENT, host, () -> dispatcher.silent(old.boot, Duration.ofNanos(SILENT)));
            }
            tie = new Tie(worker);
            tie.up = true;
            ties.put(worker.boot.worker(), tie);
        } else if (sentAt <= tie.beatSentAt) {
            return;
        }
        tie.heardAt = world.now();
        tie.beatSentAt = sentAt;
        tie.credits = free;
        if (fresh) {
            dispatcher.joined(worker.boot, held);
            worker.from(this).send(() -> worker.welcomed(this));
        } else {
            LinkEvents.Ownership ownership = dispatcher.ownership(worker.boot, held);
            worker.from(this).send(() -> worker.judged(this, sentAt, held, ownership));
        }
        dispatcher.capacityChanged();
        wake();
    }

    /// Something else of a worker arrives; it counts while the worker is here.
    private boolean knows(WorkerBoot boot) {
        Tie tie = ties.get(boot.worker());
        return tie != null && tie.up && tie.boot.equals(boot);
    }

    void ended(WorkerBoot boot, AttemptEnd end) {
        if (knows(boot)) {
            dispatcher.ended(boot, List.of(end));
            wake();
        }
    }

    void started(WorkerBoot boot, Running running) {
        if (knows(boot)) {
            dispatcher.started(boot, List.of(running));
            wake();
        }
    }

    void declined(WorkerBoot boot, Running running, String code) {
        if (knows(boot)) {
            dispatcher.declined(boot, List.of(new LinkEvents.Declined(running, code)));
            wake();
        }
    }

    void goodbye(WorkerBoot boot) {
        if (knows(boot)) {
            ties.remove(boot.worker());
            dispatcher.goodbye(boot);
            wake();
        }
    }

    @Override
    public Optional<Credits> take(int namespace, String handler, int atMost) {
        for (Tie tie : ties.values()) {
            if (tie.up && tie.credits > 0) {
                int taken = Math.min(atMost, tie.credits);
                tie.credits -= taken;
                return Optional.of(new Credits(tie.boot, taken));
            }
        }
        return Optional.empty();
    }

    @Override
    public Lack lack(int namespace, String handler) {
        return ties.isEmpty() ? Lack.NO_WORKER : Lack.NO_CREDIT;
    }

    @Override
    public void giveBack(Credits credits) {
        Tie tie = ties.get(credits.worker().worker());
        if (tie != null && tie.boot.equals(credits.worker())) {
            tie.credits += credits.count();
        }
    }

    @Override
    public void send(WorkerBoot worker, List<Dispatch> dispatches) {
        world.after(World.MILLI / 10, host, () -> leave(worker, dispatches));
    }

    /// On the link's thread, which asks once more whether this core may act.
    private void leave(WorkerBoot boot, List<Dispatch> dispatches) {
        var waiting = new ArrayList<Dispatch>();
        for (Dispatch dispatch : dispatches) {
            Tie tie = ties.get(boot.worker());
            if (tie == null || !knows(boot) || !dispatcher.mayAct()) {
                waiting.add(dispatch);
                continue;
            }
            long named = tie.beatSentAt;
            server.database.promises.sent(dispatch);
            tie.worker.from(this).send(() -> tie.worker.take(this, dispatch, named));
        }
        if (!waiting.isEmpty()) {
            dispatcher.undelivered(boot, waiting);
            wake();
        }
    }

    @Override
    public void cancel(WorkerBoot worker, List<Running> executions) {
        Tie tie = ties.get(worker.worker());
        if (tie != null && knows(worker)) {
            executions.forEach(one -> tie.worker.from(this).send(() -> tie.worker.cancel(one)));
        }
    }

    @Override
    public void settle(WorkerBoot worker, List<Settled> results) {
        Tie tie = ties.get(worker.worker());
        if (tie != null && knows(worker)) {
            results.forEach(one -> tie.worker.from(this).send(() -> tie.worker.settled(one)));
        }
    }
}
