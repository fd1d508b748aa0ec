package dev.vigil.gdpr.request;

import dev.vigil.edge.KeyPairFile;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.MessageDigest;
import java.security.Signature;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/// Signs exports and certificates: ECDSA P-256 over SHA-256, DER, so that `openssl dgst -sha256 -verify` checks it.
public final class Signer {
    private final KeyPair keys;

    /// Signs with that P-256 key.
    public Signer(KeyPair keys) {
        this.keys = keys;
    }

    /// A DER signature over some bytes.
    byte[] sign(byte[] message) {
        try {
            var signature = Signature.getInstance("SHA256withECDSA");
            signature.initSign(keys.getPrivate());
            signature.update(message);
            return signature.sign();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("SHA256withECDSA is part of every JDK", e);
        }
    }

    /// An HMAC under a key derived from the signing key, for cursors.
    byte[] mac(byte[] message) {
        try {
            byte[] key = MessageDigest.getInstance("SHA-256")
                    .digest(keys.getPrivate().getEncoded());
            var mac = Mac.getInstance("HmacSHA256");
            mac.init(new SecretKeySpec(key, "HmacSHA256"));
            return mac.doFinal(message);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("HmacSHA256 is part of every JDK", e);
        }
    }

    /// The public key as PEM.
    String publicKeyPem() {
        return KeyPairFile.pem(keys.getPublic());
    }

    @Override
    public String toString() {
        return "Signer[hidden]";
    }
}
