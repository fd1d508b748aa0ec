package dev.vigil.chaos;

import dev.vigil.scheduler.history.Event;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;

/// What one worker ran, as the history checker reads it.
///
/// @param host   its name
/// @param lines  what it wrote down
/// @param deaths when its processes ended, monotonic: what they ran ended with them
/// @param pauses when they stood still
/// @param clock  the observer's
record Runs(String host, List<StartLog.Line> lines, List<Long> deaths, List<Pause> pauses, Reading clock) {
    /// A process that stood still, monotonic.
    record Pause(long from, long until) {}

    /// The two clocks of this machine at one moment.
    record Reading(Instant wall, long nanos) {
        static Reading now() {
            return new Reading(Instant.now(), System.nanoTime());
        }

        Instant at(long then) {
            return wall.plusNanos(then - nanos);
        }
    }

    private record Attempt(UUID execution, long fence) {}

    List<Event> events() {
        var events = new ArrayList<Event>();
        Map<Attempt, Long> running = new HashMap<>();
        for (StartLog.Line line : lines) {
            var attempt = new Attempt(line.execution(), line.fence());
            if (line.begins()) {
                running.put(attempt, line.nanos());
                events.add(new Event.Started(clock.at(line.nanos()), line.execution(), line.fence(), host));
            } else {
                running.remove(attempt);
                events.add(new Event.Stopped(clock.at(line.nanos()), line.execution(), line.fence()));
            }
        }
        running.forEach((attempt, since) -> deaths.stream()
                .filter(death -> death - since >= 0)
                .min(Long::compare)
                .ifPresent(death -> events.add(new Event.Stopped(clock.at(death), attempt.execution, attempt.fence))));
        pauses.forEach(pause -> events.add(new Event.Paused(clock.at(pause.from), host, clock.at(pause.until))));
        return events;
    }
}
