package dev.vigil.audit.log;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.vigil.audit.log.Checkpoints.Signed;
import dev.vigil.audit.log.Outboxes.Position;
import dev.vigil.audit.log.Outboxes.Row;
import dev.vigil.protocol.audit.AuditEvent;
import dev.vigil.protocol.audit.EventType;
import dev.vigil.protocol.audit.Result;
import dev.vigil.protocol.tree.Checkpoint;
import dev.vigil.protocol.tree.Checkpoint.Opened.Refused;
import dev.vigil.protocol.tree.Frontier;
import dev.vigil.protocol.tree.Hash;
import dev.vigil.protocol.tree.NoteSigner;
import dev.vigil.protocol.tree.TiledTree;
import dev.vigil.protocol.tree.TreeHead;
import dev.vigil.protocol.tree.VerifierKey;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.jdbc.datasource.DataSourceTransactionManager;
import org.springframework.jdbc.datasource.SingleConnectionDataSource;
import org.springframework.transaction.support.TransactionTemplate;

/// Takes events out of the outboxes and appends them to the log, over one connection. A step is one transaction:
/// entries, hashes, directory, progress and the signed checkpoint are all there or nothing is. It goes on from the
/// checkpoint it knows, and that each checkpoint has at most one successor makes two writers harmless: one fails.
///
/// Not safe for use by several threads.
final class LogWriter {
    private final SequencerSettings settings;
    private final TransactionTemplate transaction;
    private final Outboxes outboxes;
    private final Entries entries;
    private final Hashes hashes;
    private final Checkpoints checkpoints;
    private final Progress progress;
    private final Mentions mentions;
    private final EventIds ids;
    private final UnreadableRows unreadable;
    private final Outbox outbox;
    private final Map<String, Position> positions = new HashMap<>();
    private final Map<String, Position> pruned = new HashMap<>();
    /// Rows that were read and are not in the log yet, in order, and behind which the next ones are.
    private final List<Row> gathered = new ArrayList<>();
    private final Map<String, Position> read = new HashMap<>();
    private long gatheredBytes;
    private @Nullable Frontier tree;

    /// A writer over a connection that nobody else uses.
    LogWriter(SingleConnectionDataSource connection, SequencerSettings settings) {
        this.settings = settings;
        this.transaction = new TransactionTemplate(new DataSourceTransactionManager(connection));
        var db = JdbcClient.create(connection);
        this.outboxes = new Outboxes(db, settings.sources());
        this.entries = new Entries(db);
        this.hashes = new Hashes(db);
        this.checkpoints = new Checkpoints(db);
        this.progress = new Progress(db);
        this.mentions = new Mentions(connection);
        this.ids = new EventIds(connection);
        this.unreadable = new UnreadableRows(db);
        this.outbox = new Outbox(db);
    }

    /// What a step did.
    ///
    /// @param rows   how many rows of outboxes it took; 0 when there were none to take
    /// @param events how many entries the log gained
    record Step(int rows, int events) {}

    /// What was read and is not in the log yet.
    ///
    /// @param rows how many rows of outboxes
    /// @param news whether some of them came with the last look
    /// @param full whether they are as many as should go under one checkpoint; then there may be more
    record Gathered(int rows, boolean news, boolean full) {}

    /// Reads the next rows, if any, into memory.
    ///
    /// @throws TreeBrokenException when the stored hashes do not give the signed root
    Gathered gather() {
        if (tree == null) {
            load();
        }
        List<Row> rows = outboxes.read(read);
        for (Row row : rows) {
            read.put(row.source(), row.position());
            gatheredBytes += row.events().length;
        }
        gathered.addAll(rows);
        return new Gathered(gathered.size(), !rows.isEmpty(), isFull());
    }

    private boolean isFull() {
        return gathered.size() >= Outboxes.ROWS_MAX || gatheredBytes >= Outboxes.BYTES_MAX;
    }

