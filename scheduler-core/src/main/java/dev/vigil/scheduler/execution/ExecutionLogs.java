package dev.vigil.scheduler.execution;

import dev.vigil.protocol.payload.LogChunk;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.core.simple.JdbcClient;

/// What executions have said, sealed, for those who may open it.
///
/// For use by many threads at once.
public final class ExecutionLogs {
    private final JdbcClient db;

    /// Logs of this database.
    public ExecutionLogs(JdbcClient db) {
        this.db = db;
    }

    /// Lines that were sealed together.
    ///
    /// @param seq     number of the first line within the execution, from 1; a gap before it means lost lines
    /// @param line    number of the first line within the attempt
    /// @param lines   how many
    /// @param attempt which attempt
    /// @param fence   of its dispatch
    /// @param sealed  the sealed record
    public record Chunk(int seq, int line, int lines, int attempt, long fence, byte[] sealed) {
        @Override
        public String toString() {
            return "Chunk[" + seq + " + " + lines + "]";
        }
    }

    /// How far an execution is.
    ///
    /// @param millionths from 0 to 1,000,000
    /// @param message    the sealed sentence; null when there is none
    public record Progress(int millionths, byte @Nullable [] message) {}

    /// The chunks that hold lines after the one with this number, in order.
    ///
    /// @param after 0 for all
    /// @param limit most chunks
    public List<Chunk> after(UUID execution, int after, int limit) {
        return db.sql("""
                        SELECT seq, line, lines, attempt, fence, sealed FROM scheduler.log
                         WHERE execution = :execution AND seq > :after - :most AND seq + lines > :after + 1
                         ORDER BY seq LIMIT :limit
                        """)
                .param("execution", execution)
                .param("after", after)
                // No chunk holds more, so the index can begin there.
                .param("most", LogChunk.LINES_MAX)
                .param("limit", limit)
                .query((row, index) -> new Chunk(
                        row.getInt("seq"),
                        row.getInt("line"),
                        row.getInt("lines"),
                        row.getInt("attempt"),
                        row.getLong("fence"),
                        row.getBytes("sealed")))
                .list();
    }

    /// The newest progress.
    public Optional<Progress> progress(UUID execution) {
        return db.sql("""
                        SELECT millionths, message FROM scheduler.progress WHERE execution = :execution
                        """)
                .param("execution", execution)
                .query((row, index) -> new Progress(row.getInt("millionths"), row.getBytes("message")))
                .optional();
    }
}
