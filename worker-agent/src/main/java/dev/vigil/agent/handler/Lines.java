package dev.vigil.agent.handler;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ReadableByteChannel;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// Cuts a channel into lines of a bounded length.
final class Lines {
    private static final int FIRST_SIZE = 4 << 10;

    private final ReadableByteChannel channel;
    private final int lineMax;
    private byte[] buffer = new byte[FIRST_SIZE];
    private int start;
    private int end;

    Lines(ReadableByteChannel channel, int lineMax) {
        this.channel = channel;
        this.lineMax = lineMax;
    }

    /// A line is longer than allowed; nothing after it can be told apart.
    static final class TooLongException extends IOException {
        private static final long serialVersionUID = 1;
    }

    /// Reads on.
    ///
    /// @return the next line without its line feed; null at the end. A last line may lack its line feed.
    byte @Nullable [] next() throws IOException {
        int looked = start;
        while (true) {
            for (; looked < end; looked++) {
                if (buffer[looked] == '\n') {
                    byte[] line = Arrays.copyOfRange(buffer, start, looked);
                    start = looked + 1;
                    return line;
                }
            }
            if (end - start > lineMax) {
                throw new TooLongException();
            }
            looked -= room();
            int read = channel.read(ByteBuffer.wrap(buffer, end, buffer.length - end));
            if (read < 0) {
                byte[] rest = Arrays.copyOfRange(buffer, start, end);
                start = end;
                return rest.length == 0 ? null : rest;
            }
            end += read;
        }
    }

    /// Makes room behind what is there.
    ///
    /// @return how far the content moved to the front
    private int room() {
        int moved = start;
        if (start > 0) {
            System.arraycopy(buffer, start, buffer, 0, end - start);
            end -= start;
            start = 0;
        }
        if (end == buffer.length) {
            buffer = Arrays.copyOf(buffer, Math.min(2 * buffer.length, lineMax + 2));
        } else if (end == 0 && buffer.length > 16 * FIRST_SIZE) {
            buffer = new byte[FIRST_SIZE]; // one large line must not cost a megabyte for ever
        }
        return moved;
    }
}
