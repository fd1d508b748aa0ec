package dev.vigil.protocol.link;

import java.security.GeneralSecurityException;
import javax.crypto.KDF;
import javax.crypto.Mac;
import javax.crypto.SecretKey;
import javax.crypto.spec.HKDFParameterSpec;
import javax.crypto.spec.SecretKeySpec;

/// The keys of the link: HKDF-SHA256 (RFC 5869) of the session's secret, HMAC-SHA256 for the handshake.
final class LinkSecrets {
    static final int RANDOM_BYTES = 32;

    private LinkSecrets() {}

    static SecretKey derive(byte[] secret, byte[] salt, byte[] info) {
        if (secret.length != 32) {
            throw new IllegalArgumentException("session secret has " + secret.length + " bytes; use 32");
        }
        try {
            var parameters =
                    HKDFParameterSpec.ofExtract().addIKM(secret).addSalt(salt).thenExpand(info, 32);
            return new SecretKeySpec(KDF.getInstance("HKDF-SHA256").deriveData(parameters), "AES");
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("HKDF-SHA256 is part of JDK 25", e);
        }
    }

    static byte[] mac(SecretKey key, byte[]... parts) {
        try {
            var mac = Mac.getInstance("HmacSHA256");
            mac.init(new SecretKeySpec(key.getEncoded(), "HmacSHA256"));
            for (byte[] part : parts) {
                mac.update(part);
            }
            return mac.doFinal();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("HmacSHA256 is part of every JDK", e);
        }
    }
}
