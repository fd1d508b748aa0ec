package dev.vigil.scheduler.execution;

import dev.vigil.scheduler.execution.KnownLimits.Shared;
import dev.vigil.scheduler.task.Limited;
import dev.vigil.scheduler.task.Limited.Kind;
import dev.vigil.scheduler.task.SharedLimits.Rate;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/// The model of a limited rate: what the database hands out, and when executions started.
final class ModelStarts {
    private static final Limited KEY = new Limited(Kind.HANDLER, 0, new UUID(8, 8));

    private final ModelDatabase database;
    private final List<Instant> stamps = new ArrayList<>();
    private final List<Instant> at = new ArrayList<>();

    @Nullable Rate rate;

    ModelStarts(ModelDatabase database) {
        this.database = database;
    }

    Shared known() {
        return rate == null ? Shared.NONE : new Shared(Map.of(), Map.of(ModelDatabase.HANDLER, KEY));
    }

    Rates.Handed take(int wish) {
        Rate limited = rate;
        if (limited == null) {
            throw new AssertionError("starts are asked for where there is no limit");
        }
        Instant now = database.clock();
        Duration span = limited.per().plus(limited.use()).plus(limited.step());
        stamps.removeIf(stamp -> !stamp.isAfter(now.minus(span)));
        int came = Math.min(wish, Math.max(0, limited.maxStarts() - stamps.size()));
        for (int i = 0; i < came; i++) {
            stamps.add(now);
        }
        Instant again = came < wish ? stamps.getFirst().plus(span) : null;
        return new Rates.Handed(came, now.plus(limited.use()), again);
    }

    /// An execution started.
    void at(Instant time) {
        at.add(time);
    }

    /// A time in which more started than the limit says, by a clock that went steadily.
    Optional<String> broken() {
        Rate limited = rate;
        if (limited == null) {
            return Optional.empty();
        }
        for (int i = limited.maxStarts(); i < at.size(); i++) {
            Instant first = at.get(i - limited.maxStarts());
            if (Duration.between(first, at.get(i)).compareTo(limited.per()) < 0) {
                return Optional.of("RATE: more than " + limited + " started from " + first + " on");
            }
        }
        return Optional.empty();
    }
}
