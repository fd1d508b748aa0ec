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
    /// @param close while events come; what it finds is signed when the next look finds no more
    /// @param busy  how long events that go on coming are gathered before they are signed
    /// @param idle  after none came for a while: at least half a second, so that a quiet system hardly asks
    /// @param spare between two rounds of pruning, and after a fault that will not pass by itself
    public record Pace(Duration close, Duration busy, Duration idle, Duration spare) {
        /// 25 ms, 200 ms, 500 ms, 5 s.
        public static final Pace DEFAULT =
                new Pace(Duration.ofMillis(25), Duration.ofMillis(200), Duration.ofMillis(500), Duration.ofSeconds(5));

        public Pace {
            boolean inOrder = close.isPositive() && close.compareTo(busy) <= 0 && busy.compareTo(idle) <= 0;
            if (!inOrder || idle.plus(busy).compareTo(Duration.ofSeconds(1)) > 0) {
                throw new IllegalArgumentException("the sequencer looks every " + close + " to " + idle
                        + " and gathers for " + busy + "; an event must be listed within 1 s, so use at most that");
            }
        }
    }
}
