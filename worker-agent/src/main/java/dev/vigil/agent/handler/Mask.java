package dev.vigil.agent.handler;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;

/// Values that must not be read in free text which leaves a run: each occurrence becomes `***`, wherever reads or
/// lines cut it. Occurrences are found by value (Knuth, Morris and Pratt), so a secret that a handler encodes
/// before it writes it is not found. Does not print itself; safe for use by several threads.
public final class Mask {
    /// Hides nothing.
    public static final Mask NONE = new Mask(List.of());

    private static final byte[] STARS = {'*', '*', '*'};

    private final List<byte[]> values;
    private final List<int[]> borders;

    private Mask(List<byte[]> values) {
        this.values = values;
        this.borders = values.stream().map(Mask::borders).toList();
    }

    /// Hides these values; empty ones are passed over. A value's last line break is not part of it: whoever
    /// prints a file's content may leave it out.
    public static Mask of(Collection<byte[]> values) {
        List<byte[]> kept = values.stream()
                .map(Mask::withoutLineBreak)
                .filter(value -> value.length > 0)
                .toList();
        return kept.isEmpty() ? NONE : new Mask(kept);
    }

    private static byte[] withoutLineBreak(byte[] value) {
        int length = value.length;
        while (length > 0 && (value[length - 1] == '\n' || value[length - 1] == '\r')) {
            length--;
        }
        return Arrays.copyOf(value, length);
    }

    /// For each prefix of a value, how long its longest end is that is also its beginning.
    private static int[] borders(byte[] value) {
        var borders = new int[value.length];
        int matched = 0;
        for (int i = 1; i < value.length; i++) {
            while (matched > 0 && value[i] != value[matched]) {
                matched = borders[matched - 1];
            }
            if (value[i] == value[matched]) {
                matched++;
            }
            borders[i] = matched;
        }
        return borders;
    }

    /// A text that is there in full.
    String text(String text) {
        if (values.isEmpty()) {
            return text;
        }
        var out = new ByteArrayOutputStream(text.length());
        Cover cover = cover();
        out.writeBytes(cover.over(text.getBytes(StandardCharsets.UTF_8)));
        out.writeBytes(cover.rest());
        return out.toString(StandardCharsets.UTF_8);
    }

    /// For a text that comes in pieces.
    Cover cover() {
        return new Cover();
    }

    @Override
    public String toString() {
        return "Mask[" + values.size() + " values]";
    }

    /// One text on its way. Bytes that may be the beginning of a value are kept back until that is known. Not
    /// for use by several threads.
    final class Cover {
        private final int[] matched = new int[values.size()];
        private byte[] kept = new byte[256];
        private boolean[] hidden = new boolean[256];
        private int length;
        private boolean starred;

        /// What may be shown by now.
        byte[] over(byte[] piece) {
            if (values.isEmpty()) {
                return piece;
            }
            int waits = 0;
            for (byte next : piece) {
                append(next);
                waits = 0;
                for (int i = 0; i < matched.length; i++) {
                    waits = Math.max(waits, step(i, next));
                }
            }
            return show(length - waits);
        }

        /// What was kept back: the text is over.
        byte[] rest() {
            Arrays.fill(matched, 0);
            byte[] shown = show(length);
            starred = false;
            return shown;
        }

        private void append(byte next) {
            if (length == kept.length) {
                kept = Arrays.copyOf(kept, 2 * length);
                hidden = Arrays.copyOf(hidden, 2 * length);
            }
            kept[length] = next;
            hidden[length] = false;
            length++;
        }

        /// @return how many of the last bytes may be the beginning of this value
        private int step(int index, byte next) {
            byte[] value = values.get(index);
            int[] border = borders.get(index);
            int now = matched[index];
            while (now > 0 && value[now] != next) {
                now = border[now - 1];
            }
            if (value[now] == next) {
                now++;
            }
            if (now == value.length) {
                Arrays.fill(hidden, length - now, length, true);
                now = border[now - 1];
            }
            matched[index] = now;
            return now;
        }

        private byte[] show(int count) {
            var out = new ByteArrayOutputStream(count);
            for (int i = 0; i < count; i++) {
                if (!hidden[i]) {
                    out.write(kept[i]);
                } else if (!starred) {
                    out.writeBytes(STARS);
                }
                starred = hidden[i];
            }
            length -= count;
            System.arraycopy(kept, count, kept, 0, length);
            System.arraycopy(hidden, count, hidden, 0, length);
            return out.toByteArray();
        }
    }
}
