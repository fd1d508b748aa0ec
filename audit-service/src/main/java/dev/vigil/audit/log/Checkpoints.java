package dev.vigil.audit.log;

import dev.vigil.protocol.tree.Hash;
import dev.vigil.protocol.tree.TreeHead;
import java.util.Optional;
import org.springframework.jdbc.core.simple.JdbcClient;

/// The table `audit.checkpoint`: what the log signed, one row for each size it stopped at.
public final class Checkpoints {
    private static final long BEFORE_THE_FIRST = -1;

    private final JdbcClient db;

    /// The checkpoints, seen through that connection or pool.
    public Checkpoints(JdbcClient db) {
        this.db = db;
    }

    /// A signed checkpoint.
    ///
    /// @param head size and root
    /// @param note the note as it is served
    public record Signed(TreeHead head, String note) {}

    /// The newest checkpoint.
    ///
    /// @return empty before the sequencer's first start
    public Optional<Signed> latest() {
        return db.sql("""
                        SELECT size, root, note
                          FROM audit.checkpoint
                         ORDER BY size DESC
                         LIMIT 1
                        """)
                .query((row, number) -> new Signed(
                        new TreeHead(row.getLong("size"), Hash.of(row.getBytes("root"))), row.getString("note")))
                .optional();
    }

    /// Signs nothing, stores what was signed: the checkpoint of the empty tree.
    void appendFirst(Signed signed) {
        append(BEFORE_THE_FIRST, signed);
    }

    /// Stores the successor of the checkpoint of that size.
    ///
    /// @throws org.springframework.dao.DuplicateKeyException when that one already has a successor
    void append(long previous, Signed signed) {
        db.sql("""
                        INSERT INTO audit.checkpoint (size, previous, root, note)
                        VALUES (:size, :previous, :root, :note)
                        """)
                .param("size", signed.head().size())
                .param("previous", previous)
                .param("root", signed.head().root().bytes())
                .param("note", signed.note())
                .update();
    }
}
