package dev.vigil.gdpr.request;

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
import java.security.MessageDigest;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.Signature;
import java.security.spec.ECGenParameterSpec;
import java.security.spec.PKCS8EncodedKeySpec;
import java.security.spec.X509EncodedKeySpec;
import java.util.Base64;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/// Signs exports and certificates: ECDSA P-256 over SHA-256, DER, so that `openssl dgst -sha256 -verify` checks it. The
/// key is a PEM file with the blocks PRIVATE KEY and PUBLIC KEY.
public final class Signer {
    private static final Set<PosixFilePermission> OWNER_ONLY = PosixFilePermissions.fromString("rw-------");
    private static final Pattern BLOCK =
            Pattern.compile("-----BEGIN (PRIVATE|PUBLIC) KEY-----([A-Za-z0-9+/=\\s]+)-----END \\1 KEY-----");

    private final PrivateKey privateKey;
    private final PublicKey publicKey;

    private Signer(PrivateKey privateKey, PublicKey publicKey) {
        this.privateKey = privateKey;
        this.publicKey = publicKey;
    }

    /// The signer whose key lies in a file.
    ///
    /// @param create whether to make a key when there is no file; for development
    /// @throws IllegalArgumentException when there is no usable key; the message says what to do
    public static Signer open(Path file, boolean create) {
        try {
            if (!Files.exists(file)) {
                if (!create) {
                    throw new IllegalArgumentException(
                            "vigil.gdpr.signing-key-file " + file + " does not exist; make it"
                                    + " once with openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 and append"
                                    + " what openssl pkey -pubout gives, or set vigil.gdpr.create-signing-key=true");
                }
                create(file);
            }
            Set<PosixFilePermission> permissions = Files.getPosixFilePermissions(file);
            if (!OWNER_ONLY.containsAll(permissions)) {
                throw new IllegalArgumentException("vigil.gdpr.signing-key-file " + file + " has the permissions "
                        + PosixFilePermissions.toString(permissions) + "; others could sign: chmod 600 it");
            }
            return read(file);
        } catch (IOException e) {
            throw new UncheckedIOException("vigil.gdpr.signing-key-file " + file + " cannot be read or made", e);
        }
    }

    private static void create(Path file) throws IOException {
        Path folder = file.toAbsolutePath().getParent();
        Files.createDirectories(folder);
        Path fresh = Files.createTempFile(folder, ".signing-key", "", PosixFilePermissions.asFileAttribute(OWNER_ONLY));
        try {
            var generator = KeyPairGenerator.getInstance("EC");
            generator.initialize(new ECGenParameterSpec("secp256r1"));
            KeyPair pair = generator.generateKeyPair();
            Files.writeString(
                    fresh,
                    pem("PRIVATE", pair.getPrivate().getEncoded())
                            + pem("PUBLIC", pair.getPublic().getEncoded()));
            // A link never replaces a file: of two services that start at once, one makes the key and both use it.
            Files.createLink(file, fresh);
        } catch (FileAlreadyExistsException _) {
            // The other one's key is as good.
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("P-256 is part of every JDK", e);
        } finally {
            Files.delete(fresh);
        }
    }

    private static Signer read(Path file) throws IOException {
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
            var keys = KeyFactory.getInstance("EC");
            return new Signer(
                    keys.generatePrivate(new PKCS8EncodedKeySpec(privateKey)),
                    keys.generatePublic(new X509EncodedKeySpec(publicKey)));
        } catch (GeneralSecurityException e) {
            throw new IllegalArgumentException(
                    "vigil.gdpr.signing-key-file " + file + " holds no P-256 key pair in PEM: it needs the blocks"
                            + " PRIVATE KEY and PUBLIC KEY",
                    e);
        }
    }

    /// A DER signature over some bytes.
    byte[] sign(byte[] message) {
        try {
            var signature = Signature.getInstance("SHA256withECDSA");
            signature.initSign(privateKey);
            signature.update(message);
            return signature.sign();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("SHA256withECDSA is part of every JDK", e);
        }
    }

    /// An HMAC under a key derived from the signing key, for cursors.
    byte[] mac(byte[] message) {
        try {
            byte[] key = MessageDigest.getInstance("SHA-256").digest(privateKey.getEncoded());
            var mac = Mac.getInstance("HmacSHA256");
            mac.init(new SecretKeySpec(key, "HmacSHA256"));
            return mac.doFinal(message);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("HmacSHA256 is part of every JDK", e);
        }
    }

    /// The public key as PEM.
    String publicKeyPem() {
        return pem("PUBLIC", publicKey.getEncoded());
    }

    private static String pem(String kind, byte[] der) {
        return "-----BEGIN " + kind + " KEY-----\n"
                + Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(der)
                + "\n-----END " + kind + " KEY-----\n";
    }

    @Override
    public String toString() {
        return "Signer[hidden]";
    }
}
