package dev.vigil.api.access;

import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.util.zip.CRC32;

/// The text of an API key: `sk_live_` or `sk_test_`, 43 random characters (256 bits), and 6 that are their checksum.
/// The checksum lets a scanner tell a leaked key from a text that only looks like one, and this service refuse
/// nonsense without asking the database.
///
/// @param text as its owner sends it
record ApiKeyText(String text) {
    /// What every key begins with; no access token does.
    static final String BEGINNING = "sk_";

    private static final String LIVE = "sk_live_";
    private static final String TEST = "sk_test_";
    private static final int RANDOM_LENGTH = 43;
    private static final int CHECK_LENGTH = 6;
    private static final int SHOWN_LENGTH = 4;
    private static final String ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    private static final SecureRandom RANDOM = new SecureRandom();

    /// A new key.
    static ApiKeyText next(boolean test) {
        var text = new StringBuilder(test ? TEST : LIVE);
        for (int i = 0; i < RANDOM_LENGTH; i++) {
            text.append(ALPHABET.charAt(RANDOM.nextInt(ALPHABET.length())));
        }
        return new ApiKeyText(text + checksum(text.toString()));
    }

    /// Whether it has the form of a key.
    boolean isWellFormed() {
        int body = text.length() - CHECK_LENGTH;
        return (text.startsWith(LIVE) || text.startsWith(TEST))
                && body == LIVE.length() + RANDOM_LENGTH
                && text.substring(body).equals(checksum(text.substring(0, body)));
    }

    /// The part that may be shown, so that an owner recognises his key.
    String prefix() {
        return text.substring(0, LIVE.length() + SHOWN_LENGTH);
    }

    byte[] hash() {
        return Secrets.hash(text);
    }

    private static String checksum(String body) {
        var crc = new CRC32();
        crc.update(body.getBytes(StandardCharsets.US_ASCII));
        var digits = new StringBuilder();
        for (long left = crc.getValue(); digits.length() < CHECK_LENGTH; left /= ALPHABET.length()) {
            digits.append(ALPHABET.charAt((int) (left % ALPHABET.length())));
        }
        return digits.reverse().toString();
    }

    @Override
    public String toString() {
        return "ApiKeyText";
    }
}
