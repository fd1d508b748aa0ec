package dev.vigil.api.web;

import dev.vigil.protocol.id.UuidV7;
import java.time.Instant;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.UUID;

/// What a streamed call does, part by part, so that the same call goes on where it was cut off, and is replayed without
/// being stored: ids are made again, and only what went wrong is remembered.
public interface Parts {
    /// The id of what is made at a place, the same each time.
    UUID id(int place);

    /// What was remembered of a part.
    ///
    /// @param digest SHA-256 of the part as received
    /// @return empty when it has not been done
    /// @throws ProblemException 422 when the part is another one than under the same key before
    Optional<byte[]> done(int part, byte[] digest);

    /// Remembers a part.
    ///
    /// @throws ProblemException 409 when the same call has been taken over by another connection
    void remember(int part, byte[] digest, byte[] failures);

    /// The last part has been done.
    ///
    /// @throws ProblemException as [#done] does, when the call had another number of parts before
    void end(int parts);

    /// The call ends, and something of it is worth another try: the same call does what was not remembered.
    void release();

    /// Of a call without a key: remembers nothing.
    static Parts unkeyed() {
        Instant now = UuidV7.timeOf(UuidV7.next());
        long seed = UUID.randomUUID().getLeastSignificantBits();
        return new Parts() {
            @Override
            public UUID id(int place) {
                return UuidV7.derived(now, place, new SplittableRandom(seed + place).nextLong());
            }

            @Override
            public Optional<byte[]> done(int part, byte[] digest) {
                return Optional.empty();
            }

            @Override
            public void remember(int part, byte[] digest, byte[] failures) {}

            @Override
            public void end(int parts) {}

            @Override
            public void release() {}
        };
    }
}
