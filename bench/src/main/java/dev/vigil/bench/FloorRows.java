package dev.vigil.bench;

import dev.vigil.bench.Contestant.NoOp;
import dev.vigil.protocol.id.UuidV7;
import java.nio.ByteBuffer;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Timestamp;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.random.RandomGenerator;

/// The least that the rows of a task cost: what the engine writes into its own tables, by statements that know that
/// every task is of one kind. Audit events are random bytes, as many as the engine's are once PostgreSQL has compressed
/// them; nothing is sealed, counted or checked but the shard's row.
final class FloorRows {
    /// As the engine places them: neighbours share a shard.
    private static final int RUN = 64;

    private static final int SHARDS = 16;
    private static final int PAYLOAD_BYTES = 302;
    private static final int CREATE_EVENT_BYTES = 110;
    private static final int DISPATCH_EVENT_BYTES = 100;
    private static final int END_EVENTS_BYTES = 150;

    private static final String CREATE = """
            WITH v AS (
              SELECT * FROM unnest(?::uuid[], ?::int[], ?::timestamptz[], ?::bytea[]) AS v(id, shard, due, payload)
            ), t AS (
              INSERT INTO scheduler.task
                     (namespace, id, version, owner, shard, kind, priority, name, handler, timeout_ms, max_attempts,
                      backoff, retry_initial_ms, retry_max_ms, misfire, misfire_limit, overlap, key_id,
                      payload_version, payload_bytes, payload)
              SELECT 1, id, 1, '01980000-0000-7000-8000-000000000001', shard, 1, 1, 'bench', 'bench.noop', 900000, 1,
                     1, 10000, 600000, 1, 100, 1, '01980000-0000-7000-8000-000000000002', 1, 302, payload
                FROM v
            ), e AS (
              INSERT INTO scheduler.execution (shard, namespace, id, task_id, due_at, scheduled_for, version, lane)
              SELECT shard, 1, id, id, due, due, 1, 17 FROM v
            ), i AS (
              INSERT INTO scheduler.inbox (shard, kind, lanes, due) SELECT shard, 1, 131072, min(due) FROM v GROUP BY shard
            )
            INSERT INTO scheduler.outbox (n, events) VALUES (?, ?)
            """;

    private static final String SCAN = """
            SELECT e.id, e.due_at, t.owner, t.handler, t.key_id, t.payload
              FROM (SELECT id, namespace, task_id, version, due_at FROM scheduler.execution
                     WHERE shard = ? AND lane = 17 AND due_at <= ? AND (due_at, id) > (?, ?)
                     ORDER BY due_at, id LIMIT ?) e
              JOIN scheduler.task t ON t.namespace = e.namespace AND t.id = e.task_id AND t.version = e.version
             ORDER BY e.due_at, e.id
            """;

    private static final String DISPATCH = """
            WITH s AS MATERIALIZED (
              SELECT id FROM scheduler.shard WHERE id = ? AND epoch = 0 AND change_seq = 0 FOR SHARE
            ), d AS (
              INSERT INTO scheduler.dispatch (shard, epoch, n, low, worker, boot, executions, attempts)
              SELECT id, 0, ?, ?, '01980000-0000-7000-8000-000000000003', '01980000-0000-7000-8000-000000000004',
                     ?::uuid[], ?::smallint[] FROM s
            )
            INSERT INTO scheduler.outbox (n, events) SELECT ?, ? FROM s
            """;

    private static final String CLOSE = """
            WITH s AS MATERIALIZED (
              SELECT id FROM scheduler.shard WHERE id = ? AND epoch = 0 FOR SHARE
            ), d AS (
              DELETE FROM scheduler.execution e USING s
               WHERE e.shard = s.id AND e.id = ANY (?::uuid[]) AND e.fence_min <= ?
              RETURNING e.*
            ), h AS (
              INSERT INTO scheduler.history
                     (namespace, version, id, task_id, owner, worker, fence, scheduled_for, started_at, duration_ms,
                      payload_version, shard, state, attempt, losses, uploaded, key_id, handler)
              SELECT namespace, version, id, task_id, '01980000-0000-7000-8000-000000000001',
                     '01980000-0000-7000-8000-000000000003', ?, scheduled_for, clock_timestamp(), 0, 1, shard, 1, 1,
                     losses, false, '01980000-0000-7000-8000-000000000002', 'bench.noop'
                FROM d
            )
            INSERT INTO scheduler.outbox (n, events) SELECT ?, ? FROM s
            """;

    private final InstantSource clock;
    private final byte[] noise = new byte[1 << 20];
    private final AtomicInteger turns = new AtomicInteger();

