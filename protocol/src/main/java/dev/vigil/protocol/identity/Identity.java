package dev.vigil.protocol.identity;

import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.Signature;
import java.security.cert.CertificateEncodingException;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.HexFormat;
import java.util.List;

/// A private key with its certificate and issuer. Does not print its key.
public final class Identity {
    private final PrivateKey key;
    private final List<X509Certificate> chain;
    private final SpiffeId id;

    Identity(PrivateKey key, List<X509Certificate> chain) throws GeneralSecurityException {
        this.key = key;
        this.chain = List.copyOf(chain);
        this.id = SpiffeId.of(chain.getFirst())
                .orElseThrow(() -> new GeneralSecurityException(
                        "the certificate names no worker and no service; it needs one spiffe:// URI name"));
    }

    /// Who this is.
    public SpiffeId id() {
        return id;
    }

    /// The certificate itself.
    public X509Certificate certificate() {
        return chain.getFirst();
    }

    /// SHA-256 of the certificate's DER form.
    public byte[] fingerprint() {
        return fingerprint(certificate());
    }

    /// SHA-256 of a certificate's DER form.
    public static byte[] fingerprint(X509Certificate certificate) {
        try {
            return sha256(certificate.getEncoded());
        } catch (CertificateEncodingException e) {
            throw new IllegalStateException("a parsed certificate has its encoding", e);
        }
    }

    /// The pin of a CA: `sha256:` and 64 hexadecimal digits over its SubjectPublicKeyInfo.
    public static String pin(PublicKey key) {
        return "sha256:" + HexFormat.of().formatHex(sha256(key.getEncoded()));
    }

    /// When the certificate ends.
    public Instant notAfter() {
        return certificate().getNotAfter().toInstant();
    }

    /// Half of the certificate's life: from then on it is renewed.
    public Instant renewAfter() {
        Instant start = certificate().getNotBefore().toInstant();
        return start.plus(Duration.between(start, notAfter()).dividedBy(2));
    }

    /// Signs with ECDSA P-256 and SHA-256, DER form.
    public byte[] sign(byte[] message) {
        try {
            var signature = Signature.getInstance("SHA256withECDSA");
            signature.initSign(key);
            signature.update(message);
            return signature.sign();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("the key of " + id + " does not sign; is it a P-256 key?", e);
        }
    }

    PrivateKey key() {
        return key;
    }

    List<X509Certificate> chain() {
        return chain;
    }

    private static byte[] sha256(byte[] bytes) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(bytes);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("SHA-256 is part of every JDK", e);
        }
    }

    @Override
    public String toString() {
        return "Identity[" + id + " until " + notAfter() + "]";
    }
}
