package dev.vigil.chaos;

import dev.vigil.chaos.FaultTable.Figure;
import dev.vigil.chaos.Truth.Held;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;

/// Wall clocks of workers and cores that jump, and jump back.
///
/// @param battle what they act on
/// @param clocks of its nodes
record ClockFaults(Battle battle, Clocks clocks) {
    private static final List<Duration> JUMPS =
            List.of(Duration.ofHours(1), Duration.ofHours(-1), Duration.ofSeconds(30), Duration.ofSeconds(-30));
    private static final Duration WRONG = Duration.ofSeconds(4);

    List<Fault> all() {
        var faults = new ArrayList<Fault>();
        for (Duration jump : JUMPS) {
            String how = (jump.isNegative() ? "-" : "+") + (jump.abs().toHours() > 0 ? "1 h" : "30 s");
            for (String node : Clocks.MOVABLE) {
                String whose = node.startsWith("worker") ? "worker " : "core ";
                faults.add(new Fault("clock of a " + whose + how, 2, () -> jump(node, jump), () -> right(node)));
            }
        }
        return faults;
    }

    private void right(String node) {
        clocks.put(node, Duration.ZERO);
    }

    /// No lease, timeout or due time goes by a wall clock of a core or worker: nothing that runs is taken from anybody.
    private List<Figure> jump(String node, Duration ahead) throws InterruptedException, SQLException {
        List<UUID> tasks = battle.occupy(6_000);
        var running = new ArrayList<Held>();
        battle.fleet().workerNames().forEach(worker -> running.addAll(battle.heldOf(worker, tasks)));
        clocks.put(node, ahead);
        Waiting.lasting(WRONG);
        right(node);
        battle.endedOnce(tasks);
        for (Held one : running) {
            List<Integer> losses = battle.fleet()
                    .truth()
                    .rows(
                            "SELECT losses FROM scheduler.history WHERE id = ? AND losses > 0",
                            row -> row.getInt(1),
                            one.execution());
            if (!losses.isEmpty()) {
                throw new Broken("a clock's jump cost " + one + " its worker");
            }
        }
        return List.of();
    }
}
