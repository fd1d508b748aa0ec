package dev.vigil.cli.audit;

import dev.vigil.protocol.tree.Checkpoint;
import dev.vigil.protocol.tree.ConsistencyProof;
import dev.vigil.protocol.tree.Hash;
import dev.vigil.protocol.tree.InclusionProof;
import dev.vigil.protocol.tree.Tile;
import dev.vigil.protocol.tree.TiledTree;
import dev.vigil.protocol.tree.VerifierKey;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// Verifies one event by its proof, without reading the rest of the log.
final class EventVerifier {
    private static final JsonMapper JSON = JsonMapper.shared();

    private final LogServer server;
    private final VerifierKey key;
    private final Memory memory;

    EventVerifier(LogServer server, VerifierKey key, Memory memory) {
        this.server = server;
        this.key = key;
        this.memory = memory;
    }

    /// What a server answers when it is asked for a proof.
    private record Proof(byte[] leaf, InclusionProof inclusion, byte[] note) {
        static Optional<Proof> read(byte[] json) {
            try {
                JsonNode answer = JSON.readTree(json);
                List<Hash> path = answer.path("path")
                        .valueStream()
                        .map(hash -> Hash.of(Base64.getDecoder().decode(hash.asString())))
                        .toList();
                var inclusion = new InclusionProof(
                        answer.path("index").asLong(-1),
                        answer.path("tree_size").asLong(-1),
                        path);
                return Optional.of(new Proof(
                        Base64.getDecoder().decode(answer.path("leaf").asString("")),
                        inclusion,
                        answer.path("checkpoint").asString("").getBytes(StandardCharsets.UTF_8)));
            } catch (JacksonException | IllegalArgumentException e) {
                return Optional.empty();
            }
        }
    }

    Verdict verify(String event) {
        Optional<byte[]> json = server.proof(event);
        if (json.isEmpty()) {
            return new Verdict.Absent("the log has no event " + event);
        }
        Optional<Proof> proof = Proof.read(json.get());
        if (proof.isEmpty()) {
            return new Verdict.Tampered("event " + event + ": what the server gives as its proof cannot be read");
        }
        return switch (Checkpoint.open(proof.get().note(), key)) {
            case Checkpoint.Opened.Refused(String why) -> new Verdict.Tampered("event " + event + ": " + why);
            case Checkpoint.Opened.Verified(Checkpoint checkpoint) -> verify(event, proof.get(), checkpoint);
        };
    }

    private Verdict verify(String event, Proof proof, Checkpoint checkpoint) {
        long index = proof.inclusion().index();
        if (!proof.inclusion().proves(Hash.leaf(proof.leaf()), checkpoint.head())) {
            return new Verdict.Tampered("entry " + index + " (" + event + "): what the server shows as the event is not"
                    + " under the signed root of " + checkpoint.head().size() + " entries");
        }
        String text = new String(proof.leaf(), StandardCharsets.UTF_8);
        if (!text.contains("\"id\":\"" + event + "\"")) {
            return new Verdict.Tampered(
                    "the server shows entry " + index + " as event " + event + ", but it is another");
        }
        Optional<String> contradiction = contradiction(checkpoint);
        if (contradiction.isPresent()) {
            return new Verdict.Tampered(contradiction.get());
        }
        memory.keep(checkpoint, proof.note());
        return new Verdict.Verified(
                checkpoint,
                List.of(
                        "the checkpoint is signed by " + key,
                        "event " + event + " is entry " + index + " of "
                                + checkpoint.head().size() + ", proven by "
                                + proof.inclusion().path().size() + " hashes; the other entries were not read",
                        "the event reads: " + text));
    }

    private Optional<String> contradiction(Checkpoint checkpoint) {
        Optional<String> shrunk = LogVerifier.shrunk(checkpoint, memory);
        if (shrunk.isPresent() || memory.checkpoints().isEmpty()) {
            return shrunk;
        }
        Checkpoint earlier = memory.checkpoints().getLast();
        ConsistencyProof proof;
        try {
            proof = new TiledTree(checkpoint.head().size(), this::hashes)
                    .consistency(earlier.head().size());
        } catch (IllegalArgumentException e) {
            return Optional.of("the log cannot show that it still begins with the "
                    + earlier.head().size() + " entries that were verified before: " + e.getMessage());
        }
        return proof.proves(earlier.head(), checkpoint.head())
                ? Optional.empty()
                : Optional.of("the log was rewritten: it does not begin with the "
                        + earlier.head().size() + " entries that were verified before; verify all of it to find where");
    }

    private List<Hash> hashes(Tile tile) {
        ByteBuffer bytes = ByteBuffer.wrap(server.read(tile).orElse(new byte[0]));
        var hashes = new ArrayList<Hash>();
        while (bytes.remaining() >= Hash.BYTES) {
            hashes.add(Hash.readFrom(bytes));
        }
        return hashes;
    }
}
