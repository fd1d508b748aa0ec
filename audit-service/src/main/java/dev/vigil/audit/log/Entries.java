package dev.vigil.audit.log;

import dev.vigil.protocol.tree.EntryBundle;
import dev.vigil.protocol.tree.Tile;
import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.jdbc.support.SqlArrayValue;

/// The table `audit.entry_part`: the log's entries in bundles of 256, each in one or more parts.
public final class Entries {
    private final JdbcClient db;

    /// The entries, seen through that connection or pool.
    public Entries(JdbcClient db) {
        this.db = db;
    }

    /// Appends entries; the first gets that index.
    void append(long first, List<byte[]> entries) {
        var bundles = new ArrayList<Long>();
        var starts = new ArrayList<Integer>();
        var counts = new ArrayList<Integer>();
        var parts = new ArrayList<byte[]>();
        for (int done = 0; done < entries.size(); ) {
            long index = first + done;
            int start = (int) (index % Tile.FULL);
            int count = Math.min(Tile.FULL - start, entries.size() - done);
            bundles.add(index / Tile.FULL);
            starts.add(start);
            counts.add(count);
            parts.add(EntryBundle.write(entries.subList(done, done + count)));
            done += count;
        }
        db.sql("""
                        INSERT INTO audit.entry_part (bundle, start, n, entries)
                        SELECT * FROM unnest(:bundles, :starts, :counts, :parts)
                        """)
                .param("bundles", new SqlArrayValue("bigint", bundles.toArray()))
                .param("starts", new SqlArrayValue("smallint", starts.toArray()))
                .param("counts", new SqlArrayValue("smallint", counts.toArray()))
                .param("parts", new SqlArrayValue("bytea", (Object[]) parts.toArray(byte[][]::new)))
                .update();
    }

    /// A bundle as it is served.
    ///
    /// @return empty when not all its entries are there
    public Optional<byte[]> bundle(Tile tile) {
        List<byte[]> parts = db.sql("""
                        SELECT entries
                          FROM audit.entry_part
                         WHERE bundle = :bundle AND start < :width
                         ORDER BY start
                        """)
                .param("bundle", tile.index())
                .param("width", tile.width())
                .query((row, number) -> row.getBytes("entries"))
                .list();
        var file = new ByteArrayOutputStream();
        parts.forEach(file::writeBytes);
        EntryBundle bundle = EntryBundle.read(file.toByteArray());
        return bundle.size() < tile.width() ? Optional.empty() : Optional.of(bundle.first(tile.width()));
    }

    /// Single entries.
    ///
    /// @param indexes where they stand in the log
    /// @return their bytes by index, in the order asked for; those that are not there are left out
    public Map<Long, byte[]> at(List<Long> indexes) {
        record Part(long bundle, int start, EntryBundle entries) {}
        List<Part> parts = db.sql("""
                        SELECT DISTINCT ON (part.bundle, part.start) part.bundle, part.start, part.entries
                          FROM unnest(:indexes) AS wanted (index)
                          JOIN LATERAL (SELECT bundle, start, entries
                                          FROM audit.entry_part
                                         WHERE bundle = wanted.index / 256 AND start <= wanted.index % 256
                                         ORDER BY start DESC
                                         LIMIT 1) AS part ON true
                        """)
                .param("indexes", new SqlArrayValue("bigint", indexes.toArray()))
                .query((row, number) ->
                        new Part(row.getLong("bundle"), row.getInt("start"), EntryBundle.read(row.getBytes("entries"))))
                .list();
        var found = new LinkedHashMap<Long, byte[]>();
        for (long index : indexes) {
            for (Part part : parts) {
                long place = index - part.bundle() * Tile.FULL - part.start();
                if (place >= 0 && place < part.entries().size()) {
                    found.put(index, part.entries().entry((int) place));
                }
            }
        }
        return found;
    }
}
