package dev.vigil.audit.log;

import dev.vigil.protocol.tree.NoteSigner;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.spec.PKCS8EncodedKeySpec;
import java.security.spec.X509EncodedKeySpec;
import java.util.Base64;
import java.util.EnumSet;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// The file with the log's signing key: PEM, a block `PRIVATE KEY` (PKCS #8) and a block `PUBLIC KEY`, as
/// `openssl genpkey -algorithm ed25519` and `openssl pkey -pubout` write them.
public final class SigningKeyFile {
    private static final Set<PosixFilePermission> OWNER_ONLY =
            EnumSet.of(PosixFilePermission.OWNER_READ, PosixFilePermission.OWNER_WRITE);
    private static final Pattern BLOCK =
            Pattern.compile("-----BEGIN (PRIVATE|PUBLIC) KEY-----([A-Za-z0-9+/=\\s]+)-----END \\1 KEY-----");

    private SigningKeyFile() {}

    /// The signer of a log.
    ///
    /// @param file   where the key is
    /// @param origin the log's name
    /// @param create whether to make a key when there is no file
    /// @throws IllegalArgumentException when there is no usable key; the message says what to do
    public static NoteSigner open(Path file, String origin, boolean create) {
        try {
            if (!Files.exists(file)) {
                if (!create) {
                    throw new IllegalArgumentException("vigil.audit.signing-key-file " + file + " does not exist;"
                            + " put the log's Ed25519 key there, or set vigil.audit.create-signing-key=true once");
                }
                create(file);
            }
            refuseOpenFile(file);
            return new NoteSigner(origin, pair(file));
        } catch (IOException e) {
            throw new UncheckedIOException("vigil.audit.signing-key-file " + file + " cannot be read or made", e);
        }
    }

    private static void create(Path file) throws IOException {
        Files.createDirectories(file.toAbsolutePath().getParent());
        Path fresh = Files.createTempFile(
                file.toAbsolutePath().getParent(),
                file.getFileName().toString(),
                ".new",
                PosixFilePermissions.asFileAttribute(OWNER_ONLY));
        try {
            KeyPair pair = KeyPairGenerator.getInstance("Ed25519").generateKeyPair();
            Files.writeString(
                    fresh,
                    pem("PRIVATE", pair.getPrivate().getEncoded())
                            + pem("PUBLIC", pair.getPublic().getEncoded()));
            // A link never replaces a file: of two services that start at once, one makes the key and both use it.
            Files.createLink(file, fresh);
        } catch (FileAlreadyExistsException madeMeanwhile) {
            // The other one's key is as good.
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("Ed25519 is part of JDK 25", e);
        } finally {
            Files.delete(fresh);
        }
    }

    private static void refuseOpenFile(Path file) throws IOException {
        Set<PosixFilePermission> permissions = Files.getPosixFilePermissions(file);
        if (!OWNER_ONLY.containsAll(permissions)) {
            throw new IllegalArgumentException("vigil.audit.signing-key-file " + file + " has the permissions "
                    + PosixFilePermissions.toString(permissions) + "; others could sign as this log: chmod 600 it");
        }
    }

    private static KeyPair pair(Path file) throws IOException {
        byte[] privateKey = new byte[0];
        byte[] publicKey = new byte[0];
        Matcher blocks = BLOCK.matcher(Files.readString(file));
        while (blocks.find()) {
            byte[] bytes = Base64.getMimeDecoder().decode(blocks.group(2));
            if (blocks.group(1).equals("PRIVATE")) {
                privateKey = bytes;
            } else {
                publicKey = bytes;
            }
        }
        try {
            var ed25519 = KeyFactory.getInstance("Ed25519");
            return new KeyPair(
                    ed25519.generatePublic(new X509EncodedKeySpec(publicKey)),
                    ed25519.generatePrivate(new PKCS8EncodedKeySpec(privateKey)));
        } catch (GeneralSecurityException e) {
            throw new IllegalArgumentException(
                    "vigil.audit.signing-key-file " + file + " holds no Ed25519 key pair in PEM: it needs the blocks"
                            + " PRIVATE KEY (openssl genpkey -algorithm ed25519) and PUBLIC KEY (openssl pkey -pubout)",
                    e);
        }
    }

    private static String pem(String kind, byte[] der) {
        return "-----BEGIN " + kind + " KEY-----\n"
                + Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(der)
                + "\n-----END " + kind + " KEY-----\n";
    }
}
