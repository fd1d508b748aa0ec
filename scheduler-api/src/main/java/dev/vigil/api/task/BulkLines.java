package dev.vigil.api.task;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Reads a body of lines in parts that fit into memory, whatever is sent.
final class BulkLines {
    /// Longest line, in bytes.
    static final int LINE_BYTES_MAX = TaskBody.BODY_BYTES_MAX;

    /// Most lines of a part: what one statement stores.
    static final int PART_LINES_MAX = 500;

    /// A part ends with the line that reaches this.
    private static final int PART_BYTES = 4 * 1024 * 1024;

    private final InputStream in;
    private final byte[] buffer = new byte[64 * 1024];
    private int from;
    private int to;

    BulkLines(InputStream in) {
        this.in = in;
    }

    /// Lines that follow each other.
    ///
    /// @param lines  without their ends; null for one that is too long, which was skipped
    /// @param digest SHA-256 of all of it as received
    record Part(List<byte @Nullable []> lines, byte[] digest) {}

    /// The next part; without lines at the end of the body.
    ///
    /// @param linesMax read no further than that
    Part next(int linesMax) throws IOException {
        var lines = new ArrayList<byte @Nullable []>();
        MessageDigest digest = sha256();
        int bytes = 0;
        while (lines.size() < Math.min(linesMax, PART_LINES_MAX) && bytes < PART_BYTES && fill()) {
            byte[] line = line(digest);
            bytes += line == null ? 0 : line.length;
            lines.add(line);
        }
        return new Part(lines, digest.digest());
    }

    /// Whether anything is left.
    boolean hasMore() throws IOException {
        return fill();
    }

    private byte @Nullable [] line(MessageDigest digest) throws IOException {
        var line = new ByteArrayOutputStream();
        boolean tooLong = false;
        boolean ended = false;
        while (!ended && fill()) {
            int end = from;
            while (end < to && buffer[end] != '\n') {
                end++;
            }
            ended = end < to;
            int length = end - from;
            tooLong |= line.size() + length > LINE_BYTES_MAX;
            if (tooLong) {
                line.reset();
            } else {
                line.write(buffer, from, length);
            }
            int next = ended ? end + 1 : end;
            digest.update(buffer, from, next - from);
            from = next;
        }
        return tooLong ? null : line.toByteArray();
    }

    private boolean fill() throws IOException {
        if (from == to) {
            int read = in.read(buffer);
            from = 0;
            to = Math.max(0, read);
        }
        return from < to;
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("this JDK has no SHA-256", e);
        }
    }
}
