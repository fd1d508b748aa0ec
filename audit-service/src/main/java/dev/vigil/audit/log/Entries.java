package dev.vigil.audit.log;

import dev.vigil.protocol.audit.EventBatch;
import dev.vigil.protocol.tree.EntryBundle;
import dev.vigil.protocol.tree.Tile;
import java.nio.ByteBuffer;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.jdbc.support.SqlArrayValue;

/// The table `audit.entry_part`: the log's entries in bundles of 256, each in one or more parts. A part in which events
/// are packed is stored as the outboxes have them, and its canonical bytes are written out when it is read; another one
/// is stored as it is served.
public final class Entries {
    private static final Logger LOG = LoggerFactory.getLogger(Entries.class);

    private final JdbcClient db;

    /// The entries, seen through that connection or pool.
    public Entries(JdbcClient db) {
        this.db = db;
    }

    /// Appends entries; the first gets that index.
    void append(long first, List<Leaf> entries) {
        var bundles = new ArrayList<Long>();
        var starts = new ArrayList<Integer>();
        var counts = new ArrayList<Integer>();
        var parts = new ArrayList<byte @Nullable []>();
        var framed = new ArrayList<byte @Nullable []>();
        for (int done = 0; done < entries.size(); ) {
            long index = first + done;
            int start = (int) (index % Tile.FULL);
            int count = Math.min(Tile.FULL - start, entries.size() - done);
            bundles.add(index / Tile.FULL);
            starts.add(start);
            counts.add(count);
            List<Leaf> part = entries.subList(done, done + count);
            boolean packed = part.stream().anyMatch(leaf -> EventBatch.isPacked(leaf.frame()));
            parts.add(
                    packed
                            ? null
                            : EntryBundle.write(part.stream().map(Leaf::bytes).toList()));
            framed.add(packed ? concatenated(part.stream().map(Leaf::frame).toList()) : null);
            done += count;
        }
        db.sql("""
                        INSERT INTO audit.entry_part (bundle, start, n, entries, framed)
                        SELECT * FROM unnest(:bundles, :starts, :counts, :parts, :framed)
                        """)
                .param("bundles", new SqlArrayValue("bigint", bundles.toArray()))
                .param("starts", new SqlArrayValue("smallint", starts.toArray()))
                .param("counts", new SqlArrayValue("smallint", counts.toArray()))
                .param("parts", new SqlArrayValue("bytea", (Object[]) parts.toArray(byte[][]::new)))
                .param("framed", new SqlArrayValue("bytea", (Object[]) framed.toArray(byte[][]::new)))
                .update();
    }

    private static byte[] concatenated(List<byte[]> frames) {
        var out = ByteBuffer.allocate(
                frames.stream().mapToInt(frame -> frame.length).sum());
        frames.forEach(out::put);
        return out.array();
    }

    /// A part as it is stored. What somebody has destroyed ends it early: then its bundle is not whole, and whoever
    /// verifies the log is told so.
    ///
    /// @param bundle of which it is
    /// @param start  place of its first entry there
    private record Part(long bundle, int start, List<byte[]> stored, boolean framed) {
        static Part of(ResultSet row) throws SQLException {
            byte[] framed = row.getBytes("framed");
            List<byte[]> stored = framed == null ? plain(row.getBytes("entries")) : frames(framed);
            return new Part(row.getLong("bundle"), row.getInt("start"), stored, framed != null);
        }

        private static List<byte[]> plain(byte[] entries) {
            EntryBundle bundle = EntryBundle.read(entries);
            return IntStream.range(0, bundle.size()).mapToObj(bundle::entry).toList();
        }

        private static List<byte[]> frames(byte[] framed) {
            try {
                return EventBatch.frames(framed);
            } catch (IllegalArgumentException destroyed) {
                LOG.error("event=entries_unreadable", destroyed);
                return List.of();
            }
        }

        /// The canonical bytes of one of its entries.
        Optional<byte[]> entry(int place) {
            if (place < 0 || place >= stored.size()) {
                return Optional.empty();
            }
            try {
                byte[] one = stored.get(place);
                return Optional.of(framed ? EventBatch.Entry.of(one).bytes() : one);
            } catch (IllegalArgumentException destroyed) {
                LOG.error("event=entry_unreadable bundle={} place={}", bundle, start + place, destroyed);
                return Optional.empty();
            }
        }

        /// All of them, up to the first that cannot be read.
        List<byte[]> entries() {
            return IntStream.range(0, stored.size())
                    .mapToObj(this::entry)
                    .takeWhile(Optional::isPresent)
                    .map(Optional::orElseThrow)
                    .toList();
        }
    }

    /// A bundle as it is served.
    ///
    /// @return empty when not all its entries are there
    public Optional<byte[]> bundle(Tile tile) {
        List<byte[]> entries = db
                .sql("""
                        SELECT bundle, start, entries, framed
                          FROM audit.entry_part
                         WHERE bundle = :bundle AND start < :width
                         ORDER BY start
                        """)
                .param("bundle", tile.index())
                .param("width", tile.width())
                .query((row, number) -> Part.of(row))
                .list()
                .stream()
                .flatMap(part -> part.entries().stream())
                .toList();
        return entries.size() < tile.width()
                ? Optional.empty()
                : Optional.of(EntryBundle.write(entries.subList(0, tile.width())));
    }

    /// Single entries.
    ///
    /// @param indexes where they stand in the log
    /// @return their bytes by index, in the order asked for; those that are not there are left out
    public Map<Long, byte[]> at(List<Long> indexes) {
        List<Part> parts = db.sql("""
                        SELECT DISTINCT ON (part.bundle, part.start) part.bundle, part.start, part.entries, part.framed
                          FROM unnest(:indexes) AS wanted (index)
                          JOIN LATERAL (SELECT bundle, start, entries, framed
                                          FROM audit.entry_part
                                         WHERE bundle = wanted.index / 256 AND start <= wanted.index % 256
                                         ORDER BY start DESC
                                         LIMIT 1) AS part ON true
                        """)
                .param("indexes", new SqlArrayValue("bigint", indexes.toArray()))
                .query((row, number) -> Part.of(row))
                .list();
        var found = new LinkedHashMap<Long, byte[]>();
        for (long index : indexes) {
            for (Part part : parts) {
                long place = index - part.bundle() * Tile.FULL - part.start();
                if (place >= 0 && place < Tile.FULL) {
                    part.entry((int) place).ifPresent(entry -> found.put(index, entry));
                }
            }
        }
        return found;
    }
}
