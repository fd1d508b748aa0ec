package dev.vigil.api.task;

import dev.vigil.api.vault.Opened;
import dev.vigil.api.vault.PayloadSealer;
import dev.vigil.api.vault.Place;
import dev.vigil.protocol.payload.LogChunk;
import dev.vigil.protocol.payload.LogLine;
import dev.vigil.protocol.payload.Purpose;
import dev.vigil.protocol.payload.SealBrokenException;
import dev.vigil.protocol.payload.SealContext;
import dev.vigil.scheduler.execution.ExecutionLogs;
import dev.vigil.scheduler.execution.ExecutionLogs.Chunk;
import dev.vigil.scheduler.execution.ExecutionView;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// Opens what executions said, for those who may read it. Whoever calls this has asked the access policy and put it
/// on record.
final class OpenedLogs {
    /// Chunks that are read and opened at once.
    private static final int CHUNKS = 32;

    private final ExecutionLogs logs;
    private final PayloadSealer sealer;

    OpenedLogs(ExecutionLogs logs, PayloadSealer sealer) {
        this.logs = logs;
        this.sealer = sealer;
    }

    /// A line as a reader sees it.
    ///
    /// @param seq     its number within the execution
    /// @param at      when the worker read it; null for a line about lines that are missing
    /// @param attempt which attempt
    /// @param stream  `stdout`, `stderr`, or `agent` for what the system says about the log
    record Line(int seq, @Nullable Instant at, int attempt, String stream, String text) {}

    /// The next lines after the one with this number, some of them.
    List<Line> after(ExecutionView execution, int after) {
        var lines = new ArrayList<Line>();
        int last = after;
        for (Chunk chunk : logs.after(execution.id(), after, CHUNKS)) {
            if (chunk.seq() > last + 1) {
                int lost = chunk.seq() - last - 1;
                lines.add(told(chunk.seq() - 1, chunk.attempt(), lost + " lines were lost on the way"));
            }
            add(execution, chunk, last, lines);
            last = chunk.seq() + chunk.lines() - 1;
        }
        return lines;
    }

    private void add(ExecutionView execution, Chunk chunk, int after, List<Line> lines) {
        int end = chunk.seq() + chunk.lines() - 1;
        switch (open(execution, Purpose.LOG, chunk.sealed())) {
            case Opened.Plain(byte[] bytes) -> {
                List<LogLine> opened = lines(chunk, bytes);
                if (opened.isEmpty()) {
                    lines.add(told(end, chunk.attempt(), chunk.lines() + " lines stood elsewhere before; not shown"));
                }
                for (int i = 0; i < opened.size(); i++) {
                    LogLine line = opened.get(i);
                    if (chunk.seq() + i > after) {
                        lines.add(new Line(
                                chunk.seq() + i,
                                Instant.ofEpochMilli(line.atMillis()),
                                chunk.attempt(),
                                line.source().label(),
                                line.words()));
                    }
                }
            }
            case Opened.Erased() ->
                lines.add(told(end, chunk.attempt(), chunk.lines() + " lines cannot be read: their key was destroyed"));
            case Opened.Broken() ->
                lines.add(told(
                        end,
                        chunk.attempt(),
                        chunk.lines() + " lines do not open: they were changed outside of this system"));
        }
    }

    /// Empty when the chunk was sealed for another place in the log than the one it lies at.
    private static List<LogLine> lines(Chunk chunk, byte[] bytes) {
        try {
            LogChunk opened = LogChunk.of(bytes);
            boolean here = opened.fence() == chunk.fence()
                    && opened.firstLine() == chunk.line()
                    && opened.lines().size() == chunk.lines();
            return here ? opened.lines() : List.of();
        } catch (SealBrokenException _) {
            return List.of();
        }
    }

    private static Line told(int seq, int attempt, String words) {
        return new Line(seq, null, attempt, LogLine.Source.AGENT.label(), words);
    }

    /// How far an execution says it is.
    Optional<ExecutionLogs.Progress> progress(ExecutionView execution) {
        return logs.progress(execution.id());
    }

    /// The sentence that came with its progress; empty when there is none, or its key is gone.
    Optional<String> message(ExecutionView execution, ExecutionLogs.Progress progress) {
        byte[] sealed = progress.message();
        return sealed != null && open(execution, Purpose.PROGRESS, sealed) instanceof Opened.Plain(byte[] bytes)
                ? Optional.of(new String(bytes, StandardCharsets.UTF_8))
                : Optional.empty();
    }

    private Opened open(ExecutionView execution, Purpose purpose, byte[] sealed) {
        var place =
                new Place(execution.taskId(), execution.namespace(), execution.payloadVersion(), execution.handler());
        SealContext context = place.result(execution.id(), execution.keyId()).withPurpose(purpose);
        return sealer.open(place, context, sealed);
    }
}
