package dev.vigil.chaos;

import dev.vigil.chaos.FaultTable.Figure;
import dev.vigil.chaos.Points.Caught;
import dev.vigil.chaos.Points.Point;
import dev.vigil.chaos.Truth.Held;
import java.io.IOException;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.UUID;

/// kill -9 at named points: while a COMMIT is held back by the database, and while a worker that is sent something is
/// stopped.
///
/// @param battle what they act on
/// @param points where services are caught
record PointFaults(Battle battle, Points points) {
    private static final Duration TAKEN = Duration.ofSeconds(60);
    /// A key belongs to the call that began with it for a minute; until then another API answers 409 with Retry-After.
    private static final double KEY_IN_USE = 65;

    List<Fault> all() {
        return List.of(
                new Fault("kill -9 of a core before its dispatch commits", 4, () -> caught(Point.DISPATCH, false)),
                new Fault(
                        "kill -9 of a core after its dispatch commits, before it sends",
                        4,
                        () -> caught(Point.DISPATCH, true)),
                new Fault("kill -9 of a core after it sent, before the worker has it", 3, this::sent, this::wakeAll),
                new Fault("kill -9 of a core before its results commit", 4, () -> caught(Point.RESULT, false)),
                new Fault(
                        "kill -9 of a core after its results commit, before it knows",
                        4,
                        () -> caught(Point.RESULT, true)),
                new Fault("kill -9 of a core before a schedule's advance commits", 4, () -> caught(Point.CRON, false)),
                new Fault("kill -9 of a core after a schedule's advance commits", 4, () -> caught(Point.CRON, true)),
                new Fault("kill -9 of an API between commit and answer", 4, this::answer));
    }

    private Fleet fleet() {
        return battle.fleet();
    }

    /// Kills the core whose COMMIT is held back. Its transaction is then ended, or goes through with nobody to hear it.
    private List<Figure> caught(Point point, boolean commits) throws SQLException {
        String victim;
        try (Points.Trap trap = points.arm(point)) {
            Caught caught = trap.caught(fleet().truth());
            victim = core(caught);
            fleet().node(victim).kill();
            if (!commits) {
                fleet().truth()
                        .rows("SELECT pg_terminate_backend(?, 5000)", row -> row.getBoolean(1), caught.backend());
            }
        }
        long struck = System.nanoTime();
        String address = fleet().sessions(victim);
        Waiting.until(
                "shards of " + victim + " taken over",
                TAKEN,
                () -> fleet().truth().shardsOf(address).isEmpty());
        Figure takeover = new Figure("takeover", Waiting.since(struck), Battle.TAKEOVER);
        fleet().node(victim).start();
        return List.of(takeover);
    }

    private String core(Caught caught) throws SQLException {
        UUID incarnation = UUID.fromString(
                caught.application().substring(caught.application().indexOf(' ') + 1));
        for (String name : fleet().cores()) {
            if (fleet().truth().incarnations(fleet().sessions(name)).contains(incarnation)) {
                return name;
            }
        }
        throw new Broken(caught + " is no core of this fleet");
    }

    /// A stopped worker takes nothing from its connection: what is dispatched to it is sent and never acknowledged.
    private List<Figure> sent() throws InterruptedException, SQLException {
        String worker = battle.one(fleet().workerNames());
        UUID id = fleet().worker(worker);
        fleet().node(worker).stop();
        Waiting.until(
                "something is sent to " + worker,
                Duration.ofSeconds(20),
                () -> !fleet().truth().heldBy(id).isEmpty());
        List<Held> held = fleet().truth().heldBy(id);
        String core = battle.one(fleet().cores());
        fleet().node(core).kill();
        fleet().node(core).start();
        fleet().node(worker).wake();
        battle.endedOnce(held.stream().map(Held::execution).toList());
        return List.of();
    }

    private void wakeAll() {
        fleet().workerNames().stream()
                .filter(name -> fleet().node(name).isAlive())
                .forEach(name -> fleet().node(name).wake());
    }

    /// The client never hears of its task, asks again under the same key and gets that very task.
    private List<Figure> answer() throws IOException, SQLException, InterruptedException {
        String name = "unanswered-" + UUID.randomUUID();
        Map<String, Object> body = Map.of(
                "name",
                name,
                "handler",
                "demo.echo",
                "schedule",
                Map.of("type", "one_time"),
                "payload",
                Map.of("n", 1));
        String lost = fleet().url("api-2");
        battle.load().avoid(lost);
        Waiting.lasting(Duration.ofSeconds(1));
        var caller = fleet().caller();
        Thread asking;
        try (Points.Trap trap = points.arm(Point.TASK)) {
            asking = Thread.ofVirtual().start(() -> unanswered(caller, lost, name, body));
            trap.caught(fleet().truth());
            fleet().node("api-2").kill();
        } finally {
            battle.load().useAll();
        }
        asking.join();
        Waiting.until(
                "the task is stored",
                Duration.ofSeconds(10),
                () -> !stored(name).isEmpty());
        fleet().node("api-2").start();
        long again = System.nanoTime();
        UUID told = battle.load().create(name, body);
        Figure answered = new Figure("same key answered", Waiting.since(again), KEY_IN_USE);
        List<UUID> stored = stored(name);
        if (!stored.equals(List.of(told))) {
            throw new Broken("stored as " + stored + ", and told " + told + " under the same key");
        }
        return List.of(answered);
    }

    private static void unanswered(Caller caller, String api, String name, Map<String, Object> body) {
        try {
            Caller.Reply reply = caller.post(api + "/api/v1/tasks", body, name);
            throw new Broken("an API that was killed answered " + reply.status());
        } catch (IOException gone) {
            System.getLogger("chaos").log(System.Logger.Level.DEBUG, "no answer, as meant", gone);
        }
    }

    private List<UUID> stored(String name) throws SQLException {
        return fleet().truth()
                .rows("SELECT id FROM scheduler.task WHERE name = ?", row -> row.getObject(1, UUID.class), name);
    }
}
