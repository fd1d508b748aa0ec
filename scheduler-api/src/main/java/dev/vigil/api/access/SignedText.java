package dev.vigil.api.access;

import dev.vigil.api.vault.VaultKeys;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.Base64;
import java.util.List;
import java.util.Optional;

/// Texts that this service gives away and gets back unchanged, or not at all: values and an HMAC over them under a
/// vault key. Whoever holds one can read it, so nothing in it is secret.
final class SignedText {
    private static final int LENGTH_MAX = 4096;
    private static final String END = "\n";

    private final VaultKeys keys;

    SignedText(VaultKeys keys) {
        this.keys = keys;
    }

    /// The values as a text of `[A-Za-z0-9_.-]`.
    ///
    /// @param purpose what it is; signed for one it is nothing for another
    String of(String purpose, List<String> values) {
        if (values.stream().anyMatch(value -> value.contains(END))) {
            throw new IllegalArgumentException("a value for " + purpose + " has a line end");
        }
        byte[] bytes = String.join(END, values).getBytes(StandardCharsets.UTF_8);
        return text(bytes) + "." + text(keys.mac(purpose, bytes));
    }

    /// The values of a text that [#of] made for this purpose; empty for any other text.
    Optional<List<String>> read(String purpose, String text) {
        int dot = text.indexOf('.');
        if (dot < 0 || text.length() > LENGTH_MAX) {
            return Optional.empty();
        }
        try {
            byte[] bytes = Base64.getUrlDecoder().decode(text.substring(0, dot));
            byte[] mac = Base64.getUrlDecoder().decode(text.substring(dot + 1));
            return MessageDigest.isEqual(mac, keys.mac(purpose, bytes))
                    ? Optional.of(List.of(new String(bytes, StandardCharsets.UTF_8).split(END, -1)))
                    : Optional.empty();
        } catch (IllegalArgumentException e) {
            return Optional.empty();
        }
    }

    private static String text(byte[] bytes) {
        return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
    }
}
