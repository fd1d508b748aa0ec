package dev.vigil.scheduler.worker;

import dev.vigil.protocol.link.SessionTerms;
import dev.vigil.scheduler.execution.WorkerBoot;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;

/// The sessions of this incarnation of the core, in memory only: after a restart every worker asks for a new one.
///
/// Safe for use by several threads.
final class Sessions {
    /// Sessions of one worker at a time: the one in use, the next one, and those of a boot before.
    static final int PER_WORKER_MAX = 8;

    private static final SecureRandom RANDOM = new SecureRandom();

    private final UUID incarnation;
    private final Duration life;
    private final InstantSource clock;
    private final Map<Long, WorkerSession> sessions = new ConcurrentHashMap<>();

    Sessions(UUID incarnation, Duration life, InstantSource clock) {
        this.incarnation = incarnation;
        this.life = life;
        this.clock = clock;
    }

    UUID incarnation() {
        return incarnation;
    }

    /// Who asks for a session.
    ///
    /// @param boot            the worker and its life
    /// @param certificateHash SHA-256 of the certificate it showed
    /// @param notAfter        end of that certificate
    record Applicant(WorkerBoot boot, byte[] certificateHash, Instant notAfter) {}

    /// Makes a session.
    ///
    /// @return empty when the worker has too many that are in use
    Optional<WorkerSession> open(Applicant applicant, WorkerSession.Abilities abilities) {
        Instant now = clock.instant();
        sessions.values().removeIf(session -> !session.expiresAt().isAfter(now));
        UUID worker = applicant.boot().worker();
        List<WorkerSession> alive = sessions.values().stream()
                .filter(session -> session.worker().equals(worker))
                .toList();
        if (alive.size() >= PER_WORKER_MAX) {
            // A worker that could not use its sessions, because the link was unreachable, must not be locked out by
            // them.
            Optional<WorkerSession> unused = alive.stream()
                    .filter(session -> !session.used().get())
                    .min(Comparator.comparing(WorkerSession::openedAt));
            if (unused.isEmpty()) {
                return Optional.empty();
            }
            sessions.remove(unused.get().terms().session());
        }
        var secret = new byte[32];
        RANDOM.nextBytes(secret);
        Instant hour = now.plus(life);
        Instant end = applicant.notAfter().isBefore(hour) ? applicant.notAfter() : hour;
        var terms = new SessionTerms(
                worker, applicant.boot().boot(), incarnation, RANDOM.nextLong(), "tls", applicant.certificateHash());
        var session = new WorkerSession(terms, secret, abilities, now, end, new AtomicBoolean());
        sessions.put(terms.session(), session);
        return Optional.of(session);
    }

    /// A session that is in force.
    Optional<WorkerSession> find(long id) {
        return Optional.ofNullable(sessions.get(id)).filter(this::alive);
    }

    boolean alive(WorkerSession session) {
        return sessions.containsKey(session.terms().session())
                && clock.instant().isBefore(session.expiresAt());
    }

    /// Whether the holder of that certificate has any session.
    boolean anyFits(Carrier carrier) {
        return sessions.values().stream().anyMatch(session -> session.fits(carrier) && alive(session));
    }

    /// Ends the sessions of the same boot that were made before this one came into use.
    void retireOlder(WorkerSession used) {
        used.used().set(true);
        sessions.values()
                .removeIf(other -> other.boot().equals(used.boot())
                        && other.terms().session() != used.terms().session()
                        && !other.expiresAt().isAfter(used.expiresAt()));
    }

    void end(WorkerBoot boot) {
        sessions.values().removeIf(session -> session.boot().equals(boot));
    }

    /// Ends every session of a worker.
    void endAll(UUID worker) {
        sessions.values().removeIf(session -> session.worker().equals(worker));
    }
}
