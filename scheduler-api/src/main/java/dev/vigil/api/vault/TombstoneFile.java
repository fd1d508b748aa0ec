package dev.vigil.api.vault;

import dev.vigil.scheduler.task.SubjectTasks.Person;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.util.Base64;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;

/// Who was erased, in a file of this node. It lies outside of the database, so an older copy of the database that is
/// put back cannot make it forget. It names nobody: blind indexes and ids, each line with its HMAC. The key of these
/// HMACs stands in the first line, wrapped by the root key.
///
/// Lines are only ever added, each with one write that is on disk before anything is destroyed. Thread-safe.
final class TombstoneFile {
    private static final Set<PosixFilePermission> OWNER_ONLY = PosixFilePermissions.fromString("rw-------");
    private static final String FORMAT = "vigil-tombstones/1";
    private static final String SETTING = "vigil.vault.tombstone-file ";

    private final Path file;
    private final byte[] key;
    private final Map<String, Tombstone> known = new LinkedHashMap<>();

    private TombstoneFile(Path file, byte[] key) {
        this.file = file;
        this.key = key;
    }

    /// One erasure of one person.
    record Tombstone(UUID request, Person person) {
        private String name() {
            return request + " " + person.namespace() + " " + HexFormat.of().formatHex(person.subjectIndex());
        }
    }

    /// Reads the file, and makes it when there is none.
    ///
    /// @throws VaultException when a line was changed, or the root key is another one
    static TombstoneFile open(Path file, RootKeys roots) {
        try {
            if (!Files.exists(file)) {
                create(file, roots.current());
            }
            cutTornLine(file);
            List<String> lines = Files.readAllLines(file, StandardCharsets.US_ASCII);
            var tombstones = new TombstoneFile(file, key(file, lines.isEmpty() ? "" : lines.getFirst(), roots));
            for (String line : lines.subList(1, lines.size())) {
                Tombstone tombstone = tombstones.parse(line);
                tombstones.known.put(tombstone.name(), tombstone);
            }
            return tombstones;
        } catch (IOException e) {
            throw new UncheckedIOException(SETTING + file + " cannot be read or made; it must be writable", e);
        }
    }

    /// All of them, oldest first.
    synchronized List<Tombstone> all() {
        return List.copyOf(known.values());
    }

    /// Adds those that are not in it. They are on disk when this returns.
    synchronized void add(List<Tombstone> tombstones) {
        List<Tombstone> fresh = tombstones.stream()
                .filter(tombstone -> !known.containsKey(tombstone.name()))
                .toList();
        if (fresh.isEmpty()) {
            return;
        }
        var lines = new StringBuilder();
        fresh.forEach(tombstone -> lines.append(line(tombstone)).append('\n'));
        try (var out = FileChannel.open(file, StandardOpenOption.WRITE, StandardOpenOption.APPEND)) {
            out.write(ByteBuffer.wrap(lines.toString().getBytes(StandardCharsets.US_ASCII)));
            out.force(true);
        } catch (IOException e) {
            throw new UncheckedIOException(
                    SETTING + file + " cannot be written; nobody is erased until it can, since a restored"
                            + " database would bring him back",
                    e);
        }
        fresh.forEach(tombstone -> known.put(tombstone.name(), tombstone));
    }

    /// Wraps the key of the lines by another root key.
    synchronized void rewrap(KeyWrapper root) {
        try {
            List<String> lines = Files.readAllLines(file, StandardCharsets.US_ASCII);
            var text = new StringBuilder(header(UUID.randomUUID(), key, root)).append('\n');
            lines.subList(1, lines.size()).forEach(line -> text.append(line).append('\n'));
            Path draft = draft(file, text.toString());
            Files.move(draft, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            throw new UncheckedIOException(SETTING + file + " cannot be written; its key stays as it is wrapped", e);
        }
    }

    private static void create(Path file, KeyWrapper root) throws IOException {
        Files.createDirectories(file.toAbsolutePath().getParent());
        Path draft = draft(file, header(UUID.randomUUID(), SealedBytes.newKey(), root) + "\n");
        try {
            // A link never replaces a file: of two nodes that share it, one makes it and both use it.
            Files.createLink(file, draft);
        } catch (FileAlreadyExistsException _) {
            // The other one's is as good.
        } finally {
            Files.delete(draft);
        }
    }

    private static Path draft(Path file, String text) throws IOException {
        Path draft = Files.createTempFile(
                file.toAbsolutePath().getParent(), ".tombstones", "", PosixFilePermissions.asFileAttribute(OWNER_ONLY));
        try (var out = FileChannel.open(draft, StandardOpenOption.WRITE)) {
            out.write(ByteBuffer.wrap(text.getBytes(StandardCharsets.US_ASCII)));
            out.force(true);
        }
        return draft;
    }

    /// A line without its end was being written when the machine stopped; nothing had been destroyed for it yet.
    private static void cutTornLine(Path file) throws IOException {
        byte[] bytes = Files.readAllBytes(file);
        int end = bytes.length;
        while (end > 0 && bytes[end - 1] != '\n') {
            end--;
        }
        if (end < bytes.length && end > 0) {
            try (var out = FileChannel.open(file, StandardOpenOption.WRITE)) {
                out.truncate(end);
                out.force(true);
            }
        }
    }

    private static String header(UUID id, byte[] key, KeyWrapper root) {
        return FORMAT + " " + root.rootKey() + " " + id + " "
                + Base64.getEncoder().encodeToString(root.wrap(key, context(id)));
    }

    private static byte[] key(Path file, String header, RootKeys roots) {
        String[] parts = header.split(" ", -1);
        if (parts.length != 4 || !parts[0].equals(FORMAT)) {
            throw new VaultException(SETTING + file + " is no list of tombstones; give the file that was there before");
        }
        KeyWrapper root = roots.named(parts[1])
                .orElseThrow(() -> new VaultException(SETTING + file + " belongs to root key " + parts[1]
                        + ", but this one is " + roots.current().rootKey() + "; put the right one back"));
        return root.unwrap(Base64.getDecoder().decode(parts[3]), context(UUID.fromString(parts[2])));
    }

    private static byte[] context(UUID id) {
        return SealedBytes.fields("vigil/tombstones/v1", id);
    }

    private String line(Tombstone tombstone) {
        String fields = tombstone.name() + " " + tombstone.person().owner();
        byte[] mac = SealedBytes.hmac(key, SealedBytes.fields(FORMAT, fields));
        return fields + " " + Base64.getEncoder().encodeToString(mac);
    }

    private Tombstone parse(String line) {
        String[] parts = line.split(" ", -1);
        if (parts.length == 5 && parts[1].matches("[0-9]{1,9}") && parts[2].matches("[0-9a-f]{32}")) {
            var person = new Person(
                    Integer.parseInt(parts[1]), HexFormat.of().parseHex(parts[2]), UUID.fromString(parts[3]));
            var tombstone = new Tombstone(UUID.fromString(parts[0]), person);
            if (MessageDigest.isEqual(
                    line(tombstone).getBytes(StandardCharsets.US_ASCII), line.getBytes(StandardCharsets.US_ASCII))) {
                return tombstone;
            }
        }
        throw new VaultException(SETTING + file + " was changed: a line has not the HMAC it was written with; put a"
                + " copy back, or an erased person may come back with the next restore");
    }
}
