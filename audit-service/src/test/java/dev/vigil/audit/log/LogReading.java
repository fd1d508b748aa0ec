package dev.vigil.audit.log;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.vigil.postgres.Role;
import dev.vigil.protocol.tree.Checkpoint;
import dev.vigil.protocol.tree.EntryBundle;
import dev.vigil.protocol.tree.Frontier;
import dev.vigil.protocol.tree.Hash;
import dev.vigil.protocol.tree.Tile;
import dev.vigil.protocol.tree.TiledTree;
import java.util.ArrayList;
import java.util.List;
import org.springframework.jdbc.core.simple.JdbcClient;

/// Reads a log back the way a stranger would, and checks all of it on the way.
final class LogReading {
    private LogReading() {}

    /// The entries of the log as text, after everything was recomputed from them.
    static List<String> checkedEntries(Ledger ledger) {
        JdbcClient db = ledger.as(Role.AUDIT);
        var checkpoint = (Checkpoint.Opened.Verified) Checkpoint.open(
                new Checkpoints(db).latest().orElseThrow().note().getBytes(UTF_8),
                ledger.signer().verifier());
        long size = checkpoint.checkpoint().head().size();
        var entries = new ArrayList<String>();
        var tree = new Frontier();
        for (long bundle = 0; bundle * Tile.FULL < size; bundle++) {
            Tile tile = Tile.in(size, Tile.ENTRIES, bundle).orElseThrow();
            EntryBundle read = EntryBundle.read(new Entries(db).bundle(tile).orElseThrow());
            assertThat(read.size()).isEqualTo(tile.width());
            for (int i = 0; i < read.size(); i++) {
                entries.add(new String(read.entry(i), UTF_8));
                tree.append(Hash.leaf(read.entry(i)), Frontier.TileSink.NONE);
            }
        }
        assertThat(tree.head()).isEqualTo(checkpoint.checkpoint().head());
        assertThat(new TiledTree(size, new Hashes(db)).head())
                .isEqualTo(checkpoint.checkpoint().head());
        assertThat(db.sql("SELECT coalesce(sum(cardinality(ids)), 0) FROM audit.event_ids")
                        .query(Long.class)
                        .single())
                .isEqualTo(size);
        return entries;
    }
}
