package dev.vigil.edge;

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
import java.security.PublicKey;
import java.security.spec.ECGenParameterSpec;
import java.security.spec.NamedParameterSpec;
import java.security.spec.PKCS8EncodedKeySpec;
import java.security.spec.X509EncodedKeySpec;
import java.util.Base64;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// The file with a service's signing key: PEM, a block `PRIVATE KEY` (PKCS #8) and a block `PUBLIC KEY`, as
/// `openssl genpkey` and `openssl pkey -pubout` write them. Settings `<prefix>.signing-key-file` and
/// `<prefix>.create-signing-key`.
public final class KeyPairFile {
    private static final Set<PosixFilePermission> OWNER_ONLY = PosixFilePermissions.fromString("rw-------");
    private static final Pattern BLOCK =
            Pattern.compile("-----BEGIN (PRIVATE|PUBLIC) KEY-----([A-Za-z0-9+/=\\s]+)-----END \\1 KEY-----");

    private final Path file;
    private final Algorithm algorithm;
    private final String prefix;

    private KeyPairFile(Path file, Algorithm algorithm, String prefix) {
        this.file = file;
        this.algorithm = algorithm;
        this.prefix = prefix;
    }

    /// What a service signs with.
    public enum Algorithm {
        /// RFC 8032.
        ED25519("Ed25519", "-algorithm ed25519"),
        /// ECDSA on the curve P-256 (FIPS 186-5).
        P256("EC", "-algorithm EC -pkeyopt ec_paramgen_curve:P-256");

        private final String family;
        private final String openssl;

        Algorithm(String family, String openssl) {
            this.family = family;
            this.openssl = openssl;
        }

        KeyPair generate() throws GeneralSecurityException {
            var generator = KeyPairGenerator.getInstance(family);
            generator.initialize(this == P256 ? new ECGenParameterSpec("secp256r1") : NamedParameterSpec.ED25519);
            return generator.generateKeyPair();
        }
    }

    /// The key in a file.
    ///
    /// @param prefix of the settings, for messages: `vigil.audit`
    /// @param create whether to make a key when there is no file
    /// @throws IllegalArgumentException when there is no usable key; the message says what to do
    public static KeyPair open(Path file, Algorithm algorithm, String prefix, boolean create) {
        var keys = new KeyPairFile(file.toAbsolutePath(), algorithm, prefix);
        try {
            if (!Files.exists(file)) {
                if (!create) {
                    throw keys.unusable(" does not exist; put the service's key there, or set " + prefix
                            + ".create-signing-key=true once");
                }
                keys.create();
            }
            keys.refuseOthers();
            return keys.read();
        } catch (IOException e) {
            throw new UncheckedIOException(prefix + ".signing-key-file " + file + " cannot be read or made", e);
        }
    }

    /// A public key as a PEM block.
    public static String pem(PublicKey key) {
        return pem("PUBLIC", key.getEncoded());
    }

    private void create() throws IOException {
        Path folder = file.getParent();
        Files.createDirectories(folder);
        Path fresh = Files.createTempFile(folder, ".signing-key", "", PosixFilePermissions.asFileAttribute(OWNER_ONLY));
        try {
            KeyPair pair = algorithm.generate();
            Files.writeString(fresh, pem("PRIVATE", pair.getPrivate().getEncoded()) + pem(pair.getPublic()));
            // A link never replaces a file: of two services that start at once, one makes the key and both use it.
            Files.createLink(file, fresh);
        } catch (FileAlreadyExistsException _) {
            // The other one's key is as good.
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(algorithm + " is part of JDK 25", e);
        } finally {
            Files.delete(fresh);
        }
    }

    private void refuseOthers() throws IOException {
        Set<PosixFilePermission> permissions = Files.getPosixFilePermissions(file);
        if (!OWNER_ONLY.containsAll(permissions)) {
            throw unusable(" has the permissions " + PosixFilePermissions.toString(permissions)
                    + "; others could sign as this service: chmod 600 it");
        }
    }

    private KeyPair read() throws IOException {
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
            var keys = KeyFactory.getInstance(algorithm.family);
            return new KeyPair(
                    keys.generatePublic(new X509EncodedKeySpec(publicKey)),
                    keys.generatePrivate(new PKCS8EncodedKeySpec(privateKey)));
        } catch (GeneralSecurityException _) {
            throw unusable(
                    " holds no " + algorithm + " key pair in PEM: it needs the blocks PRIVATE KEY (openssl genpkey "
                            + algorithm.openssl + ") and PUBLIC KEY (openssl pkey -pubout)");
        }
    }

    private IllegalArgumentException unusable(String why) {
        return new IllegalArgumentException(prefix + ".signing-key-file " + file + why);
    }

    private static String pem(String kind, byte[] der) {
        return "-----BEGIN " + kind + " KEY-----\n"
                + Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(der)
                + "\n-----END " + kind + " KEY-----\n";
    }
}
