package dev.vigil.chaos;

import dev.vigil.chaos.FaultTable.Figure;
import dev.vigil.chaos.Truth.Held;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.random.RandomGenerator;

/// What faults act on, and the steps that many of them share.
///
/// @param fleet  the processes
/// @param load   who creates tasks meanwhile
/// @param chance chooses victims
record Battle(Fleet fleet, Load load, RandomGenerator chance) {
    static final double TAKEOVER = 18;
    static final double GOODBYE = 5;
    /// The grace of an orphan and 3 s.
    static final double BOTH_GONE = 63;
    private static final Duration NOTICED = Duration.ofSeconds(90);

    <T> T one(List<T> of) {
        return of.get(chance.nextInt(of.size()));
    }

    /// A task of its own that sleeps.
    UUID sleeper(long millis) throws InterruptedException {
        return load.create(
                "sleeper-" + UUID.randomUUID(),
                Map.of(
                        "name",
                        "sleeper",
                        "handler",
                        "demo.sleep",
                        "schedule",
                        Map.of("type", "one_time"),
                        "payload",
                        Map.of("ms", millis)));
    }

    /// Gives every worker something to run for this long.
    ///
    /// @return the tasks, of which each worker holds some
    List<UUID> occupy(long millis) throws InterruptedException {
        var tasks = new ArrayList<UUID>();
        for (int i = 0; i < 4 * fleet.workerNames().size(); i++) {
            tasks.add(sleeper(millis));
        }
        Waiting.until(
                "each worker runs one",
                Duration.ofSeconds(20),
                () -> fleet.workerNames().stream()
                        .noneMatch(worker -> heldOf(worker, tasks).isEmpty()));
        return tasks;
    }

    /// Those of some one_time tasks that a worker holds.
    List<Held> heldOf(String worker, Collection<UUID> tasks) {
        try {
            return fleet.truth().heldBy(fleet.worker(worker)).stream()
                    .filter(held -> tasks.contains(held.execution()))
                    .toList();
        } catch (SQLException failure) {
            throw new IllegalStateException(failure);
        }
    }

    /// Waits until a worker has lost what it held.
    ///
    /// @param since when it was struck, monotonic
    Figure takenFrom(String worker, List<Held> held, long since) {
        Waiting.until(
                worker + " is relieved of " + held, NOTICED, () -> fleet.truth().takenFrom(fleet.worker(worker), held));
        return new Figure("takeover", Waiting.since(since), TAKEOVER);
    }

    /// Each of these ended once, as a success.
    void endedOnce(Collection<UUID> executions) throws SQLException {
        Waiting.until(
                "ends of " + Truth.list(executions),
                NOTICED,
                () -> fleet.truth().ends(executions).size() >= executions.size());
        for (UUID execution : executions) {
            List<Truth.Ended> ends = fleet.truth().ends(List.of(execution));
            if (ends.size() != 1 || ends.getFirst().state() != 1) {
                throw new Broken("ended as " + ends);
            }
        }
    }
}
