package dev.vigil.cli.audit;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.vigil.protocol.id.Id;
import dev.vigil.protocol.id.Kind;
import dev.vigil.protocol.tree.Checkpoint;
import dev.vigil.protocol.tree.EntryBundle;
import dev.vigil.protocol.tree.Frontier;
import dev.vigil.protocol.tree.Hash;
import dev.vigil.protocol.tree.NoteSigner;
import dev.vigil.protocol.tree.Tile;
import dev.vigil.protocol.tree.TiledTree;
import dev.vigil.protocol.tree.VerifierKey;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyPairGenerator;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.UUID;

/// A log in memory: the files that a server would serve, free to be tampered with.
final class TestLog implements LogSource {
    static final NoteSigner SIGNER = newSigner("test.vigil/audit");

    private final Map<String, byte[]> files = new HashMap<>();
    private final List<byte[]> entries;
    private final NoteSigner signer;

    private TestLog(List<byte[]> entries, NoteSigner signer) {
        this.entries = entries;
        this.signer = signer;
        build();
    }

    /// A sound log of that many entries; the same ones each time.
    static TestLog of(int size) {
        var entries = new ArrayList<byte[]>();
        for (int i = 0; i < size; i++) {
            entries.add(("{\"id\":\"" + id(i) + "\",\"n\":" + i + "}").getBytes(UTF_8));
        }
        return new TestLog(entries, SIGNER);
    }

    /// A log of those entries, everything computed and signed anew.
    static TestLog of(List<byte[]> entries, NoteSigner signer) {
        return new TestLog(new ArrayList<>(entries), signer);
    }

    static String id(int index) {
        return new Id(Kind.AUDIT_EVENT, new UUID(0x0190_0000_0000_7000L, index)).toString();
    }

    static NoteSigner newSigner(String origin) {
        try {
            return new NoteSigner(
                    origin, KeyPairGenerator.getInstance("Ed25519").generateKeyPair());
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    VerifierKey key() {
        return signer.verifier();
    }

    List<byte[]> entries() {
        return entries;
    }

    /// The files by path, `checkpoint` among them.
    Map<String, byte[]> files() {
        return files;
    }

    TiledTree tree() {
        return new TiledTree(entries.size(), tile -> {
            ByteBuffer bytes = ByteBuffer.wrap(files.getOrDefault(tile.path(), new byte[0]));
            var hashes = new ArrayList<Hash>();
            while (bytes.hasRemaining()) {
                hashes.add(Hash.readFrom(bytes));
            }
            return hashes;
        });
    }

    @Override
    public byte[] checkpoint() {
        return files.getOrDefault("checkpoint", new byte[0]);
    }

    @Override
    public Optional<byte[]> read(Tile tile) {
        return Optional.ofNullable(files.get(tile.path()));
    }

    /// Replaces entries in their bundles only, as somebody does who can write files but not sign.
    void storeEntries(List<byte[]> changed) {
        files.keySet().removeIf(path -> path.startsWith("tile/entries/"));
        for (int first = 0; first < changed.size(); first += Tile.FULL) {
            Tile tile = Tile.in(changed.size(), Tile.ENTRIES, first / Tile.FULL).orElseThrow();
            files.put(tile.path(), EntryBundle.write(changed.subList(first, first + tile.width())));
        }
    }

    void writeTo(Path folder) throws IOException {
        for (var file : files.entrySet()) {
            Path path = folder.resolve(file.getKey());
            Files.createDirectories(path.getParent());
            Files.write(path, file.getValue());
        }
    }

    private void build() {
        var levels = new TreeMap<Integer, List<Hash>>();
        var tree = new Frontier();
        for (byte[] entry : entries) {
            tree.append(
                    Hash.leaf(entry),
                    (level, index, hash) -> levels.computeIfAbsent(level, any -> new ArrayList<>())
                            .add(hash));
        }
        levels.forEach((level, hashes) -> {
            for (int first = 0; first < hashes.size(); first += Tile.FULL) {
                Tile tile = Tile.in(entries.size(), level, first / Tile.FULL).orElseThrow();
                var bytes = ByteBuffer.allocate(tile.width() * Hash.BYTES);
                hashes.subList(first, first + tile.width()).forEach(hash -> hash.writeTo(bytes));
                files.put(tile.path(), bytes.array());
            }
        });
        storeEntries(entries);
        var checkpoint = new Checkpoint(signer.verifier().name(), tree.head());
        files.put("checkpoint", signer.sign(checkpoint.text()).toString().getBytes(UTF_8));
    }
}
