package dev.vigil.scheduler.history;

/// What must hold whatever breaks. The numbers are those of docs/explanation/correctness.md.
public enum Invariant {
    /// What was acknowledged is there at the end, or has ended.
    I1_DURABILITY,
    /// Each occurrence that must run is matched by a start of its own.
    I2_AT_LEAST_ONCE,
    /// An execution ends once, by its newest dispatch, and an occurrence succeeds once.
    I3_SINGLE_COMPLETION,
    /// Fences of an execution grow, and nothing is accepted from behind a newer one.
    I4_FENCING,
    /// Two attempts of an execution run at once only when a host stood still, and not for long.
    I5_BOUNDED_OVERLAP,
    /// Nothing starts before it is due.
    I6_NO_EARLY_START,
    /// Attempts are counted and limited, and waits between them do not shrink.
    I7_RETRIES,
    /// What is due starts within a bound when nothing is broken.
    I8_NO_STARVATION,
    /// No owner has more running than he may.
    I10_LIMITS,
    /// One idempotency key makes one task.
    I13_IDEMPOTENCY
}
