package dev.vigil.api.vault;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.EnumSet;
import java.util.HexFormat;
import java.util.Set;

/// The root key as 32 bytes in a file that only its owner can read.
final class RootKeyFile implements KeyWrapper {
    private static final Set<PosixFilePermission> OWNER_ONLY = PosixFilePermissions.fromString("rw-------");

    private final byte[] wrapping;
    private final String name;

    private RootKeyFile(byte[] key) {
        wrapping = SealedBytes.derive(key, "vigil/root/wrap/v1");
        name = "file:" + HexFormat.of().formatHex(SealedBytes.derive(key, "vigil/root/name/v1"), 0, 8);
    }

    /// Reads the root key.
    ///
    /// @param create whether a missing file is made, with a fresh key and mode 0600; for development
    static RootKeyFile open(Path file, boolean create) {
        try {
            if (create && !Files.exists(file)) {
                create(file);
            }
            if (!Files.exists(file)) {
                throw new VaultException("vigil.vault.root-key-file is " + file
                        + ", which does not exist; make it once "
                        + "with: (umask 077; head -c 32 /dev/urandom > " + file + ") and keep a copy elsewhere, "
                        + "without it no payload opens again");
            }
            refuseReadableByOthers(file);
            byte[] key = Files.readAllBytes(file);
            if (key.length != 32) {
                throw new VaultException("vigil.vault.root-key-file " + file + " has " + key.length
                        + " bytes; it must have exactly 32, raw");
            }
            return new RootKeyFile(key);
        } catch (IOException e) {
            throw new UncheckedIOException("vigil.vault.root-key-file " + file + " cannot be read", e);
        }
    }

    private static void create(Path file) throws IOException {
        Path folder = file.toAbsolutePath().getParent();
        Files.createDirectories(folder);
        Path draft = Files.createTempFile(folder, ".root-key", "", PosixFilePermissions.asFileAttribute(OWNER_ONLY));
        try (var out = FileChannel.open(draft, StandardOpenOption.WRITE)) {
            out.write(ByteBuffer.wrap(SealedBytes.newKey()));
            // Keys wrapped by it are about to be committed: a root key lost in a crash would lose them all.
            out.force(true);
            // A link, not a rename: it fails when another node was first, instead of replacing its key.
            Files.createLink(file, draft);
        } catch (FileAlreadyExistsException _) {
            // That one is the root key.
        } finally {
            Files.delete(draft);
        }
    }

    private static void refuseReadableByOthers(Path file) throws IOException {
        var view = Files.getFileAttributeView(file, PosixFileAttributeView.class);
        if (view == null) {
            return;
        }
        var others = EnumSet.copyOf(PosixFilePermissions.fromString("---rwxrwx"));
        others.retainAll(view.readAttributes().permissions());
        if (!others.isEmpty()) {
            throw new VaultException("vigil.vault.root-key-file " + file + " is open to others ("
                    + PosixFilePermissions.toString(view.readAttributes().permissions()) + "); run chmod 600 " + file);
        }
    }

    @Override
    public String rootKey() {
        return name;
    }

    @Override
    public byte[] wrap(byte[] key, byte[] context) {
        return SealedBytes.seal(wrapping, context, key);
    }

    @Override
    public byte[] unwrap(byte[] wrapped, byte[] context) {
        return SealedBytes.open(wrapping, context, wrapped)
                .orElseThrow(() -> new VaultException("a key does not unwrap under root key " + name
                        + ": its row was changed, or it belongs to another root key"));
    }

    @Override
    public String toString() {
        return "RootKeyFile[" + name + "]";
    }
}
