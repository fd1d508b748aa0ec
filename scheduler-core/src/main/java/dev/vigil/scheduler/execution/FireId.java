package dev.vigil.scheduler.execution;

import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Instant;
import java.util.UUID;

/// The id of an occurrence: a UUIDv7 of its time whose other bits are a hash of task and time. The same
/// occurrence has the same id whoever fires it, so it cannot be stored twice.
final class FireId {
    private FireId() {}

    static UUID of(UUID task, Instant scheduledFor) {
        byte[] name = ByteBuffer.allocate(16 + 8 + 4)
                .putLong(task.getMostSignificantBits())
                .putLong(task.getLeastSignificantBits())
                .putLong(scheduledFor.getEpochSecond())
                .putInt(scheduledFor.getNano())
                .array();
        ByteBuffer hash = ByteBuffer.wrap(sha256(name));
        long high = (scheduledFor.toEpochMilli() << 16) | 0x7000L | (hash.getLong() & 0xfff);
        long low = (hash.getLong() & 0x3fff_ffff_ffff_ffffL) | 0x8000_0000_0000_0000L;
        return new UUID(high, low);
    }

    private static byte[] sha256(byte[] bytes) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(bytes);
        } catch (NoSuchAlgorithmException missing) {
            throw new IllegalStateException("SHA-256 is part of every JDK", missing);
        }
    }
}
