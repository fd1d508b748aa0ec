package dev.vigil.api.web;

import dev.vigil.api.web.IdempotencyRows.CallKey;
import dev.vigil.api.web.IdempotencyRows.Part;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/// The parts of a call under a key.
final class KeyedParts implements Parts {
    private final IdempotencyRows rows;
    private final KeyBox keys;
    private final CallKey key;
    private final Turn turn;

    /// Whose turn it is.
    ///
    /// @param holder  of the call that runs; null for one that was answered and is replayed
    /// @param parts   of the call that was answered
    /// @param ids     made of the key
    record Turn(@Nullable UUID holder, int parts, CallRunner.Ids ids) {}

    KeyedParts(IdempotencyRows rows, KeyBox keys, CallKey key, Turn turn) {
        this.rows = rows;
        this.keys = keys;
        this.key = key;
        this.turn = turn;
    }

    @Override
    public UUID id(int place) {
        return turn.ids.apply(place);
    }

    @Override
    public Optional<byte[]> done(int part, byte[] digest) {
        Optional<Part> known = rows.part(key, part);
        if (known.isPresent() && !MessageDigest.isEqual(known.get().request(), seal(digest))) {
            throw CallRunner.reused();
        }
        if (known.isEmpty() && turn.holder == null) {
            throw CallRunner.reused();
        }
        return known.map(Part::failures);
    }

    @Override
    public void remember(int part, byte[] digest, byte[] failures) {
        UUID holder = turn.holder;
        if (holder == null || !rows.remember(key, holder, part, new Part(seal(digest), failures))) {
            throw CallRunner.inUse();
        }
    }

    @Override
    public void end(int parts) {
        UUID holder = turn.holder;
        if (holder == null) {
            if (parts != turn.parts) {
                throw CallRunner.reused();
            }
        } else if (!rows.answer(
                key, holder, ByteBuffer.allocate(Integer.BYTES).putInt(parts).array())) {
            throw CallRunner.inUse();
        }
    }

    @Override
    public void release() {
        UUID holder = turn.holder;
        if (holder != null) {
            rows.release(key, holder);
        }
    }

    private byte[] seal(byte[] digest) {
        return keys.mac("access.idempotency.part", digest);
    }
}