    FloorRows(InstantSource clock, RandomGenerator chance) {
        this.clock = clock;
        chance.nextBytes(noise);
    }

    static int shards() {
        return SHARDS;
    }

    /// Stores a task that is due in a day.
    ///
    /// @return its id
    UUID model(Connection connection) throws SQLException {
        Instant tomorrow = clock.instant().plus(1, ChronoUnit.DAYS);
        return create(connection, List.of(new NoOp(Starts.micros(tomorrow), 0))).getFirst();
    }

    /// Stores tasks in one statement.
    ///
    /// @return their ids
    List<UUID> create(Connection connection, List<NoOp> tasks) throws SQLException {
        int n = tasks.size();
        int turn = turns.getAndIncrement();
        var ids = new UUID[n];
        var shards = new Integer[n];
        var dues = new Timestamp[n];
        var payloads = new byte[n][];
        Instant now = clock.instant();
        for (int i = 0; i < n; i++) {
            NoOp task = tasks.get(i);
            ids[i] = UuidV7.next();
            shards[i] = Math.floorMod(turn + i / RUN, SHARDS);
            dues[i] = Timestamp.from(task.dueMicros() == 0 ? now : Starts.instant(task.dueMicros()));
            payloads[i] = random(PAYLOAD_BYTES);
            ByteBuffer.wrap(payloads[i]).putLong(task.t0Micros());
        }
        try (PreparedStatement statement = connection.prepareStatement(CREATE)) {
            statement.setArray(1, connection.createArrayOf("uuid", ids));
            statement.setArray(2, connection.createArrayOf("int4", shards));
            statement.setArray(3, connection.createArrayOf("timestamptz", dues));
            statement.setArray(4, connection.createArrayOf("bytea", payloads));
            statement.setInt(5, n);
            statement.setBytes(6, random(n * CREATE_EVENT_BYTES));
            statement.executeUpdate();
        }
        return List.of(ids);
    }

    /// What is due in a shard behind a place, in order.
    ///
    /// @param t0Micros what each one's delay is measured from
    record Page(List<UUID> ids, List<Long> t0Micros, Timestamp lastDue) {}

    /// Where reading goes on.
    record Cursor(int shard, Timestamp at, UUID behind) {}

    Page scan(Connection connection, Cursor from, int limit) throws SQLException {
        var ids = new ArrayList<UUID>(limit);
        var t0Micros = new ArrayList<Long>(limit);
        Timestamp last = from.at;
        try (PreparedStatement statement = connection.prepareStatement(SCAN)) {
            statement.setInt(1, from.shard);
            statement.setTimestamp(2, Timestamp.from(clock.instant()));
            statement.setTimestamp(3, from.at);
            statement.setObject(4, from.behind);
            statement.setInt(5, limit);
            try (ResultSet rows = statement.executeQuery()) {
                while (rows.next()) {
                    ids.add(rows.getObject(1, UUID.class));
                    last = rows.getTimestamp(2);
                    t0Micros.add(ByteBuffer.wrap(rows.getBytes(6)).getLong());
                }
            }
        }
        return new Page(ids, t0Micros, last);
    }

    /// Commits the dispatch of a batch.
    void dispatch(Connection connection, int shard, long n, List<UUID> ids) throws SQLException {
        var attempts = new Short[ids.size()];
        Arrays.fill(attempts, (short) 1);
        try (PreparedStatement statement = connection.prepareStatement(DISPATCH)) {
            statement.setInt(1, shard);
            statement.setLong(2, n);
            statement.setLong(3, n);
            statement.setArray(4, connection.createArrayOf("uuid", ids.toArray()));
            statement.setArray(5, connection.createArrayOf("int2", attempts));
            statement.setInt(6, ids.size());
            statement.setBytes(7, random(ids.size() * DISPATCH_EVENT_BYTES));
            require(statement.executeUpdate());
        }
    }

    /// Ends a batch.
    void close(Connection connection, int shard, long n, List<UUID> ids) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(CLOSE)) {
            statement.setInt(1, shard);
            statement.setArray(2, connection.createArrayOf("uuid", ids.toArray()));
            statement.setLong(3, n);
            statement.setLong(4, n);
            statement.setInt(5, ids.size() * 2);
            statement.setBytes(6, random(ids.size() * END_EVENTS_BYTES));
            require(statement.executeUpdate());
        }
    }

    private static void require(int rows) {
        if (rows != 1) {
            throw new IllegalStateException("a shard's row was not as expected");
        }
    }

    private byte[] random(int length) {
        int from = (int) ((System.nanoTime() & 0x7fff_ffff) % (noise.length - length));
        return Arrays.copyOfRange(noise, from, from + length);
    }
}
