package dev.vigil.audit.log;

import dev.vigil.audit.log.LogWriter.Gathered;
import dev.vigil.audit.log.SequencerSettings.Pace;
import java.time.Duration;
import java.util.function.LongSupplier;

/// When the sequencer signs what it has gathered, and when it looks again. Events that go on coming are gathered: a
/// checkpoint over many costs little more than one over few, and things that several of them mention are listed once.
/// But when a look finds nothing new, what there is is signed at once, so whoever waits for the last event of a burst
/// waits for one look.
final class Rhythm {
    private final Pace pace;
    private final LongSupplier nanos;
    private Duration pause;
    private boolean gathering;
    private long since;

    /// @param nanos a monotonic clock
    Rhythm(Pace pace, LongSupplier nanos) {
        this.pace = pace;
        this.nanos = nanos;
        this.pause = pace.idle();
    }

    /// After a look: whether what is gathered is to be signed now.
    boolean isRipe(Gathered gathered) {
        if (gathered.rows() == 0) {
            Duration longer = pause.isZero() ? pace.close() : pause.multipliedBy(2);
            pause = longer.compareTo(pace.idle()) < 0 ? longer : pace.idle();
            return false;
        }
        long now = nanos.getAsLong();
        if (!gathering) {
            gathering = true;
            since = now;
        }
        boolean ripe = gathered.full()
                || !gathered.news()
                || now - since >= pace.busy().toNanos();
        gathering = !ripe;
        // What fills a checkpoint is not all there is.
        pause = gathered.full() ? Duration.ZERO : pace.close();
        return ripe;
    }

    /// Until the next look.
    Duration pause() {
        return pause;
    }
}
