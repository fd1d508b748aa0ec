package dev.vigil.api.web;

import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.Arrays;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.core.simple.JdbcClient;

/// The table `access.idempotency`: calls that were made under a key in the last 24 hours.
final class IdempotencyRows {
    /// How long a call may run before somebody else may take its key over; longer than any database transaction.
    private static final Duration LEASE = Duration.ofSeconds(60);

    private static final long PRUNE_EVERY = Duration.ofMinutes(10).toNanos();

    private final JdbcClient db;
    private final AtomicLong prunedAt = new AtomicLong(System.nanoTime());

    IdempotencyRows(JdbcClient db) {
        this.db = db;
    }

    /// A key of one principal.
    ///
    /// @param hash HMAC of the key as it was sent
    record CallKey(UUID principal, byte[] hash) {}

    /// Who a key belongs to at the moment.
    sealed interface Claim {
        /// The caller. Whatever is made under this key is made of `startedAt`, which stays the same when an earlier
        /// call ended without an answer.
        record Mine(UUID holder, Instant startedAt) implements Claim {}

        /// A call that has not ended.
        record Running() implements Claim {}

        /// A call with another body.
        record Other() implements Claim {}

        /// The same call, which was answered.
        record Answered(byte[] answer, Instant startedAt) implements Claim {}
    }

    private record Row(byte[] request, byte @Nullable [] answer, Instant startedAt, boolean old, boolean busy) {}

    /// Claims a key, or says who has it.
    Claim claim(CallKey key, byte[] request) {
        prune();
        UUID holder = UUID.randomUUID();
        // Two rounds: the row may have been too old, or have gone between looking and taking.
        for (int round = 0; round < 3; round++) {
            Optional<Instant> started = insert(key, request, holder);
            if (started.isPresent()) {
                return new Claim.Mine(holder, started.get());
            }
            Optional<Row> row = find(key);
            if (row.isEmpty()) {
                continue;
            }
            if (row.get().old && !row.get().busy) {
                deleteOld(key);
                continue;
            }
            if (!Arrays.equals(row.get().request, request)) {
                return new Claim.Other();
            }
            byte[] answer = row.get().answer;
            if (answer != null) {
                return new Claim.Answered(answer, row.get().startedAt);
            }
            if (row.get().busy) {
                return new Claim.Running();
            }
            Optional<Instant> again = takeOver(key, holder);
            if (again.isPresent()) {
                return new Claim.Mine(holder, again.get());
            }
        }
        return new Claim.Running();
    }

    private Optional<Instant> insert(CallKey key, byte[] request, UUID holder) {
        return db.sql("""
                        INSERT INTO access.idempotency (principal, key, request, holder, busy_until)
                        VALUES (:principal, :key, :request, :holder, clock_timestamp() + make_interval(secs => :lease))
                            ON CONFLICT DO NOTHING
                        RETURNING started_at
                        """)
                .param("principal", key.principal)
                .param("key", key.hash)
                .param("request", request)
                .param("holder", holder)
                .param("lease", LEASE.toSeconds())
                .query(OffsetDateTime.class)
                .optional()
                .map(OffsetDateTime::toInstant);
    }

    private Optional<Row> find(CallKey key) {
        return db.sql("""
                        SELECT request, answer, started_at, started_at < clock_timestamp() - interval '24 hours' AS old,
                               busy_until > clock_timestamp() AS busy
                          FROM access.idempotency WHERE principal = :principal AND key = :key
                        """)
                .param("principal", key.principal)
                .param("key", key.hash)
                .query((row, _) -> new Row(
                        row.getBytes("request"),
                        row.getBytes("answer"),
                        row.getObject("started_at", OffsetDateTime.class).toInstant(),
                        row.getBoolean("old"),
                        row.getBoolean("busy")))
                .optional();
    }

    private Optional<Instant> takeOver(CallKey key, UUID holder) {
        return db.sql("""
                        UPDATE access.idempotency
                           SET holder = :holder, busy_until = clock_timestamp() + make_interval(secs => :lease)
                         WHERE principal = :principal AND key = :key AND answer IS NULL
                           AND busy_until <= clock_timestamp()
                        RETURNING started_at
                        """)
                .param("principal", key.principal)
                .param("key", key.hash)
                .param("holder", holder)
                .param("lease", LEASE.toSeconds())
                .query(OffsetDateTime.class)
                .optional()
                .map(OffsetDateTime::toInstant);
    }

