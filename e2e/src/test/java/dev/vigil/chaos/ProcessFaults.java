package dev.vigil.chaos;

import dev.vigil.chaos.FaultTable.Figure;
import dev.vigil.chaos.Truth.Held;
import java.io.IOException;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.UUID;

/// Processes that are killed, stopped, woken and told to end.
///
/// @param battle what they act on
record ProcessFaults(Battle battle) {
    private static final Duration PAST_THE_LEASE = Duration.ofSeconds(20);
    private static final Duration PAST_THE_BEAT = Duration.ofSeconds(9);
    private static final Duration NOTICED = Duration.ofSeconds(90);

    List<Fault> all() {
        return List.of(
                new Fault("kill -9 of a worker, started again", 6, () -> killedWorker(true)),
                new Fault("kill -9 of a worker, gone", 2, () -> killedWorker(false)),
                new Fault("SIGTERM of a worker that is at work", 3, this::goodbye),
                new Fault("kill -9 of a core", 6, this::killedCore),
                new Fault("kill -9 of a core and a worker together", 1, this::bothGone),
                new Fault("kill -9 of an API", 4, this::killedApi),
                new Fault("kill -9 of the audit service", 2, this::killedAudit),
                new Fault("SIGSTOP of a worker past its lease", 2, this::stoppedWorker, this::wakeAll),
                new Fault("SIGSTOP of a core past its lease", 4, this::stoppedCore, this::wakeAll),
                new Fault("rolling restart of all services", 1, this::rollingRestart));
    }

    private Fleet fleet() {
        return battle.fleet();
    }

    private List<Figure> killedWorker(boolean back) throws InterruptedException, SQLException {
        List<UUID> tasks = battle.occupy(4_000);
        String worker = battle.one(fleet().workerNames());
        List<Held> held = battle.heldOf(worker, tasks);
        long struck = System.nanoTime();
        fleet().node(worker).kill();
        if (back) {
            fleet().node(worker).start();
        }
        Figure takeover = battle.takenFrom(worker, held, struck);
        battle.endedOnce(tasks);
        return List.of(takeover);
    }

    private List<Figure> goodbye() throws InterruptedException, SQLException {
        List<UUID> tasks = battle.occupy(8_000);
        String worker = battle.one(fleet().workerNames());
        List<Held> held = battle.heldOf(worker, tasks);
        fleet().node(worker).end();
        long gone = System.nanoTime();
        Figure takeover = battle.takenFrom(worker, held, gone);
        battle.endedOnce(tasks);
        return List.of(new Figure("takeover after goodbye", takeover.seconds(), Battle.GOODBYE));
    }

    private List<Figure> killedCore() throws InterruptedException, SQLException {
        List<UUID> tasks = battle.occupy(3_000);
        String core = battle.one(fleet().cores());
        Shards shards = shardsOf(core);
        long struck = System.nanoTime();
        fleet().node(core).kill();
        fleet().node(core).start();
        Figure takeover = shards.takenOver(struck);
        battle.endedOnce(tasks);
        return List.of(takeover);
    }

    /// Neither says goodbye, and neither is there to be asked: the worker might believe the database down and run on.
    private List<Figure> bothGone() throws InterruptedException, SQLException {
        List<UUID> tasks = battle.occupy(20_000);
        String worker = battle.one(fleet().workerNames());
        String core = battle.one(fleet().cores());
        List<Held> held = battle.heldOf(worker, tasks);
        long struck = System.nanoTime();
        fleet().node(worker).kill();
        fleet().node(core).kill();
        Figure takeover = battle.takenFrom(worker, held, struck);
        battle.endedOnce(tasks);
        return List.of(new Figure("takeover", takeover.seconds(), Battle.BOTH_GONE));
    }

    private List<Figure> killedApi() {
        String api = battle.one(List.of("api-1", "api-2"));
        fleet().node(api).kill();
        long acknowledged = battle.load().answered("201");
        Waiting.until(
                "the other API takes tasks",
                Duration.ofSeconds(20),
                () -> battle.load().answered("201") > acknowledged + 10);
        return List.of();
    }

    private List<Figure> killedAudit() {
        fleet().node("audit").kill();
        long acknowledged = battle.load().answered("201");
        Waiting.until(
                "tasks are taken without it",
                Duration.ofSeconds(20),
                () -> battle.load().answered("201") > acknowledged + 10);
        return List.of();
    }

    /// Its sandboxes go on, so some of them end while it is stopped, and it reports them when it wakes.
    private List<Figure> stoppedWorker() throws InterruptedException, SQLException {
        List<UUID> tasks = battle.occupy(3_000);
        String worker = battle.one(fleet().workerNames());
        List<Held> held = battle.heldOf(worker, tasks);
        long struck = System.nanoTime();
        fleet().node(worker).stop();
        Figure takeover = battle.takenFrom(worker, held, struck);
        while (Waiting.since(struck) < PAST_THE_LEASE.toSeconds()) {
            Waiting.lasting(Duration.ofMillis(200));
        }
        fleet().node(worker).wake();
        battle.endedOnce(tasks);
        for (Held zombie : held) {
            List<Truth.Ended> ends = fleet().truth().ends(List.of(zombie.execution()));
            if (ends.getFirst().fence() <= zombie.fence()) {
                throw new Broken("the woken worker's result of " + zombie + " was taken: " + ends);
            }
        }
        return List.of(takeover);
    }

    private List<Figure> stoppedCore() throws InterruptedException, SQLException {
        List<UUID> tasks = battle.occupy(3_000);
        String core = battle.one(fleet().cores());
        Shards shards = shardsOf(core);
        long struck = System.nanoTime();
        fleet().node(core).stop();
        Figure takeover = shards.takenOver(struck);
        while (Waiting.since(struck) < PAST_THE_BEAT.toSeconds()) {
            Waiting.lasting(Duration.ofMillis(200));
        }
        fleet().node(core).wake();
        battle.endedOnce(tasks);
        return List.of(takeover);
    }

    private void wakeAll() {
        for (String name : fleet().names()) {
            if (fleet().node(name).isAlive()) {
                fleet().node(name).wake();
            }
        }
    }

    /// One after the other, each only when the one before is back.
    private List<Figure> rollingRestart() throws InterruptedException, IOException, SQLException {
        List<UUID> tasks = battle.occupy(6_000);
        for (String name : fleet().names()) {
            fleet().node(name).end();
            fleet().awaitReady();
        }
        battle.endedOnce(tasks);
        int again = 0;
        for (UUID task : tasks) {
            again += fleet().truth()
                    .rows(
                            "SELECT losses FROM scheduler.history WHERE id = ? AND losses > 0",
                            row -> row.getInt(1),
                            task)
                    .size();
        }
        if (again > 0) {
            throw new Broken(again + " executions counted a loss in an orderly restart");
        }
        return List.of();
    }

    private Shards shardsOf(String core) throws SQLException {
        String address = fleet().sessions(core);
        return new Shards(
                core, fleet().truth().shardsOf(address), fleet().truth().incarnations(address));
    }

    /// The shards of a core before it was struck.
    private final class Shards {
        private final String core;
        private final List<Integer> ids;
        private final List<UUID> owners;

        Shards(String core, List<Integer> ids, List<UUID> owners) {
            this.core = core;
            this.ids = ids;
            this.owners = owners;
        }

        Figure takenOver(long struck) {
            Waiting.until(
                    "shards of " + core + " taken over",
                    NOTICED,
                    () -> fleet().truth().ownedByOthers(ids, owners));
            return new Figure("takeover", Waiting.since(struck), Battle.TAKEOVER);
        }
    }
}
