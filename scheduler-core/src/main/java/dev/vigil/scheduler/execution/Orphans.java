package dev.vigil.scheduler.execution;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/// When an open dispatch is given up whose worker does not answer for it. Too early would run it twice, so each
/// case waits for what stops the worker: its watchdog kills what it runs after 12 s without a word of an owner, or of
/// one that has no database ([Tenure#VOUCHES]).
final class Orphans {
    /// How long a worker runs on while no owner can answer, from the owner's last renewal.
    static final Duration GRACE = Duration.ofSeconds(60);

    /// How long what a worker runs outlives the last word of its owner.
    static final Duration OWNED_WITHIN = Duration.ofSeconds(12);

    /// A worker that is silent for so long runs nothing any more. Open dispatches are looked at once a second, and what
    /// is given up must be with another worker within 18 s of the silence's begin.
    static final Duration SILENCE = Duration.ofSeconds(16);

    /// For a watchdog to look, which it does five times a second, and to kill. The end of a core's life is seen up to a
    /// second late and what is given up must run elsewhere: 3 s after the grace all of that is over.
    private static final Duration MARGIN = Duration.ofMillis(1_250);

    private Orphans() {}

    /// What is known of the worker that a dispatch names.
    enum Sight {
        /// It said goodbye, or is here with a new boot: it does not run it.
        GONE,
        /// It is here with the same boot, and has reported since one asks.
        HERE_WITHOUT_IT,
        /// It is here with the same boot and holds it.
        HERE_WITH_IT,
        /// Nothing is heard of it.
        UNHEARD
    }

    /// What to do with an open dispatch.
    enum Decision {
        /// It runs.
        KEEP,
        /// It was never received: it may go out again and costs nothing.
        NEVER_RAN,
        /// It may have run: it goes out again and counts as a loss.
        LOST,
        /// Too early to say.
        WAIT
    }

    /// Decides about a dispatch.
    ///
    /// @param left how much longer its worker may be waited for: what is left to [#until]
    static Decision decide(Sight sight, Duration left) {
        return switch (sight) {
            case HERE_WITH_IT -> Decision.KEEP;
            case HERE_WITHOUT_IT -> Decision.NEVER_RAN;
            case GONE -> Decision.LOST;
            case UNHEARD -> left.isPositive() ? Decision.WAIT : Decision.LOST;
        };
    }

    /// How long to wait for an unheard worker, from its last sign of life, or its core's when that vanished too.
    ///
    /// @param coreVanished the core that dispatched it vanished too, so the worker may believe the database down
    static Duration allowance(boolean coreVanished) {
        return coreVanished ? GRACE.plus(MARGIN) : SILENCE;
    }

    /// Until when an unheard worker is waited for, monotonic. What another core vouched for when it vanished may run on
    /// by its word even if this core has heard its worker since: the worker may not have heard this core.
    ///
    /// @param heard when the worker was heard last, or the dispatch was inherited
    /// @param word  until when a core that vanished may vouch for it; null when none does
    static long until(boolean inherited, long heard, @Nullable Long word) {
        long silent = heard + allowance(false).toNanos();
        if (word == null) {
            return silent;
        }
        return inherited ? word : later(silent, word);
    }

    private static long later(long one, long other) {
        return one - other > 0 ? one : other;
    }
}
