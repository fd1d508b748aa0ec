package dev.vigil.chaos;

import dev.vigil.scheduler.history.Bounds;
import dev.vigil.scheduler.history.HistoryCheck;
import java.io.IOException;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.UUID;

/// What must hold over a whole run, when all is over.
///
/// @param truth the database
/// @param load  who created the tasks
/// @param feed  all that is known of the run
record Verdict(Truth truth, Load load, HistoryFeed feed) {
    private static final int VIOLATIONS_SHOWN = 20;
    /// On a machine that has other things to do.
    private static final Bounds BOUNDS = Bounds.PROMISED.withStart(Duration.ofSeconds(30));

    /// All that does not hold.
    List<String> wrong() throws IOException, SQLException {
        var wrong = new ArrayList<String>(load.wrong());
        var unended = new ArrayList<UUID>(load.acknowledged().keySet());
        unended.removeAll(load.schedules());
        List<Truth.Ended> ends = truth.ends(unended);
        ends.stream().filter(end -> end.state() != 1).forEach(end -> wrong.add("a task did not succeed: " + end));
        unended.removeAll(ends.stream().map(Truth.Ended::execution).toList());
        report(wrong, "acknowledged and lost", unended);
        report(wrong, "ended twice", truth.endedTwice());
        report(wrong, "ended under a fence that was never recorded", truth.unrecorded());
        var ids = new HashSet<>(load.acknowledged().values());
        if (ids.size() != load.acknowledged().size()) {
            wrong.add((load.acknowledged().size() - ids.size()) + " keys made more than one task");
        }
        HistoryCheck.of(feed.events(), BOUNDS).stream()
                .limit(VIOLATIONS_SHOWN)
                .forEach(violation -> wrong.add(violation.toString()));
        truth.fires(load.schedules()).forEach((task, fires) -> gaps(task, fires, wrong));
        return wrong;
    }

    private static void report(List<String> wrong, String what, List<UUID> which) {
        if (!which.isEmpty()) {
            wrong.add(what + ": " + Truth.list(which));
        }
    }

    /// A schedule fires once at each multiple of its interval, whatever happens at that time.
    private static void gaps(UUID task, List<Instant> fires, List<String> wrong) {
        for (int i = 1; i < fires.size(); i++) {
            Instant expected = fires.get(i - 1).plus(Load.FIRE_EVERY);
            if (!fires.get(i).equals(expected)) {
                wrong.add("schedule " + task + " fired at " + fires.get(i - 1) + " and then at " + fires.get(i));
            }
        }
        if (fires.size() < 2) {
            wrong.add("schedule " + task + " fired " + fires.size() + " times");
        }
    }
}
