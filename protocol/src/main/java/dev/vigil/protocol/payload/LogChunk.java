package dev.vigil.protocol.payload;

import java.io.ByteArrayOutputStream;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/// Lines of one attempt that are sealed together. Fence and first line are inside as well, so that a chunk which
/// somebody moved to another attempt or another place in the log is found out when it is opened.
///
/// Bytes: `fence(8) first line(4)`, then for each line `source(1) at(8) length(2) text`, big-endian.
///
/// @param fence     of the dispatch
/// @param firstLine number of its first line within the attempt, from 1
/// @param lines     at least one
public record LogChunk(long fence, int firstLine, List<LogLine> lines) {
    /// Lines of one chunk.
    public static final int LINES_MAX = 1_024;

    /// Bytes of one chunk before it is sealed.
    public static final int BYTES_MAX = 32 * 1024;

    private static final int HEAD = 8 + 4;
    private static final int LINE_HEAD = 1 + 8 + 2;

    public LogChunk {
        if (lines.isEmpty() || lines.size() > LINES_MAX || firstLine < 1) {
            throw new IllegalArgumentException(
                    "a chunk of " + lines.size() + " lines from line " + firstLine + "; use 1 to " + LINES_MAX);
        }
        lines = List.copyOf(lines);
    }

    /// How many bytes a line takes in a chunk.
    public static int bytesOf(LogLine line) {
        return LINE_HEAD + line.length();
    }

    /// The bytes to seal.
    public byte[] toBytes() {
        var out = new ByteArrayOutputStream(1_024);
        out.writeBytes(
                ByteBuffer.allocate(HEAD).putLong(fence).putInt(firstLine).array());
        for (LogLine line : lines) {
            byte[] text = line.text();
            out.writeBytes(ByteBuffer.allocate(LINE_HEAD)
                    .put(line.source().code())
                    .putLong(line.atMillis())
                    .putShort((short) text.length)
                    .array());
            out.writeBytes(text);
        }
        return out.toByteArray();
    }

    /// Reads what [#toBytes()] wrote.
    ///
    /// @throws SealBrokenException when it is no chunk
    public static LogChunk of(byte[] bytes) throws SealBrokenException {
        var in = ByteBuffer.wrap(bytes);
        try {
            long fence = in.getLong();
            int first = in.getInt();
            var lines = new ArrayList<LogLine>();
            while (in.hasRemaining()) {
                lines.add(line(in));
            }
            return new LogChunk(fence, first, lines);
        } catch (BufferUnderflowException | IllegalArgumentException e) {
            throw new SealBrokenException("the record is no chunk of log lines");
        }
    }

    private static LogLine line(ByteBuffer in) throws SealBrokenException {
        LogLine.Source source = LogLine.Source.of(in.get());
        long at = in.getLong();
        var text = new byte[Short.toUnsignedInt(in.getShort())];
        in.get(text);
        return new LogLine(source, at, text);
    }
}
