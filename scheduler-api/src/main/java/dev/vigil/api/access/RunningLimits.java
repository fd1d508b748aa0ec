package dev.vigil.api.access;

import java.util.UUID;
import org.jspecify.annotations.Nullable;

/// Tells the engine how many executions of a user's tasks may run at once. This package does not know it.
@FunctionalInterface
public interface RunningLimits {
    /// What runs goes on; within seconds no more of it starts than this.
    ///
    /// @param most null for no limit
    void set(int namespace, UUID user, @Nullable Integer most);
}
