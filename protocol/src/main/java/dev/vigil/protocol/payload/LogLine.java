package dev.vigil.protocol.payload;

import java.nio.charset.StandardCharsets;
import java.util.Locale;

/// A line that an execution wrote. It does not print itself.
///
/// @param source   where it came from
/// @param atMillis when the worker read it, Unix milliseconds by the worker's clock
/// @param text     without its line break, at most [#TEXT_BYTES_MAX] bytes, as the handler wrote it: usually UTF-8
public record LogLine(Source source, long atMillis, byte[] text) {
    /// A longer line is cut into several.
    public static final int TEXT_BYTES_MAX = 4 * 1024;

    public LogLine {
        if (text.length > TEXT_BYTES_MAX) {
            throw new IllegalArgumentException("a log line of " + text.length + " bytes; cut it at " + TEXT_BYTES_MAX);
        }
        text = text.clone();
    }

    @Override
    public byte[] text() {
        return text.clone();
    }

    /// Bytes of the text.
    public int length() {
        return text.length;
    }

    /// For people; what is no UTF-8 is replaced.
    public String words() {
        return new String(text, StandardCharsets.UTF_8);
    }

    /// Who wrote a line.
    public enum Source {
        STDOUT(1),
        STDERR(2),
        /// The worker itself, about what is missing.
        AGENT(3);

        private final int code;

        Source(int code) {
            this.code = code;
        }

        byte code() {
            return (byte) code;
        }

        static Source of(byte code) throws SealBrokenException {
            for (Source source : values()) {
                if (source.code == code) {
                    return source;
                }
            }
            throw new SealBrokenException("a log line has source " + code);
        }

        /// As people see it.
        public String label() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    @Override
    public String toString() {
        return "LogLine[" + source + ", " + text.length + " bytes]";
    }
}
