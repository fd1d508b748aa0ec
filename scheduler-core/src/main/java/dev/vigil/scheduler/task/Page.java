package dev.vigil.scheduler.task;

import java.util.UUID;
import org.jspecify.annotations.Nullable;

/// Which part of a list. Lists are in the order of ids, which is the order of creation.
///
/// @param after     the last id of the page before; null for the first page
/// @param limit     1 to 1000
/// @param ascending oldest first; false is the default order, newest first
public record Page(@Nullable UUID after, int limit, boolean ascending) {
    /// Most rows of a page.
    public static final int LIMIT_MAX = 1000;

    public Page {
        if (limit < 1 || limit > LIMIT_MAX) {
            throw new IllegalArgumentException("limit is " + limit + "; use 1 to " + LIMIT_MAX);
        }
    }

    /// The newest.
    public static Page first(int limit) {
        return new Page(null, limit, false);
    }
}
