package dev.vigil.scheduler.history;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// A history in the order of its times, and by kind.
final class Timeline {
    private final List<Event> inOrder;
    private final Map<Class<?>, List<Event>> byKind = new HashMap<>();

    Timeline(List<Event> events) {
        inOrder = new ArrayList<>(events);
        inOrder.sort(Comparator.comparing(Event::at));
        inOrder.forEach(event -> byKind.computeIfAbsent(event.getClass(), kind -> new ArrayList<>())
                .add(event));
    }

    List<Event> inOrder() {
        return inOrder;
    }

    /// All of one kind, in their order.
    <E extends Event> List<E> all(Class<E> kind) {
        return byKind.getOrDefault(kind, List.of()).stream().map(kind::cast).toList();
    }

    /// How far the database's clock was ahead at a time.
    Duration databaseAhead(Instant at) {
        Duration ahead = Duration.ZERO;
        for (Event.DatabaseClock step : all(Event.DatabaseClock.class)) {
            if (step.at().isAfter(at)) {
                break;
            }
            ahead = step.ahead();
        }
        return ahead;
    }

    /// Where it ends.
    Instant end() {
        return inOrder.isEmpty() ? Instant.EPOCH : inOrder.getLast().at();
    }
}
