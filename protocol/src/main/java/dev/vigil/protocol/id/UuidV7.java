package dev.vigil.protocol.id;

import java.nio.ByteBuffer;
import java.security.SecureRandom;
import java.time.Instant;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicLong;

/// UUID version 7 (RFC 9562 section 5.7), in ascending order within a process: 48 bits of Unix milliseconds, a 12-bit
/// counter for ids of the same millisecond (section 6.2, method 1), 62 random bits.
public final class UuidV7 {
    private static final Chance CHANCE = new Chance();
    private static final AtomicLong LAST = new AtomicLong();

    private static final int PLACES = 1 << 17;

    private UuidV7() {}

    /// A new id, greater than every one this process made before it, a step back of the clock included.
    public static UUID next() {
        // Milliseconds and counter are one number: when the counter overflows it borrows from the next millisecond.
        long now = System.currentTimeMillis() << 12;
        long stamp = LAST.updateAndGet(last -> Math.max(now, last + 1));
        return build(stamp >>> 12, (int) (stamp & 0xfff), CHANCE.nextLong());
    }

    /// The smallest id of that millisecond: the bound of a partition or of a range scan.
    public static UUID floor(Instant at) {
        return build(at.toEpochMilli(), 0, 0);
    }

    /// An id that is made of something else than chance, so that it can be made again: the places of one millisecond
    /// are in ascending order.
    ///
    /// @param place  0 to 131,071
    /// @param random what makes it impossible to guess; 57 of its bits count
    public static UUID derived(Instant at, int place, long random) {
        if (place < 0 || place >= PLACES) {
            throw new IllegalArgumentException("place is " + place + "; use 0 to " + (PLACES - 1));
        }
        // Twelve bits of the place stand where the counter does, the lowest five before the random ones.
        return build(at.toEpochMilli(), place >>> 5, (((long) place & 31) << 57) | (random & 0x01ff_ffff_ffff_ffffL));
    }

    /// When the id was made, to the millisecond.
    public static Instant timeOf(UUID uuid) {
        return Instant.ofEpochMilli(uuid.getMostSignificantBits() >>> 16);
    }

    private static UUID build(long millis, int counter, long random) {
        long high = (millis << 16) | 0x7000L | counter;
        long low = (random & 0x3fff_ffff_ffff_ffffL) | 0x8000_0000_0000_0000L;
        return new UUID(high, low);
    }

    /// Random numbers, taken from the system's generator many at a time: one by one they cost more than all else about
    /// an id.
    private static final class Chance {
        private final SecureRandom random = new SecureRandom();
        private final byte[] block = new byte[Long.BYTES * 64];
        private final ByteBuffer left = ByteBuffer.wrap(block).limit(0);

        synchronized long nextLong() {
            if (!left.hasRemaining()) {
                random.nextBytes(block);
                left.clear();
            }
            return left.getLong();
        }
    }
}
