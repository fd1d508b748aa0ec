package dev.vigil.protocol.tree;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// The tiles of a tree that grows leaf by leaf, in memory.
final class MemoryTiles implements Frontier.TileSink, TiledTree.TileSource {
    private final Map<Integer, List<Hash>> levels = new HashMap<>();

    static MemoryTiles of(List<Hash> leaves) {
        var tiles = new MemoryTiles();
        var frontier = new Frontier();
        leaves.forEach(leaf -> frontier.append(leaf, tiles));
        return tiles;
    }

    @Override
    public void put(int level, long index, Hash hash) {
        List<Hash> row = levels.computeIfAbsent(level, any -> new ArrayList<>());
        if (row.size() != index) {
            throw new IllegalStateException("level " + level + " got hash " + index + " after " + row.size());
        }
        row.add(hash);
    }

    @Override
    public List<Hash> read(Tile tile) {
        int start = (int) tile.index() * Tile.FULL;
        return levels.getOrDefault(tile.level(), List.of()).subList(start, start + tile.width());
    }
}
