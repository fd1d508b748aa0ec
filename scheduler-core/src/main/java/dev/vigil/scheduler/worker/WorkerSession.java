package dev.vigil.scheduler.worker;

import dev.vigil.protocol.link.SessionTerms;
import dev.vigil.scheduler.execution.WorkerBoot;
import java.time.Instant;
import java.util.Arrays;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicBoolean;

/// What a worker and this core agreed on over HTTPS. The secret lives here and nowhere else; it does not print
/// itself.
///
/// @param terms     what the keys are bound to
/// @param secret    32 random bytes; the array is the session's own
/// @param abilities what the worker can do
/// @param openedAt  when it was made
/// @param expiresAt end of the session: one hour, or the end of the certificate
/// @param used      whether a connection has spoken in it
record WorkerSession(
        SessionTerms terms,
        byte[] secret,
        Abilities abilities,
        Instant openedAt,
        Instant expiresAt,
        AtomicBoolean used) {

    /// What a worker says of itself.
    ///
    /// @param slots    executions at once
    /// @param handlers names it can run
    /// @param sandbox  `bubblewrap`, `docker`, `podman` or `none`
    /// @param limits   `cgroup` or `rlimit`
    /// @param version  of its software
    record Abilities(int slots, Set<String> handlers, String sandbox, String limits, String version) {
        Abilities {
            handlers = Set.copyOf(handlers);
        }
    }

    UUID worker() {
        return terms.worker();
    }

    WorkerBoot boot() {
        return new WorkerBoot(terms.worker(), terms.boot());
    }

    boolean fits(Carrier carrier) {
        return carrier.worker().equals(worker()) && Arrays.equals(carrier.certificateHash(), terms.certificateHash());
    }

    @Override
    public String toString() {
        return "WorkerSession[" + Long.toUnsignedString(terms.session()) + " of worker " + worker() + "]";
    }
}