    /// Takes what is gathered and the next rows, if any, and appends their events.
    ///
    /// @throws org.springframework.dao.DuplicateKeyException when another writer went on from the same checkpoint
    /// @throws TreeBrokenException when the stored hashes do not give the signed root
    Step step() {
        Frontier current = tree == null ? load() : tree;
        if (!isFull()) {
            gather();
        }
        if (gathered.isEmpty()) {
            return new Step(0, 0);
        }
        var leaves = new ArrayList<Leaf>();
        for (Row row : gathered) {
            leaves.addAll(Leaf.of(row, settings.time()));
        }
        removeKnown(leaves);
        if (!leaves.isEmpty()) {
            // Until the commit is known to have worked, what was in memory may be wrong: it is read anew after a fault.
            tree = null;
            append(current, leaves);
            tree = current;
        }
        var step = new Step(gathered.size(), leaves.size());
        positions.putAll(read);
        forgetGathered();
        return step;
    }

    private void forgetGathered() {
        gathered.clear();
        gatheredBytes = 0;
        read.clear();
        read.putAll(positions);
    }

    /// Removes from the outboxes what the log has.
    void prune() {
        positions.forEach((source, position) -> {
            if (!position.equals(pruned.get(source))) {
                outboxes.prune(source, position);
                pruned.put(source, position);
            }
        });
    }

    /// When the newest checkpoint was signed by another key, puts an event into the log that says so; its checkpoint
    /// is the first one that the new key signs.
    void announceNewKey() {
        Optional<Signed> newest = checkpoints.latest();
        VerifierKey key = settings.signer().verifier();
        if (newest.isPresent() && Checkpoint.open(newest.get().note().getBytes(UTF_8), key) instanceof Refused) {
            outbox.append(List.of(AuditEvent.of(
                            EventType.KEY_ROTATED,
                            "audit_signing_key",
                            Result.SUCCESS,
                            settings.time().instant())
                    .with("size", newest.get().head().size())
                    .with("key", key.toString())));
        }
    }

    private Frontier load() {
        TreeHead head = checkpoints.latest().map(Signed::head).orElseGet(this::signFirst);
        Frontier frontier = new TiledTree(head.size(), hashes).frontier();
        if (!frontier.head().equals(head)) {
            throw new TreeBrokenException("the stored tiles do not give the root that was signed for size "
                    + head.size() + "; nothing more is signed: run `vigil audit verify` and restore audit.hash_part");
        }
        positions.clear();
        positions.putAll(progress.latest(settings.sources()));
        forgetGathered();
        tree = frontier;
        return frontier;
    }

    private TreeHead signFirst() {
        var empty = new TreeHead(0, Hash.EMPTY_ROOT);
        checkpoints.appendFirst(sign(empty));
        return empty;
    }

    private Signed sign(TreeHead head) {
        NoteSigner signer = settings.signer();
        var checkpoint = new Checkpoint(signer.verifier().name(), head);
        return new Signed(head, signer.sign(checkpoint.text()).toString());
    }

    private void removeKnown(List<Leaf> leaves) {
        Set<UUID> known =
                ids.known(leaves.stream().map(leaf -> leaf.keys().id()).toList());
        leaves.removeIf(leaf -> !known.add(leaf.keys().id()));
    }

    private void append(Frontier growing, List<Leaf> leaves) {
        long first = growing.size();
        Map<String, Position> reached = new HashMap<>();
        gathered.forEach(row -> reached.put(row.source(), row.position()));
        Hashes.Growth growth = hashes.new Growth();
        leaves.forEach(leaf -> growing.append(Hash.leaf(leaf.bytes()), growth));
        Signed signed = sign(growing.head());
        transaction.executeWithoutResult(status -> {
            // The checkpoint first: where two writers race, the loser learns it before it has done any work.
            checkpoints.append(first, signed);
            entries.append(first, leaves);
            growth.append();
            mentions.append(first, leaves);
            ids.append(first, leaves.stream().map(leaf -> leaf.keys().id()).toList());
            for (Leaf leaf : leaves) {
                if (leaf.unreadable() != null) {
                    unreadable.append(leaf.unreadable());
                }
            }
            progress.append(growing.size(), reached);
        });
    }
}
