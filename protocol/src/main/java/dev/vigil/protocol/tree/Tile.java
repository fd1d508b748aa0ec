package dev.vigil.protocol.tree;

import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// The name of a tile or of an entry bundle (C2SP tlog-tiles): up to 256 neighbours of one level, served as one file.
///
/// @param level 0 holds leaf hashes, 1 the hashes of full tiles of level 0, and so on; [#ENTRIES] holds the entries
/// @param index the place of the tile within its level, from 0
/// @param width how many hashes or entries it holds: 256 when it is full, fewer at the right edge
public record Tile(int level, long index, int width) {
    /// The level number of entry bundles, which lie under level 0.
    public static final int ENTRIES = -1;

    /// What a full tile holds.
    public static final int FULL = 256;

    /// How many levels of the tree one tile spans.
    public static final int HEIGHT = 8;

    private static final int LEVEL_MAX = 63;
    private static final Pattern PATH =
            Pattern.compile("tile/(entries|0|[1-9][0-9]?)/((?:x[0-9]{3}/){0,5}[0-9]{3})(?:\\.p/([1-9][0-9]{0,2}))?");

    public Tile {
        if (level < ENTRIES || level > LEVEL_MAX || index < 0 || width < 1 || width > FULL) {
            throw new IllegalArgumentException(
                    "no tile has level " + level + ", index " + index + " and width " + width);
        }
    }

    /// The tile of that level and index in a tree of `treeSize` leaves.
    ///
    /// @return empty when the tree is too small to have it
    public static Optional<Tile> in(long treeSize, int level, long index) {
        long hashes = hashes(treeSize, level);
        // Compared before it is multiplied: an index out of a URL may be too large for that.
        long width = index > hashes / FULL ? 0 : hashes - index * FULL;
        return width < 1 ? Optional.empty() : Optional.of(new Tile(level, index, (int) Math.min(width, FULL)));
    }

    /// How many hashes (or entries) a level holds in a tree of `treeSize` leaves.
    public static long hashes(long treeSize, int level) {
        return level * HEIGHT >= Long.SIZE ? 0 : treeSize >>> (Math.max(level, 0) * HEIGHT);
    }

    /// Reads a path such as `tile/0/x001/234/067.p/5`.
    ///
    /// @return empty unless it is exactly the form that [#path] writes
    public static Optional<Tile> parse(String path) {
        Matcher parts = PATH.matcher(path);
        if (!parts.matches()) {
            return Optional.empty();
        }
        int level = parts.group(1).equals("entries") ? ENTRIES : Integer.parseInt(parts.group(1));
        long index = Long.parseLong(parts.group(2).replace("x", "").replace("/", ""));
        int width = parts.group(3) == null ? FULL : Integer.parseInt(parts.group(3));
        if (level > LEVEL_MAX || width > FULL) {
            return Optional.empty();
        }
        var tile = new Tile(level, index, width);
        return tile.path().equals(path) ? Optional.of(tile) : Optional.empty();
    }

    /// Where it is served: `tile/<level>/<index>` and `.p/<width>` when it is not full.
    public String path() {
        var groups = new StringBuilder(group(index));
        for (long rest = index / 1000; rest > 0; rest /= 1000) {
            groups.insert(0, "x" + group(rest) + "/");
        }
        String name = level == ENTRIES ? "entries" : Integer.toString(level);
        return "tile/" + name + "/" + groups + (width == FULL ? "" : ".p/" + width);
    }

    /// The first leaf it covers.
    public long firstLeaf() {
        return (index * FULL) << (Math.max(level, 0) * HEIGHT);
    }

    private static String group(long number) {
        String digits = Long.toString(number % 1000);
        return "0".repeat(3 - digits.length()) + digits;
    }
}
