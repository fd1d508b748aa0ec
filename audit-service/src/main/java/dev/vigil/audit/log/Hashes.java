package dev.vigil.audit.log;

import dev.vigil.protocol.tree.Frontier;
import dev.vigil.protocol.tree.Hash;
import dev.vigil.protocol.tree.Tile;
import dev.vigil.protocol.tree.TiledTree;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.jdbc.support.SqlArrayValue;

/// The table `audit.hash_part`: the tree's hashes in tiles of 256, each in one or more parts.
public final class Hashes implements TiledTree.TileSource {
    private final JdbcClient db;

    /// The hashes, seen through that connection or pool.
    public Hashes(JdbcClient db) {
        this.db = db;
    }

    /// Collects what a growing tree puts into its tiles, then appends it all at once.
    final class Growth implements Frontier.TileSink {
        private final Map<Integer, Row> rows = new TreeMap<>();

        /// Hashes of one level, the first of which stands at that index.
        private record Row(long first, List<Hash> hashes) {}

        @Override
        public void put(int level, long index, Hash hash) {
            rows.computeIfAbsent(level, any -> new Row(index, new ArrayList<>()))
                    .hashes()
                    .add(hash);
        }

        void append() {
            var levels = new ArrayList<Integer>();
            var tiles = new ArrayList<Long>();
            var starts = new ArrayList<Integer>();
            var parts = new ArrayList<byte[]>();
            rows.forEach((level, row) -> {
                for (int done = 0; done < row.hashes().size(); ) {
                    long index = row.first() + done;
                    int start = (int) (index % Tile.FULL);
                    int count = Math.min(Tile.FULL - start, row.hashes().size() - done);
                    levels.add(level);
                    tiles.add(index / Tile.FULL);
                    starts.add(start);
                    parts.add(bytes(row.hashes().subList(done, done + count)));
                    done += count;
                }
            });
            db.sql("""
                            INSERT INTO audit.hash_part (level, tile, start, n, hashes)
                            SELECT level, tile, start, octet_length(hashes) / 32, hashes
                              FROM unnest(:levels, :tiles, :starts, :parts) AS part (level, tile, start, hashes)
                            """)
                    .param("levels", new SqlArrayValue("smallint", levels.toArray()))
                    .param("tiles", new SqlArrayValue("bigint", tiles.toArray()))
                    .param("starts", new SqlArrayValue("smallint", starts.toArray()))
                    .param("parts", new SqlArrayValue("bytea", (Object[]) parts.toArray(byte[][]::new)))
                    .update();
        }
    }

    /// The hashes of a tile, as many as it is wide, or fewer when they are not all there.
    @Override
    public List<Hash> read(Tile tile) {
        var hashes = new ArrayList<Hash>(tile.width());
        db.sql("""
                        SELECT hashes
                          FROM audit.hash_part
                         WHERE level = :level AND tile = :tile AND start < :width
                         ORDER BY start
                        """)
                .param("level", tile.level())
                .param("tile", tile.index())
                .param("width", tile.width())
                .query((row, number) -> ByteBuffer.wrap(row.getBytes("hashes")))
                .list()
                .forEach(part -> {
                    while (part.remaining() >= Hash.BYTES && hashes.size() < tile.width()) {
                        hashes.add(Hash.readFrom(part));
                    }
                });
        return hashes;
    }

    /// Hashes one after the other, as a tile is served.
    public static byte[] bytes(List<Hash> hashes) {
        var out = ByteBuffer.allocate(hashes.size() * Hash.BYTES);
        hashes.forEach(hash -> hash.writeTo(out));
        return out.array();
    }
}
