package dev.vigil.protocol.tree;

import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Optional;

/// A text with signatures below it (C2SP signed-note). The text counts for nothing until a known key verified it.
///
/// @param text       what is signed; ends with a newline
/// @param signatures at least one
public record SignedNote(String text, List<NoteSignature> signatures) {
    /// The longest note that is read.
    public static final int BYTES_MAX = 256 * 1024;

    private static final String LINE_START = "\u2014 ";
    private static final int ID_BYTES = 4;

    /// One signature line.
    ///
    /// @param name      name of the key
    /// @param keyId     id of the key
    /// @param signature what the key made of the text; copied in and out
    public record NoteSignature(String name, int keyId, byte[] signature) {
        public NoteSignature {
            signature = signature.clone();
        }

        @Override
        public byte[] signature() {
            return signature.clone();
        }

        private String line() {
            byte[] both = ByteBuffer.allocate(ID_BYTES + signature.length)
                    .putInt(keyId)
                    .put(signature)
                    .array();
            return LINE_START + name + " " + Base64.getEncoder().encodeToString(both) + "\n";
        }
    }

    public SignedNote {
        signatures = List.copyOf(signatures);
        if (!text.endsWith("\n") || signatures.isEmpty()) {
            throw new IllegalArgumentException("a note is a text that ends with a newline, and a signature");
        }
    }

    /// Reads a note.
    ///
    /// @return empty when it breaks a rule of the format: not UTF-8, control characters, no blank line before the
    ///         signatures, a bad signature line, or longer than [#BYTES_MAX]
    public static Optional<SignedNote> parse(byte[] bytes) {
        if (bytes.length > BYTES_MAX) {
            return Optional.empty();
        }
        CharBuffer note;
        try {
            note = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes));
        } catch (CharacterCodingException e) {
            return Optional.empty();
        }
        return parse(note.toString());
    }

    private static Optional<SignedNote> parse(String note) {
        int blank = note.lastIndexOf("\n\n");
        boolean control = note.chars().anyMatch(c -> c < ' ' && c != '\n');
        if (blank < 0 || control || !note.endsWith("\n")) {
            return Optional.empty();
        }
        var signatures = new ArrayList<NoteSignature>();
        for (String line : note.substring(blank + 2).split("\n", -1)) {
            Optional<NoteSignature> signature = signature(line);
            signature.ifPresent(signatures::add);
            if (signature.isEmpty() && !line.isEmpty()) {
                return Optional.empty();
            }
        }
        return signatures.isEmpty()
                ? Optional.empty()
                : Optional.of(new SignedNote(note.substring(0, blank + 1), signatures));
    }

    private static Optional<NoteSignature> signature(String line) {
        int space = line.lastIndexOf(' ');
        if (!line.startsWith(LINE_START) || space <= LINE_START.length()) {
            return Optional.empty();
        }
        String name = line.substring(LINE_START.length(), space);
        try {
            byte[] both = Base64.getDecoder().decode(line.substring(space + 1));
            if (!isKeyName(name) || both.length <= ID_BYTES) {
                return Optional.empty();
            }
            var signature = new NoteSignature(
                    name, ByteBuffer.wrap(both).getInt(), Arrays.copyOfRange(both, ID_BYTES, both.length));
            return signature.line().equals(line + "\n") ? Optional.of(signature) : Optional.empty();
        } catch (IllegalArgumentException e) {
            return Optional.empty();
        }
    }

    /// Whether the key signed it. As the format demands, a wrong signature under the key's name and id spoils the
    /// whole note, a right one beside it or not.
    public boolean isSignedBy(VerifierKey key) {
        List<NoteSignature> own = signatures.stream()
                .filter(signature -> signature.name().equals(key.name()) && signature.keyId() == key.id())
                .toList();
        return !own.isEmpty() && own.stream().allMatch(signature -> key.verifies(text, signature.signature()));
    }

    /// The note as it travels.
    @Override
    public String toString() {
        var note = new StringBuilder(text).append('\n');
        signatures.forEach(signature -> note.append(signature.line()));
        return note.toString();
    }

    static boolean isKeyName(String name) {
        return !name.isEmpty()
                && name.chars().noneMatch(c -> c < ' ' || c == '+' || Character.isSpaceChar(c) || c == 0x85);
    }
}
