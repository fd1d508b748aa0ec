package dev.vigil.chaos;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;

/// A file of one worker in which stands what it began to run and what is over, in lines that outlive the process. The
/// times are of the machine's monotonic clock, which all processes share and no fault moves.
final class StartLog {
    private static final String STARTED = "started";
    private static final String STOPPED = "stopped";

    private final FileChannel channel;

    private StartLog(FileChannel channel) {
        this.channel = channel;
    }

    /// Goes on with a file.
    static StartLog append(Path file) {
        try {
            return new StartLog(FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.APPEND));
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }

    synchronized void write(Line line) {
        String text = (line.begins ? STARTED : STOPPED) + " " + line.execution + " " + line.fence + " " + line.attempt
                + " " + line.nanos + "\n";
        try {
            channel.write(ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8)));
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }

    /// Something that stands in it.
    ///
    /// @param begins whether the attempt starts, or is over
    /// @param nanos  monotonic
    record Line(boolean begins, UUID execution, long fence, int attempt, long nanos) {}

    /// All lines in their order; a last one that was cut is left out.
    static List<Line> read(Path file) throws IOException {
        var lines = new ArrayList<Line>();
        if (!Files.exists(file)) {
            return lines;
        }
        String text = Files.readString(file);
        for (String line : text.substring(0, text.lastIndexOf('\n') + 1).lines().toList()) {
            String[] words = line.split(" ");
            lines.add(new Line(
                    words[0].equals(STARTED),
                    UUID.fromString(words[1]),
                    Long.parseLong(words[2]),
                    Integer.parseInt(words[3]),
                    Long.parseLong(words[4])));
        }
        return lines;
    }
}
