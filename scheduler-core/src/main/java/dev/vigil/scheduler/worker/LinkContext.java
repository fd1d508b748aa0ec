package dev.vigil.scheduler.worker;

import dev.vigil.protocol.link.NonceWitness;
import dev.vigil.scheduler.execution.WorkerBoot;
import java.time.InstantSource;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/// What the link stands in.
///
/// @param clock    for the ends of sessions and certificates
/// @param workers  the registry
/// @param lock     where clones are reported
/// @param witness  sees the nonces; [NonceWitness#NONE] but in tests
/// @param presence the connected workers, kept by the link
public record LinkContext(
        InstantSource clock,
        Workers workers,
        LockReport lock,
        NonceWitness witness,
        Map<WorkerBoot, WorkerPresence> presence) {
    /// The usual one.
    public LinkContext(InstantSource clock, Workers workers, LockReport lock) {
        this(clock, workers, lock, NonceWitness.NONE, new ConcurrentHashMap<>());
    }
}
