package dev.vigil.agent.handler;

import dev.vigil.agent.handler.RunListener.LogStream;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.Map;
import java.util.UUID;

/// What one attempt says on stdout and stderr: secrets hidden, cut into lines, and no more of it than the
/// limits. What is above them is counted, and the count is the last line. Safe for use by several threads.
final class RunLog {
    /// Bytes of text that one attempt may leave.
    static final int BYTES_MAX = 256 << 10;
    /// Lines that one attempt may leave, the two about what is missing not counted.
    static final int LINES_MAX = 10_000;
    /// A longer line is cut into several.
    static final int LINE_BYTES_MAX = 4 << 10;

    private static final int TAIL = 2 << 10;

    private final UUID execution;
    private final RunListener listener;
    private final Map<LogStream, Source> sources = new EnumMap<>(LogStream.class);
    private byte[] tail = new byte[0];
    private int bytes;
    private int lines;
    private long droppedBytes;
    private long droppedLines;
    private boolean over;

    RunLog(UUID execution, Mask mask, RunListener listener) {
        this.execution = execution;
        this.listener = listener;
        sources.put(LogStream.STDOUT, new Source(LogStream.STDOUT, mask.cover()));
        sources.put(LogStream.STDERR, new Source(LogStream.STDERR, mask.cover()));
    }

    private static final class Source {
        private final LogStream stream;
        private final Mask.Cover cover;
        private final ByteArrayOutputStream line = new ByteArrayOutputStream();

        Source(LogStream stream, Mask.Cover cover) {
            this.stream = stream;
            this.cover = cover;
        }
    }

    /// Bytes that the handler wrote.
    synchronized void write(LogStream stream, byte[] piece) {
        Source source = sources.get(stream);
        if (!over && source != null) {
            take(source, source.cover.over(piece));
        }
    }

    private void take(Source source, byte[] shown) {
        if (source.stream == LogStream.STDERR) {
            byte[] both = Arrays.copyOf(tail, tail.length + shown.length);
            System.arraycopy(shown, 0, both, tail.length, shown.length);
            tail = Arrays.copyOfRange(both, Math.max(0, both.length - TAIL), both.length);
        }
        int from = 0;
        for (int i = 0; i < shown.length; i++) {
            if (shown[i] == '\n') {
                source.line.write(shown, from, i - from);
                from = i + 1;
                end(source);
            } else if (source.line.size() + i + 1 - from == LINE_BYTES_MAX) {
                source.line.write(shown, from, i + 1 - from);
                from = i + 1;
                // A character of several bytes stays in one piece.
                byte[] begun = takeBegun(source);
                end(source);
                source.line.writeBytes(begun);
            }
        }
        source.line.write(shown, from, shown.length - from);
    }

    /// Takes a character off the end of a line that is not all there yet.
    private static byte[] takeBegun(Source source) {
        byte[] line = source.line.toByteArray();
        int start = line.length;
        while (start > 0 && line.length - start < 3 && (line[start - 1] & 0xc0) == 0x80) {
            start--;
        }
        int lead = start == 0 ? 0 : line[start - 1] & 0xff;
        int wanted = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1;
        if (start == 0 || wanted <= line.length - start + 1) {
            return new byte[0];
        }
        source.line.reset();
        source.line.write(line, 0, start - 1);
        return Arrays.copyOfRange(line, start - 1, line.length);
    }

    private void end(Source source) {
        byte[] line = source.line.toByteArray();
        source.line.reset();
        int length = line.length > 0 && line[line.length - 1] == '\r' ? line.length - 1 : line.length;
        if (droppedLines > 0 || lines == LINES_MAX || bytes + length > BYTES_MAX) {
            if (droppedLines == 0) {
                note("the log of an attempt ends at " + BYTES_MAX + " bytes or " + LINES_MAX
                        + " lines; what follows is counted and dropped");
            }
            droppedLines++;
            droppedBytes += length;
        } else {
            lines++;
            bytes += length;
            listener.log(execution, source.stream, Arrays.copyOf(line, length));
        }
    }

    private void note(String words) {
        listener.log(execution, LogStream.AGENT, words.getBytes(StandardCharsets.UTF_8));
    }

    /// Nothing more is taken. What was kept back is let go, and what was dropped is said.
    synchronized void close() {
        if (over) {
            return;
        }
        for (Source source : sources.values()) {
            take(source, source.cover.rest());
            if (source.line.size() > 0) {
                end(source);
            }
        }
        if (droppedLines > 0) {
            note(droppedLines + " lines, " + droppedBytes + " bytes, were dropped");
        }
        over = true;
    }

    /// The last that it wrote to stderr, for the owner of the task. Bytes that are no UTF-8 are replaced.
    synchronized String lastWords() {
        return new String(tail, StandardCharsets.UTF_8).strip();
    }
}
