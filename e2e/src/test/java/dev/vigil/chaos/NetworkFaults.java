package dev.vigil.chaos;

import dev.vigil.chaos.FaultTable.Figure;
import dev.vigil.chaos.Lan.Way;
import dev.vigil.chaos.Truth.Held;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;

/// Packets between core and worker, and between core and PostgreSQL, that are lost, late or doubled.
///
/// @param battle what they act on
record NetworkFaults(Battle battle) {
    private static final Duration CUT = Duration.ofSeconds(10);
    private static final Duration BAD = Duration.ofSeconds(6);
    private static final Duration CONNECTED = Duration.ofSeconds(30);

    List<Fault> all() {
        var faults = new ArrayList<Fault>();
        for (Way way : Way.values()) {
            String which = switch (way) {
                case BOTH -> "partition of %s";
                case OUT -> "one-way loss of %s, towards the second";
                case IN -> "one-way loss of %s, from the second";
            };
            faults.add(fault(which.formatted("worker and cores"), () -> workerCut(way, 1, CUT)));
            faults.add(fault(which.formatted("core and PostgreSQL"), () -> coreCut(way, 1)));
        }
        faults.add(fault("loss of 20 % between worker and cores", () -> workerCut(Way.BOTH, 0.2, BAD)));
        faults.add(fault("loss of 20 % between core and PostgreSQL", () -> coreCut(Way.BOTH, 0.2)));
        String slow = "delay (" + fleet().lan().slowness() + ")";
        faults.add(fault(slow + " of all that a worker sends", () -> slow(battle.one(fleet().workerNames()))));
        faults.add(fault(slow + " of all that a core sends", () -> slow(battle.one(fleet().cores()))));
        faults.add(fault("each packet twice, worker to cores", this::doubledToCores));
        faults.add(fault("each packet twice, core to PostgreSQL", this::doubledToDatabase));
        return faults;
    }

    private Fault fault(String name, Fault.Strike strike) {
        return new Fault(name, 3, strike, this::heal);
    }

    private Fleet fleet() {
        return battle.fleet();
    }

    private void heal() {
        fleet().cores().forEach(fleet().lan()::heal);
        fleet().workerNames().forEach(fleet().lan()::heal);
    }

    /// A worker that hears no core is relieved of its work, unless it is back before.
    private List<Figure> workerCut(Way way, double share, Duration time) throws InterruptedException, SQLException {
        List<UUID> tasks = battle.occupy(3_000);
        String worker = battle.one(fleet().workerNames());
        List<Held> held = battle.heldOf(worker, tasks);
        long struck = System.nanoTime();
        for (String core : fleet().cores()) {
            fleet().lan().drop(worker, fleet().lan().address(core), way, share);
        }
        Figure takeover = new Figure("settled", 0, Battle.TAKEOVER);
        if (share == 1 && battle.chance().nextInt(3) == 0) {
            takeover = battle.takenFrom(worker, held, struck);
        } else {
            Waiting.lasting(time);
        }
        heal();
        battle.endedOnce(tasks);
        return List.of(takeover);
    }

    /// A core that cannot reach the database stops by itself, and others take its shards.
    private List<Figure> coreCut(Way way, double share) throws InterruptedException, SQLException {
        List<UUID> tasks = battle.occupy(3_000);
        String core = battle.one(fleet().cores());
        String address = fleet().sessions(core);
        long struck = System.nanoTime();
        fleet().lan().drop(core, Lan.HUB, way, share);
        var figures = new ArrayList<Figure>();
        if (share == 1) {
            Waiting.until(
                    "shards of " + core + " taken over",
                    CONNECTED,
                    () -> fleet().truth().shardsOf(address).isEmpty());
            figures.add(new Figure("takeover", Waiting.since(struck), Battle.TAKEOVER));
        } else {
            Waiting.lasting(BAD);
        }
        heal();
        battle.endedOnce(tasks);
        return figures;
    }

    private List<Figure> slow(String node) throws InterruptedException, SQLException {
        List<UUID> tasks = battle.occupy(2_000);
        fleet().lan().slow(node);
        Waiting.lasting(BAD);
        heal();
        battle.endedOnce(tasks);
        return List.of();
    }

    private List<Figure> doubledToCores() throws InterruptedException, SQLException {
        String worker = battle.one(fleet().workerNames());
        fleet().cores()
                .forEach(core -> fleet().lan().duplicate(worker, fleet().lan().address(core)));
        return doubled();
    }

    private List<Figure> doubledToDatabase() throws InterruptedException, SQLException {
        fleet().lan().duplicate(battle.one(fleet().cores()), Lan.HUB);
        return doubled();
    }

    private List<Figure> doubled() throws InterruptedException, SQLException {
        List<UUID> tasks = battle.occupy(2_000);
        Waiting.lasting(BAD);
        heal();
        battle.endedOnce(tasks);
        return List.of();
    }
}
