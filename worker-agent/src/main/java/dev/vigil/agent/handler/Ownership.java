package dev.vigil.agent.handler;

import java.time.Duration;
import java.util.Collection;
import java.util.UUID;

/// What the cores say about the executions that run here, fed by the link and watched by a process of its own. An
/// execution that nobody has called `owned` for 12 s is killed, or after the orphan grace (60 s) while some core
/// says `database_down`. An execution counts as owned when it starts.
///
/// The age is measured from when the heartbeat was *sent* that was answered: an answer that lay in a buffer while
/// the agent was stopped must not extend anything.
public interface Ownership {
    /// A core confirmed that it owns these.
    void owned(Collection<UUID> executions, Duration age);

    /// A core that owned these has no database and cannot ask whether it does still.
    void databaseDown(Collection<UUID> executions, Duration age);
}
