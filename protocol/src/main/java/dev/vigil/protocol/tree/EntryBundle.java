package dev.vigil.protocol.tree;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;

/// The entries of one bundle file (C2SP tlog-tiles): each a big-endian 16-bit length and its bytes.
public final class EntryBundle {
    /// The longest entry that the 16-bit length can announce.
    public static final int ENTRY_BYTES_MAX = 65_535;

    private static final int LENGTH_BYTES = 2;

    private final byte[] file;
    private final int[] starts;

    private EntryBundle(byte[] file, int[] starts) {
        this.file = file;
        this.starts = starts;
    }

    /// Reads a file as far as it can be read.
    public static EntryBundle read(byte[] file) {
        byte[] own = file.clone();
        var in = ByteBuffer.wrap(own);
        var starts = new int[Tile.FULL + 1];
        int entries = 0;
        int at = 0;
        while (own.length - at >= LENGTH_BYTES) {
            int length = Short.toUnsignedInt(in.getShort(at));
            if (length > own.length - at - LENGTH_BYTES) {
                break;
            }
            at += LENGTH_BYTES + length;
            entries++;
            starts = entries < starts.length ? starts : Arrays.copyOf(starts, 2 * starts.length);
            starts[entries] = at;
        }
        return new EntryBundle(own, Arrays.copyOf(starts, entries + 1));
    }

    /// Writes entries as they stand in a file. Parts may be concatenated.
    public static byte[] write(List<byte[]> entries) {
        var out = ByteBuffer.allocate(
                entries.stream().mapToInt(entry -> LENGTH_BYTES + entry.length).sum());
        for (byte[] entry : entries) {
            if (entry.length > ENTRY_BYTES_MAX) {
                throw new IllegalArgumentException(
                        "an entry of " + entry.length + " bytes does not fit a bundle; at most " + ENTRY_BYTES_MAX);
            }
            out.putShort((short) entry.length).put(entry);
        }
        return out.array();
    }

    /// How many whole entries it holds.
    public int size() {
        return starts.length - 1;
    }

    /// How many bytes at its end are no whole entry; 0 in a sound bundle.
    public int restBytes() {
        return file.length - starts[size()];
    }

    /// The bytes of one entry.
    ///
    /// @param index its place in the bundle, from 0
    public byte[] entry(int index) {
        return Arrays.copyOfRange(file, starts[index] + LENGTH_BYTES, starts[index + 1]);
    }

    /// The first entries as they stand in the file.
    ///
    /// @param count at most [#size]
    public byte[] first(int count) {
        return Arrays.copyOf(file, starts[count]);
    }
}
