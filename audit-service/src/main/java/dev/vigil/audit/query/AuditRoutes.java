package dev.vigil.audit.query;

import dev.vigil.audit.log.Checkpoints;
import dev.vigil.audit.log.Entries;
import dev.vigil.audit.log.Hashes;
import dev.vigil.audit.log.Place;
import dev.vigil.edge.Answer;
import dev.vigil.edge.Code;
import dev.vigil.edge.Problem;
import dev.vigil.edge.RefusedException;
import dev.vigil.protocol.id.Id;
import dev.vigil.protocol.id.Kind;
import dev.vigil.protocol.tree.ConsistencyProof;
import dev.vigil.protocol.tree.Hash;
import dev.vigil.protocol.tree.InclusionProof;
import dev.vigil.protocol.tree.NoteSigner;
import dev.vigil.protocol.tree.Tile;
import dev.vigil.protocol.tree.TiledTree;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.core.simple.JdbcClient;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/// What the log answers. Everything is read below the newest checkpoint, so an event is seen only once a signature
/// covers it.
public final class AuditRoutes {
    private final JdbcClient db;
    private final Checkpoints checkpoints;
    private final Entries entries;
    private final Hashes hashes;
    private final Events events;
    private final Cursors cursors;
    private final NoteSigner signer;

    /// The routes of one log.
    ///
    /// @param connections plan each statement for its values
    /// @param signer      the key of the log
    public AuditRoutes(DataSource connections, NoteSigner signer) {
        this.db = JdbcClient.create(connections);
        this.checkpoints = new Checkpoints(db);
        this.entries = new Entries(db);
        this.hashes = new Hashes(db);
        this.events = new Events(connections);
        this.cursors = new Cursors(signer);
        this.signer = signer;
    }

    Answer publicKey() {
        return Answer.text(signer.verifier() + "\n");
    }

    Answer checkpoint() {
        return checkpoints
                .latest()
                .map(signed -> Answer.text(signed.note()))
                .orElseThrow(() -> new RefusedException(Problem.passing(
                        Code.SERVICE_UNAVAILABLE, "Nothing is signed yet; the log has just been made.")));
    }

    Answer events(Map<String, String[]> parameters) {
        EventFilter filter = EventFilter.parse(parameters, cursors);
        List<Place> found = events.list(filter);
        List<Place> shown =
                found.subList(0, Math.min(found.size(), filter.page().limit()));
        var items = new ArrayList<ObjectNode>();
        entries.at(shown.stream().map(Place::seq).toList()).forEach((seq, entry) -> {
            var item = (ObjectNode) JsonMapper.shared().readTree(entry);
            items.add(item.put("seq", seq));
        });
        var page = new LinkedHashMap<String, Object>();
        page.put("items", items);
        page.put(
                "next",
                found.size() > shown.size()
                        ? cursors.write(shown.getLast(), filter.page().list())
                        : null);
        return Answer.json(200, page);
    }

    Answer proof(String eventId) {
        Optional<Long> index = Id.parse(Kind.AUDIT_EVENT, eventId).flatMap(id -> events.find(id.uuid()));
        Optional<Checkpoints.Signed> newest = checkpoints.latest();
        if (index.isEmpty() || newest.isEmpty()) {
            throw new RefusedException(Problem.notFound());
        }
        byte[] leaf = entries.at(List.of(index.get())).get(index.get());
        if (leaf == null) {
            throw new IllegalStateException("entry " + index.get() + " is in the directory, but not in the log");
        }
        InclusionProof proof = new TiledTree(newest.get().head().size(), hashes).inclusion(index.get());
        var answer = new LinkedHashMap<String, Object>();
        answer.put("index", proof.index());
        answer.put("leaf", Base64.getEncoder().encodeToString(leaf));
        answer.put("tree_size", proof.treeSize());
        answer.put("path", proof.path().stream().map(Hash::toString).toList());
        answer.put("checkpoint", newest.get().note());
        return Answer.json(200, answer);
    }

    Answer consistency(Map<String, String[]> parameters) {
        if (!parameters.keySet().equals(Set.of("from", "to"))) {
            throw new RefusedException(Code.UNKNOWN_PARAMETER, "Use exactly from and to, the sizes of two trees.");
        }
        long size = checkpoints.latest().map(signed -> signed.head().size()).orElse(0L);
        Optional<Long> from = size(parameters.get("from"));
        Optional<Long> to = size(parameters.get("to"));
        if (from.isEmpty() || to.isEmpty() || from.get() > to.get() || to.get() > size) {
            throw new RefusedException(Problem.invalid(new Problem.FieldError(
                    from.isEmpty() ? "from" : "to",
                    "range",
                    "is no size that the log has passed; use whole numbers, 0 <= from <= to <= " + size)));
        }
        ConsistencyProof proof = new TiledTree(to.get(), hashes).consistency(from.get());
        return Answer.json(
                200,
                Map.of(
                        "from",
                        proof.from(),
                        "to",
                        proof.to(),
                        "path",
                        proof.path().stream().map(Hash::toString).toList()));
    }

    /// A tile or an entry bundle. Whatever a tile holds of a tree that was signed can be asked for, the whole tile and
    /// each beginning of it.
    Answer tile(Tile tile) {
        long size = checkpoints.latest().map(signed -> signed.head().size()).orElse(0L);
        boolean signed = Tile.in(size, tile.level(), tile.index())
                .filter(whole -> whole.width() >= tile.width())
                .isPresent();
        if (!signed) {
            throw new RefusedException(Problem.notFound());
        }
        if (tile.level() == Tile.ENTRIES) {
            return entries.bundle(tile)
                    .map(AuditRoutes::bytes)
                    .orElseThrow(() -> new RefusedException(Problem.notFound()));
        }
        List<Hash> row = hashes.read(tile);
        if (row.size() != tile.width()) {
            throw new RefusedException(Problem.notFound());
        }
        return bytes(Hashes.bytes(row));
    }

    private static Answer bytes(byte[] content) {
        return Answer.bytes(200, "application/octet-stream", content);
    }

    /// Whether the database answers.
    boolean reachesDatabase() {
        return db.sql("SELECT 1").query(Integer.class).single() == 1;
    }

    private static Optional<Long> size(String @Nullable [] values) {
        return values != null && values.length == 1 && values[0].matches("0|[1-9][0-9]{0,17}")
                ? Optional.of(Long.parseLong(values[0]))
                : Optional.empty();
    }
}
