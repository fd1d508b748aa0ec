package dev.vigil.api.access;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.SecureRandom;
import java.util.Base64;
import java.util.HexFormat;
import org.jspecify.annotations.Nullable;
import org.springframework.security.crypto.password.PasswordEncoder;

/// Random secrets and their hashes. They hold 256 random bits, so a plain SHA-256 is enough, and cheap.
final class Secrets {
    private static final SecureRandom RANDOM = new SecureRandom();

    private Secrets() {}

    /// 256 random bits as 43 characters of `[A-Za-z0-9_-]`.
    static String next() {
        var bytes = new byte[32];
        RANDOM.nextBytes(bytes);
        return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
    }

    static byte[] hash(String secret) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(secret.getBytes(StandardCharsets.UTF_8));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("SHA-256 is part of every JDK", e);
        }
    }

    static String text(byte[] hash) {
        return Base64.getEncoder().encodeToString(hash);
    }

    /// What a token carries of the secret that it was got with, so that it ends when the secret does. It tells nothing
    /// of the secret: 256 random bits, hashed twice.
    ///
    /// @param text as [#text] gave it
    static String mark(String text) {
        return "secret:" + HexFormat.of().formatHex(hash(text), 0, 16);
    }

    /// How the authorization server compares client secrets.
    static final class Encoder implements PasswordEncoder {
        @Override
        public String encode(@Nullable CharSequence secret) {
            return text(hash(String.valueOf(secret)));
        }

        @Override
        public boolean matches(@Nullable CharSequence secret, @Nullable String stored) {
            return stored != null
                    && MessageDigest.isEqual(
                            encode(secret).getBytes(StandardCharsets.US_ASCII),
                            stored.getBytes(StandardCharsets.US_ASCII));
        }
    }
}
