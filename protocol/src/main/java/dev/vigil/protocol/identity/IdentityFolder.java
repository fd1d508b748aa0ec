package dev.vigil.protocol.identity;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.cert.X509Certificate;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// The files of one identity: `identity.pem` (key, certificate, issuer), `ca.pem`, and `next-key.pem` while a
/// request is on its way. Every file is 0600 and replaced by a rename, so a crash leaves the old or the new, never
/// half of one.
final class IdentityFolder implements AutoCloseable {
    private final Path folder;
    private final FileChannel lockFile;

    private IdentityFolder(Path folder, FileChannel lockFile) {
        this.folder = folder;
        this.lockFile = lockFile;
    }

    /// Opens the folder for this process alone: two processes with one identity would look like a stolen key.
    static IdentityFolder open(Path folder) throws IOException, IdentityException {
        if (!Files.isDirectory(folder)) {
            Files.createDirectories(
                    folder, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        }
        var channel =
                FileChannel.open(folder.resolve("identity.lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        @Nullable FileLock lock;
        try {
            lock = channel.tryLock();
        } catch (OverlappingFileLockException e) {
            lock = null;
        }
        if (lock == null) {
            channel.close();
            throw new IdentityException(
                    "in_use", "state folder " + folder + " is in use by another process; give each its own folder");
        }
        return new IdentityFolder(folder, channel);
    }

    /// The stored identity, if there is one.
    Optional<Identity> identity() throws IOException, IdentityException {
        Path file = folder.resolve("identity.pem");
        if (!Files.exists(file)) {
            return Optional.empty();
        }
        try {
            String pem = Files.readString(file);
            return Optional.of(new Identity(Pem.privateKey(pem), Pem.certificates(pem)));
        } catch (GeneralSecurityException e) {
            throw new IdentityException("setup", file + " cannot be read; remove it and enrol again", e);
        }
    }

    /// The CA that this identity trusts.
    List<X509Certificate> authorities() throws IOException, IdentityException {
        try {
            return Pem.certificates(Files.readString(folder.resolve("ca.pem")));
        } catch (GeneralSecurityException e) {
            throw new IdentityException(
                    "setup", folder.resolve("ca.pem") + " cannot be read; remove the folder and enrol again", e);
        }
    }

    /// The key of the request that is on its way. It is stored before the request leaves, so a request whose answer was
    /// lost is repeated with the same key and gets the same certificate.
    KeyPair nextKeys() throws IOException {
        Path file = folder.resolve("next-key.pem");
        if (Files.exists(file)) {
            try {
                return Pem.keys(Files.readString(file));
            } catch (GeneralSecurityException e) {
                Files.delete(file);
            }
        }
        KeyPair keys = CertificateRequest.newKeys();
        write(file, Pem.write(keys));
        return keys;
    }

    void store(KeyPair keys, List<X509Certificate> chain, List<X509Certificate> authorities) throws IOException {
        try {
            write(folder.resolve("ca.pem"), Pem.write(authorities));
            write(
                    folder.resolve("identity.pem"),
                    Pem.write("PRIVATE KEY", keys.getPrivate().getEncoded()) + Pem.write(chain));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("a parsed certificate has its encoding", e);
        }
        Files.deleteIfExists(folder.resolve("next-key.pem"));
    }

    private void write(Path file, String text) throws IOException {
        Path draft = file.resolveSibling(file.getFileName() + ".draft");
        Files.deleteIfExists(draft);
        Set<StandardOpenOption> options = EnumSet.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
        var ownerOnly = PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"));
        try (FileChannel out = FileChannel.open(draft, options, ownerOnly)) {
            ByteBuffer bytes = StandardCharsets.US_ASCII.encode(text);
            while (bytes.hasRemaining()) {
                out.write(bytes);
            }
            out.force(true);
        }
        Files.move(draft, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }

    /// Ends the lock.
    @Override
    public void close() throws IOException {
        lockFile.close();
    }
}
