package dev.vigil.api.web;

import dev.vigil.api.web.IdempotencyRows.CallKey;
import dev.vigil.api.web.IdempotencyRows.Claim;
import dev.vigil.api.web.Route.Means;
import dev.vigil.protocol.id.UuidV7;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.HexFormat;
import java.util.Objects;
import java.util.UUID;
import java.util.function.IntFunction;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.transaction.support.TransactionTemplate;

/// Runs the handler of a call: as it is, only to see what would happen (`dry_run`), or at most once for all calls with
/// the same `Idempotency-Key`.
///
/// What a route with [Means#TRANSACTION] changes is committed together with its answer, so a crash between leaves
/// neither. One with [Means#HANDLER] makes its ids of the key ([Call#newId]), so that the same call finds what the
/// first one made.
public final class CallRunner {
    private static final Logger LOG = LoggerFactory.getLogger(CallRunner.class);
    private static final String HEADER = "Idempotency-Key";
    private static final int KEY_LENGTH_MAX = 255;

    private final IdempotencyRows rows;
    private final TransactionTemplate transaction;
    private final KeyBox keys;

    public CallRunner(JdbcClient db, TransactionTemplate transaction, KeyBox keys) {
        this.rows = new IdempotencyRows(db);
        this.transaction = transaction;
        this.keys = keys;
    }

    /// Answers a call.
    Answer run(Call call) throws IOException {
        Route.Writing writing = call.route().writing();
        if (call.isDryRun()) {
            return rehearse(call, writing);
        }
        String key = call.header(HEADER).orElse("");
        if (writing.key() == Means.NONE || call.header(HEADER).isEmpty()) {
            return call.route().handler().handle(call);
        }
        if (key.isBlank() || key.length() > KEY_LENGTH_MAX || !key.chars().allMatch(c -> c >= ' ' && c < 127)) {
            throw new ProblemException(
                    Code.MALFORMED_REQUEST, "The header Idempotency-Key holds 1 to 255 printable ASCII characters.");
        }
        UUID principal = call.caller().id();
        var row = new CallKey(
                principal, keys.mac("access.idempotency.key/" + principal, key.getBytes(StandardCharsets.US_ASCII)));
        return switch (rows.claim(row, request(call, writing))) {
            case Claim.Running() -> throw inUse();
            case Claim.Other() -> throw reused();
            case Claim.Answered answered -> replay(call, row, answered).header("Idempotent-Replayed", "true");
            case Claim.Mine mine -> once(call, row, mine);
        };
    }

    static ProblemException inUse() {
        return new ProblemException(Problem.of(
                        Code.IDEMPOTENCY_KEY_IN_USE,
                        "A call with this Idempotency-Key has not ended; wait, then send the same again.")
                .header("Retry-After", "1"));
    }

    static ProblemException reused() {
        return new ProblemException(
                Code.IDEMPOTENCY_KEY_REUSED,
                "This Idempotency-Key was used for another request within 24 hours; use a new one.");
    }

    private Answer replay(Call call, CallKey key, Claim.Answered answered) throws IOException {
        if (call.route().writing().key() != Means.PARTS) {
            return StoredAnswer.read(keys.unwrap(purpose(key), answered.answer()));
        }
        int parts = ByteBuffer.wrap(answered.answer()).getInt();
        call.partsFrom(
                new KeyedParts(rows, keys, key, new KeyedParts.Turn(null, parts, ids(key, answered.startedAt()))));
        return call.route().handler().handle(call);
    }

    private Answer once(Call call, CallKey key, Claim.Mine mine) throws IOException {
        call.idsFrom(ids(key, mine.startedAt()));
        try {
            return switch (call.route().writing().key()) {
                case TRANSACTION ->
                    inTransaction(() -> {
                        Answer answer = call.route().handler().handle(call);
                        if (!remember(key, mine, answer)) {
                            throw inUse();
                        }
                        return answer;
                    });
                case HANDLER -> {
                    Answer answer = call.route().handler().handle(call);
                    // Overtaken is fine here: both made the same thing.
                    var _ = remember(key, mine, answer);
                    yield answer;
                }
                case PARTS -> {
                    call.partsFrom(new KeyedParts(
                            rows, keys, key, new KeyedParts.Turn(mine.holder(), 0, ids(key, mine.startedAt()))));
                    yield call.route().handler().handle(call);
                }
                case NONE -> throw new IllegalStateException("a call without a key was claimed");
            };
        } catch (ProblemException e) {
            if (e.problem().code().status() < 500) {
                rows.forget(key, mine.holder());
            } else {
                rows.release(key, mine.holder());
            }
            throw e;
        } catch (UncheckedIOException e) {
            releaseQuietly(key, mine, e);
            throw e.getCause();
        } catch (RuntimeException | IOException e) {
            releaseQuietly(key, mine, e);
            throw e;
        }
    }

    private boolean remember(CallKey key, Claim.Mine mine, Answer answer) {
        return rows.answer(key, mine.holder(), keys.wrap(purpose(key), StoredAnswer.bytes(answer)));
    }

    private void releaseQuietly(CallKey key, Claim.Mine mine, Exception fault) {
        try {
            rows.release(key, mine.holder());
        } catch (RuntimeException e) {
            // The lease ends by itself; what matters to the client is the first fault.
            fault.addSuppressed(e);
            LOG.warn("event=idempotency_key_not_released it is free again within a minute");
        }
    }

    private Ids ids(CallKey key, Instant startedAt) {
        return place -> derived(key, startedAt, place);
    }

    private UUID derived(CallKey key, Instant startedAt, int place) {
        byte[] seed = ByteBuffer.allocate(key.hash().length + Long.BYTES + Integer.BYTES)
                .put(key.hash())
                .putLong(startedAt.toEpochMilli())
                .putInt(place)
                .array();
        byte[] mac = keys.mac("access.idempotency.id/" + key.principal(), seed);
        return UuidV7.derived(startedAt, place, ByteBuffer.wrap(mac).getLong());
    }

    private static String purpose(CallKey key) {
        return "access.idempotency.answer/" + key.principal() + "/"
                + HexFormat.of().formatHex(key.hash());
    }

    /// What makes two calls the same: method, path, query and body, or else the parts of it.
    private byte[] request(Call call, Route.Writing writing) throws IOException {
        byte[] head =
                (call.method() + " " + call.path() + "?" + call.rawQuery() + "\n").getBytes(StandardCharsets.UTF_8);
        byte[] body = writing.key() == Means.PARTS ? new byte[0] : call.body(writing.bodyMax());
        return keys.mac(
                "access.idempotency.request",
                ByteBuffer.allocate(head.length + body.length)
                        .put(head)
                        .put(body)
                        .array());
    }

    private Answer rehearse(Call call, Route.Writing writing) throws IOException {
        if (writing.dryRun() == Means.HANDLER) {
            return StoredAnswer.rehearsed(call.route().handler().handle(call));
        }
        // Read before the transaction, which must not wait for a client.
        var _ = call.body(writing.bodyMax());
        return StoredAnswer.rehearsed(Objects.requireNonNull(transaction.execute(status -> {
            status.setRollbackOnly();
            Answer answer = unchecked(() -> call.route().handler().handle(call));
            status.flush();
            return answer;
        })));
    }

    private Answer inTransaction(Work work) {
        return Objects.requireNonNull(transaction.execute(_ -> unchecked(work)));
    }

    @FunctionalInterface
    private interface Work {
        Answer run() throws IOException;
    }

    private static Answer unchecked(Work work) {
        try {
            return work.run();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// Ids by place; see [Call#newId].
    interface Ids extends IntFunction<UUID> {}
}
