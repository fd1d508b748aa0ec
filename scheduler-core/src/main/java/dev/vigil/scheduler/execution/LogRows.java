package dev.vigil.scheduler.execution;

import dev.vigil.scheduler.task.Columns;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.core.simple.JdbcClient;

/// The tables `scheduler.log` and `scheduler.progress`, as a core writes them.
///
/// A statement takes the shard rows that are this core's FOR SHARE first, so a core that has been replaced stores
/// nothing; and it looks at the execution's own row, so a stale fence stores nothing, and neither does one that
/// has ended.
final class LogRows {
    private LogRows() {}

    /// A chunk of lines.
    record Chunk(int shard, int namespace, int attempt, Saying.Lines lines) {
        UUID execution() {
            return lines.running().execution();
        }
    }

    /// The newest progress of an execution.
    record Mark(int shard, int namespace, Saying.Progress progress) {
        UUID execution() {
            return progress.running().execution();
        }
    }

    /// Appends chunks.
    ///
    /// @param chunks of one execution, if there are several: under one fence, in the order of their lines
    /// @return how many were stored
    static int append(JdbcClient db, UUID incarnation, List<Chunk> chunks) {
        return db.sql("""
                        WITH s AS MATERIALIZED (
                          SELECT s.id FROM scheduler.shard s
                           WHERE s.id = ANY (:shards::int[]) AND s.owner = :me
                             FOR SHARE OF s
                        )
                        INSERT INTO scheduler.log (namespace, execution, seq, line, lines, attempt, fence, sealed)
                        SELECT v.namespace, v.execution,
                               v.line + CASE WHEN last.fence = v.fence THEN last.seq - last.line
                                             ELSE coalesce(last.seq + last.lines - 1, 0) END,
                               v.line, v.lines, v.attempt, v.fence, v.sealed
                          FROM unnest(:shards::int[], :namespaces::int[], :executions::uuid[], :fences::bigint[],
                                      :attempts::smallint[], :firsts::int[], :counts::int[], :sealed::bytea[])
                               AS v(shard, namespace, execution, fence, attempt, line, lines, sealed)
                          JOIN s ON s.id = v.shard
                          JOIN scheduler.execution e
                            ON e.shard = v.shard AND e.id = v.execution AND e.fence_min <= v.fence
                          LEFT JOIN LATERAL (
                            SELECT l.seq, l.line, l.lines, l.fence FROM scheduler.log l
                             WHERE l.execution = v.execution ORDER BY l.seq DESC LIMIT 1
                          ) last ON true
                         WHERE last.fence IS NULL OR last.fence < v.fence
                            OR last.fence = v.fence AND last.line + last.lines <= v.line
                        """)
                .params(new Columns<>(chunks)
                        .add("shards", new Integer[0], Chunk::shard)
                        .add("namespaces", new Integer[0], Chunk::namespace)
                        .add("executions", new UUID[0], Chunk::execution)
                        .add(
                                "fences",
                                new Long[0],
                                chunk -> chunk.lines.running().fence())
                        .add("attempts", new Integer[0], Chunk::attempt)
                        .add("firsts", new Integer[0], chunk -> chunk.lines.line())
                        .add("counts", new Integer[0], chunk -> chunk.lines.lines())
                        .add("sealed", new byte[0][], chunk -> chunk.lines.sealed())
                        .arrays())
                .param("me", incarnation)
                .update();
    }

    /// Replaces progress.
    ///
    /// @param marks one for each execution
    static void mark(JdbcClient db, UUID incarnation, List<Mark> marks) {
        db.sql("""
                        WITH s AS MATERIALIZED (
                          SELECT s.id FROM scheduler.shard s
                           WHERE s.id = ANY (:shards::int[]) AND s.owner = :me
                             FOR SHARE OF s
                        )
                        INSERT INTO scheduler.progress AS p (namespace, execution, fence, millionths, message)
                        SELECT v.namespace, v.execution, v.fence, v.millionths, v.message
                          FROM unnest(:shards::int[], :namespaces::int[], :executions::uuid[], :fences::bigint[],
                                      :millionths::int[], :messages::bytea[])
                               AS v(shard, namespace, execution, fence, millionths, message)
                          JOIN s ON s.id = v.shard
                          JOIN scheduler.execution e
                            ON e.shard = v.shard AND e.id = v.execution AND e.fence_min <= v.fence
                         ORDER BY v.execution
                            ON CONFLICT (execution) DO UPDATE
                           SET fence = excluded.fence, millionths = excluded.millionths, message = excluded.message,
                               at = excluded.at
                         WHERE p.fence <= excluded.fence
                        """)
                .params(new Columns<>(marks)
                        .add("shards", new Integer[0], Mark::shard)
                        .add("namespaces", new Integer[0], Mark::namespace)
                        .add("executions", new UUID[0], Mark::execution)
                        .add(
                                "fences",
                                new Long[0],
                                mark -> mark.progress.running().fence())
                        .add("millionths", new Integer[0], mark -> mark.progress.millionths())
                        .add("messages", new byte[0][], LogRows::message)
                        .arrays())
                .param("me", incarnation)
                .update();
    }

    private static byte @Nullable [] message(Mark mark) {
        return mark.progress.message();
    }
}
