package dev.vigil.chaos;

import dev.vigil.chaos.FaultTable.Figure;
import dev.vigil.chaos.Truth.Held;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;

/// PostgreSQL killed, away, full, and its connections ended.
///
/// @param battle what they act on
record DatabaseFaults(Battle battle) {
    private static final Duration OUTAGE = Duration.ofSeconds(30);
    private static final Duration FULL = Duration.ofSeconds(6);
    private static final Duration BACK = Duration.ofSeconds(60);
    private static final int TERMINATIONS = 5;

    List<Fault> all() {
        return List.of(
                new Fault("kill -9 of PostgreSQL", 4, this::killed),
                new Fault("PostgreSQL away for 30 s", 1, () -> away(OUTAGE), this::up),
                new Fault("all connections ended, each second for 5 s", 6, this::connectionsEnded));
    }

    /// The same with an outage that a short run can afford.
    Fault shortOutage() {
        return new Fault("PostgreSQL away for 8 s", 0, () -> away(Duration.ofSeconds(8)), this::up);
    }

    /// Only where its folder lies on a disk that may be filled.
    Fault diskFull() {
        return new Fault("disk of PostgreSQL full for 6 s", 3, this::full, this::emptied);
    }

    private Fleet fleet() {
        return battle.fleet();
    }

    private List<Figure> killed() {
        fleet().server().kill();
        return List.of(acknowledgesAgain("takes tasks again", 30));
    }

    private Figure acknowledgesAgain(String name, double bound) {
        long before = battle.load().answered("201");
        double seconds = Waiting.until(name, BACK, () -> battle.load().answered("201") > before + 3);
        return new Figure(name, seconds, bound);
    }

    /// What runs goes on, what is asked is refused in the way that says "come back", and nothing is given out
    /// meanwhile.
    private List<Figure> away(Duration time) throws InterruptedException, IOException, SQLException {
        List<UUID> tasks = battle.occupy(time.toMillis() + 6_000);
        var running = new ArrayList<Held>();
        fleet().workerNames().forEach(worker -> running.addAll(battle.heldOf(worker, tasks)));
        var caller = fleet().caller();
        fleet().server().down();
        long struck = System.nanoTime();
        refused(caller);
        while (Waiting.since(struck) < time.toSeconds()) {
            Waiting.lasting(Duration.ofMillis(200));
        }
        refused(caller);
        fleet().server().up();
        Figure back = acknowledgesAgain("takes tasks again", 10);
        battle.endedOnce(tasks);
        for (Held one : running) {
            Truth.Ended end = fleet().truth().ends(List.of(one.execution())).getFirst();
            int losses = fleet().truth()
                    .rows("SELECT losses FROM scheduler.history WHERE id = ?", row -> row.getInt(1), one.execution())
                    .getFirst();
            if (losses != 0) {
                throw new Broken("what ran did not survive: " + one + " ended as " + end + " after a loss");
            }
        }
        return List.of(back);
    }

    private void refused(Caller caller) {
        for (String api : fleet().apis()) {
            Waiting.until(
                    "503 with Retry-After for reading and writing at " + api,
                    Duration.ofSeconds(12),
                    () -> isRefused(caller.get(api + "/api/v1/tasks"))
                            && isRefused(caller.post(
                                    api + "/api/v1/tasks",
                                    Map.of(
                                            "name",
                                            "refused",
                                            "handler",
                                            "demo.echo",
                                            "schedule",
                                            Map.of("type", "one_time"),
                                            "payload",
                                            Map.of()))));
        }
    }

    private static boolean isRefused(Caller.Reply reply) {
        return reply.status() == 503 && !reply.retryAfter().isEmpty();
    }

    private void up() {
        fleet().server().up();
    }

    private List<Figure> connectionsEnded() throws InterruptedException, SQLException {
        List<UUID> tasks = battle.occupy(2_000);
        for (int i = 0; i < TERMINATIONS; i++) {
            fleet().truth().endSessions();
            Waiting.lasting(Duration.ofSeconds(1));
        }
        Figure back = acknowledgesAgain("takes tasks again", 5);
        battle.endedOnce(tasks);
        return List.of(back);
    }

    private List<Figure> full() throws InterruptedException, IOException {
        long refused = battle.load().answered("503");
        fleet().server().fillDisk();
        Waiting.until("somebody is told 503", BACK, () -> battle.load().answered("503") > refused);
        Waiting.lasting(FULL);
        fleet().server().emptyDisk();
        return List.of(acknowledgesAgain("takes tasks again", 30));
    }

    private void emptied() {
        try {
            fleet().server().emptyDisk();
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }
}