    private void deleteOld(CallKey key) {
        db.sql("""
                        DELETE FROM access.idempotency
                         WHERE principal = :principal AND key = :key
                           AND started_at < clock_timestamp() - interval '24 hours' AND busy_until <= clock_timestamp()
                        """).param("principal", key.principal).param("key", key.hash).update();
    }

    /// Remembers an answer.
    ///
    /// @return false when the key has been taken over meanwhile, so the answer is not the one
    boolean answer(CallKey key, UUID holder, byte[] sealed) {
        return db.sql("""
                        UPDATE access.idempotency SET answer = :answer, busy_until = clock_timestamp()
                         WHERE principal = :principal AND key = :key AND holder = :holder AND answer IS NULL
                        """)
                        .param("answer", sealed)
                        .param("principal", key.principal)
                        .param("key", key.hash)
                        .param("holder", holder)
                        .update()
                == 1;
    }

    /// A part of a streamed call.
    ///
    /// @param request  HMAC of what was sent
    /// @param failures what went wrong in it, as its handler wrote it
    record Part(byte[] request, byte[] failures) {}

    Optional<Part> part(CallKey key, int part) {
        return db.sql("""
                        SELECT request, failures FROM access.idempotency_part
                         WHERE principal = :principal AND key = :key AND part = :part
                        """)
                .param("principal", key.principal)
                .param("key", key.hash)
                .param("part", part)
                .query((row, _) -> new Part(row.getBytes("request"), row.getBytes("failures")))
                .optional();
    }

    /// Remembers a part, and keeps the key a while longer.
    ///
    /// @return false when the key has been taken over meanwhile
    boolean remember(CallKey key, UUID holder, int number, Part part) {
        return db.sql("""
                        WITH mine AS (
                          UPDATE access.idempotency
                             SET busy_until = clock_timestamp() + make_interval(secs => :lease)
                           WHERE principal = :principal AND key = :key AND holder = :holder AND answer IS NULL
                          RETURNING principal, key
                        )
                        INSERT INTO access.idempotency_part (principal, key, part, request, failures)
                        SELECT principal, key, :part, :request, :failures FROM mine
                        """)
                        .param("lease", LEASE.toSeconds())
                        .param("principal", key.principal)
                        .param("key", key.hash)
                        .param("holder", holder)
                        .param("part", number)
                        .param("request", part.request)
                        .param("failures", part.failures)
                        .update()
                == 1;
    }

    /// Forgets a call that changed nothing, so that it can be sent again, corrected. One that did some of its parts
    /// is only let go.
    void forget(CallKey key, UUID holder) {
        db.sql("""
                        DELETE FROM access.idempotency
                         WHERE principal = :principal AND key = :key AND holder = :holder AND answer IS NULL
                           AND NOT EXISTS (SELECT FROM access.idempotency_part p
                                            WHERE p.principal = :principal AND p.key = :key)
                        """)
                .param("principal", key.principal)
                .param("key", key.hash)
                .param("holder", holder)
                .update();
        release(key, holder);
    }

    /// Lets the same call be tried again at once; what it may have made is made of the same ids then.
    void release(CallKey key, UUID holder) {
        db.sql("""
                        UPDATE access.idempotency SET busy_until = clock_timestamp()
                         WHERE principal = :principal AND key = :key AND holder = :holder AND answer IS NULL
                        """)
                .param("principal", key.principal)
                .param("key", key.hash)
                .param("holder", holder)
                .update();
    }

    /// Removes some of what is too old, now and then.
    private void prune() {
        long now = System.nanoTime();
        long last = prunedAt.get();
        if (now - last > PRUNE_EVERY && prunedAt.compareAndSet(last, now)) {
            db.sql("""
                            DELETE FROM access.idempotency WHERE (principal, key) IN (
                              SELECT principal, key FROM access.idempotency
                               WHERE started_at < clock_timestamp() - interval '24 hours'
                                 AND busy_until <= clock_timestamp()
                               ORDER BY started_at LIMIT 5000)
                            """).update();
        }
    }
}
