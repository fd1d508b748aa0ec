package dev.vigil.audit.log;

import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// Places of one span that are being packed, some five bytes each: how much later than the one before it happened and
/// how much further in the log it stands, each in seven bits a byte.
final class Places {
    private static final int LONG_BYTES_MAX = 10;

    private final long span;
    private byte[] bytes = new byte[16];
    private int length;
    private long at;
    private long seq;

    /// No places of the span yet whose newest event happened then, and whose first event has that index.
    Places(long newest, long span) {
        this.at = newest - Mentions.SPAN_MICROS_MAX;
        this.span = span;
        this.seq = span;
    }

    /// Index of the span's first event.
    long span() {
        return span;
    }

    /// Adds a place, behind all that are there.
    void add(Place place) {
        if (bytes.length - length < 2 * LONG_BYTES_MAX) {
            bytes = Arrays.copyOf(bytes, 2 * bytes.length + 2 * LONG_BYTES_MAX);
        }
        put(place.atMicros() - at);
        long step = place.seq() - seq;
        // The sign goes into the lowest bit: in the order of time the index may go back.
        put((step << 1) ^ (step >> 63));
        at = place.atMicros();
        seq = place.seq();
    }

    private void put(long value) {
        long rest = value;
        while ((rest & ~0x7fL) != 0) {
            bytes[length++] = (byte) (rest | 0x80);
            rest >>>= 7;
        }
        bytes[length++] = (byte) rest;
    }

    /// What is stored.
    byte[] bytes() {
        return Arrays.copyOf(bytes, length);
    }

    /// Places in order, from what was stored.
    ///
    /// @throws IllegalStateException when it was cut
    static List<Place> read(long newest, long span, byte[] stored) {
        var places = new ArrayList<Place>();
        var in = ByteBuffer.wrap(stored);
        long at = newest - Mentions.SPAN_MICROS_MAX;
        long seq = span;
        try {
            while (in.hasRemaining()) {
                at += take(in);
                long step = take(in);
                seq += (step >>> 1) ^ -(step & 1);
                places.add(new Place(at, seq));
            }
        } catch (BufferUnderflowException cut) {
            throw new IllegalStateException("the directory of events has a row that was cut, of span " + span, cut);
        }
        return places;
    }

    private static long take(ByteBuffer in) {
        long value = 0;
        int shift = 0;
        byte next;
        do {
            next = in.get();
            value |= (next & 0x7fL) << shift;
            shift += 7;
        } while (next < 0);
        return value;
    }
}
