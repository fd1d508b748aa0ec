package dev.vigil.protocol.tree;

import java.util.Base64;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/// What a log signs: who it is, how long it is, and the root over all its entries (C2SP tlog-checkpoint).
///
/// @param origin     the log's identity, by our convention the name of its key
/// @param head       size and root
/// @param extensions further signed lines; ours has none
public record Checkpoint(String origin, TreeHead head, List<String> extensions) {
    private static final Pattern SIZE = Pattern.compile("0|[1-9][0-9]{0,18}");

    /// What became of a note that should be a checkpoint.
    public sealed interface Opened {
        /// The key signed it and it is well formed.
        record Verified(Checkpoint checkpoint) implements Opened {}

        /// It proves nothing.
        ///
        /// @param why for people
        record Refused(String why) implements Opened {}
    }

    public Checkpoint {
        extensions = List.copyOf(extensions);
        if (origin.isEmpty() || origin.contains("\n")) {
            throw new IllegalArgumentException("the origin of a checkpoint is one line, not empty");
        }
    }

    /// A checkpoint without extensions.
    public Checkpoint(String origin, TreeHead head) {
        this(origin, head, List.of());
    }

    /// Verifies the signature and reads the checkpoint.
    ///
    /// @param note what was served
    /// @param key  the key of the log, known by other means; its name must be the origin
    public static Opened open(byte[] note, VerifierKey key) {
        Optional<SignedNote> signed = SignedNote.parse(note);
        if (signed.isEmpty()) {
            return new Opened.Refused("the checkpoint is not a signed note (C2SP signed-note)");
        }
        if (!signed.get().isSignedBy(key)) {
            return new Opened.Refused("the checkpoint carries no valid signature of the key " + key);
        }
        Optional<Checkpoint> checkpoint = parse(signed.get().text());
        if (checkpoint.isEmpty()) {
            return new Opened.Refused("the signed text is not a checkpoint (origin, size, root hash)");
        }
        if (!checkpoint.get().origin().equals(key.name())) {
            return new Opened.Refused(
                    "the checkpoint is of log " + checkpoint.get().origin() + ", the key of log " + key.name());
        }
        return new Opened.Verified(checkpoint.get());
    }

    /// Reads the text of a checkpoint. Says nothing about who wrote it.
    ///
    /// @return empty unless it is exactly the form that [#text] writes
    public static Optional<Checkpoint> parse(String text) {
        List<String> lines = List.of(text.split("\n", -1));
        boolean whole = lines.size() >= 4
                && lines.getLast().isEmpty()
                && lines.subList(0, lines.size() - 1).stream().noneMatch(String::isEmpty);
        if (!whole || !SIZE.matcher(lines.get(1)).matches()) {
            return Optional.empty();
        }
        try {
            var root = Hash.of(Base64.getDecoder().decode(lines.get(2)));
            var checkpoint = new Checkpoint(
                    lines.getFirst(),
                    new TreeHead(Long.parseLong(lines.get(1)), root),
                    lines.subList(3, lines.size() - 1));
            return checkpoint.text().equals(text) ? Optional.of(checkpoint) : Optional.empty();
        } catch (IllegalArgumentException e) {
            return Optional.empty();
        }
    }

    /// What is signed: origin, size, root, extensions, a line each.
    public String text() {
        var text = new StringBuilder(origin + "\n" + head.size() + "\n" + head.root() + "\n");
        extensions.forEach(line -> text.append(line).append('\n'));
        return text.toString();
    }
}
