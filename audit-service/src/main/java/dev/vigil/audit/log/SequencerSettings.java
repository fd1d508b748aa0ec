package dev.vigil.audit.log;

import dev.vigil.protocol.tree.NoteSigner;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;

/// How the sequencer works.
///
/// @param signer  signs the checkpoints; its name is the log's origin
/// @param sources schemas with an outbox
/// @param pace    how often it looks
/// @param time    the clock of its own events
public record SequencerSettings(NoteSigner signer, List<String> sources, Pace pace, InstantSource time) {
    public SequencerSettings {
        sources = List.copyOf(sources);
        if (sources.isEmpty()) {
            throw new IllegalArgumentException("vigil.audit.sources is empty; name schemas such as scheduler, access");
        }
    }

    /// How often the sequencer looks.
    ///
    /// @param busy  after events came
    /// @param idle  after none came; at least half a second, so that a quiet system asks at most twice a second
    /// @param spare between two rounds of pruning, and after a fault that will not pass by itself
    public record Pace(Duration busy, Duration idle, Duration spare) {
        /// 200 ms, 500 ms, 5 s.
        public static final Pace DEFAULT =
                new Pace(Duration.ofMillis(200), Duration.ofMillis(500), Duration.ofSeconds(5));

        public Pace {
            if (busy.isNegative() || busy.compareTo(idle) > 0 || idle.compareTo(Duration.ofSeconds(1)) > 0) {
                throw new IllegalArgumentException("the sequencer looks every " + busy + " or " + idle
                        + "; an event must be listed within 1 s, so use at most that");
            }
        }
    }
}
