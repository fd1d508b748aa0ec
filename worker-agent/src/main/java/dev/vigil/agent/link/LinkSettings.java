package dev.vigil.agent.link;

import dev.vigil.protocol.link.NonceWitness;
import java.time.Duration;

/// How an agent keeps its links.
///
/// @param prefetch executions taken beyond the slots, so that a slot never waits for the next one
/// @param version  told to the cores
/// @param coresAskedEvery how often the list of cores is asked for
/// @param witness  sees the nonces; [NonceWitness#NONE] but in tests
public record LinkSettings(int prefetch, String version, Duration coresAskedEvery, NonceWitness witness) {
    public LinkSettings {
        if (prefetch < 0 || prefetch > 1_000) {
            throw new IllegalArgumentException("vigil.agent.prefetch is " + prefetch + "; use 0 to 1000");
        }
    }
}
