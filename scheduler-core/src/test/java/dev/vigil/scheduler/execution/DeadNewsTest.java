package dev.vigil.scheduler.execution;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vigil.postgres.Credentials;
import dev.vigil.postgres.Role;
import dev.vigil.scheduler.execution.OwnerReads.NewsFrom;
import dev.vigil.scheduler.execution.ShardRows.Beat;
import dev.vigil.scheduler.execution.Upkeep.NewsRead;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.TreeMap;
import java.util.UUID;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.springframework.jdbc.core.simple.JdbcClient;

/// News that has gone from the inbox, and that vacuum may not clear away: nobody who asks every second passes over it.
/// And what is passed over is no news.
class DeadNewsTest {
    private static final int SHARD = 3;
    private static final List<Integer> SHARDS = IntStream.range(0, 16).boxed().toList();
    private static final int DEAD = 50_000;
    /// Pages of the table and its indexes: the heartbeat looks into each of 16 shards twice. Whoever passes over the
    /// dead rows reads 800.
    private static final long FEW = 200;

    private final EngineFixture fixture = new EngineFixture();
    private final UUID me = UUID.randomUUID();
    private final CoreConnection connection = connection();
    private Owned owned = new Owned(me, List.of());

    private CoreConnection connection() {
        Credentials core = fixture.database.database().as(Role.CORE);
        var dispatcher = new Dispatcher(
                new Dispatcher.Settings(me, core.url(), core.username(), core.password(), 1, Retention.USUAL),
                new Random(1));
        return new CoreConnection(
                new CoreConnection.Database(core.url(), core.username(), core.password()),
                dispatcher.core(fixture.fleet.connect(dispatcher)));
    }

    @BeforeEach
    void own() {
        fixture.database
                .superuser()
                .sql("ALTER TABLE scheduler.inbox SET (autovacuum_enabled = off)")
                .update();
        ShardRows.enter(db(), me, "https://127.0.0.1:1");
        owned = new Owned(
                me,
                ShardRows.claim(db(), me, SHARDS.size()).stream()
                        .map(claim -> new Owned.Shard(claim.shard(), claim.epoch(), claim.changeSeq()))
                        .toList());
    }

    @AfterEach
    void close() {
        connection.close();
        fixture.close();
    }

    private JdbcClient db() {
        return connection.db();
    }

    @Test
    void nothing_that_is_asked_every_second_passes_over_news_that_is_gone() throws SQLException {
        // Planned while the inbox is empty, as in a quiet night.
        statements(Snapshot.START).values().forEach(Runnable::run);
        try (Connection first = holder();
                Connection second = holder();
                Statement transaction = first.createStatement();
                Statement snapshot = second.createStatement()) {
            transaction.execute("SELECT pg_current_xact_id()");
            create(DEAD);
            second.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
            snapshot.execute("SELECT count(*) FROM scheduler.inbox");
            Snapshot gone = OwnerReads.snapshot(db());
            prune(Snapshot.START, gone);
            assertThat(rows()).isZero();

            assertThat(gone.running())
                    .describedAs("the transaction that is held")
                    .isNotEmpty();
            assertFew(gone);
            fixture.database.superuser().sql("VACUUM (ANALYZE) scheduler.inbox").update();
            assertFew(gone);
        }
    }

    private void assertFew(Snapshot gone) {
        var read = new TreeMap<String, Long>();
        statements(gone).forEach((name, statement) -> {
            statement.run(); // is planned
            long before = pages();
            statement.run();
            read.put(name, pages() - before);
        });
        assertThat(read).allSatisfy((name, pages) -> assertThat(pages).isLessThan(FEW));
    }

    private Map<String, Runnable> statements(Snapshot gone) {
        return Map.of(
                "beat", () -> ShardRows.beat(db(), me, gone),
                "news", () -> OwnerReads.news(db(), List.of(new NewsFrom(SHARD, gone))),
                "removal of news", () -> prune(gone, OwnerReads.snapshot(db())),
                "what is asked for", () -> DependencyRows.asked(db(), SHARDS),
                "look at a dependent", () -> DependencyRows.look(db(), owned, List.of(UUID.randomUUID())));
    }

    /// Read of the inbox so far, by this test's connection alone.
    private long pages() {
        db().sql("SELECT 1 FROM pg_stat_force_next_flush()")
                .query(Integer.class)
                .list();
        return fixture.count("""
                SELECT heap_blks_hit + heap_blks_read + idx_blks_hit + idx_blks_read
                  FROM pg_statio_user_tables WHERE relid = 'scheduler.inbox'::regclass
                """);
    }

    @Test
    void a_beat_tells_of_news_that_is_committed_late_once() throws SQLException {
        assertThat(told(beat(null))).containsExactlyElementsOf(SHARDS);
        create(1);
        try (Connection late = holder();
                Statement statement = late.createStatement()) {
            statement.execute(
                    "INSERT INTO scheduler.inbox (shard, kind, namespace, ref) VALUES (7, 10, 1, gen_random_uuid())");
            Beat first = beat(OwnerReads.snapshot(db()));
            assertThat(told(first)).isEmpty();
            create(1);
            Beat second = beat(first.seen());
            assertThat(told(second)).containsExactly(SHARD);
            assertThat(told(beat(first.seen())))
                    .describedAs("nobody was told of the second")
                    .containsExactly(SHARD);
            late.commit();

            Beat third = beat(second.seen());
            assertThat(told(third)).containsExactly(7);
            assertThat(told(beat(third.seen()))).isEmpty();
        }
    }

    @Test
    void what_has_been_read_is_removed_and_what_was_committed_late_once_that_is_read() throws SQLException {
        create(3);
        try (Connection late = holder();
                Statement statement = late.createStatement()) {
            statement.execute("INSERT INTO scheduler.inbox (shard, kind, lanes, due) VALUES (3, 1, 1, now())");
            Snapshot first = OwnerReads.snapshot(db());
            create(5);
            prune(Snapshot.START, first);
            assertThat(rows()).isEqualTo(5);
            late.commit();
            prune(first, first);
            assertThat(rows()).isEqualTo(6);

            prune(first, OwnerReads.snapshot(db()));

            assertThat(rows()).isZero();
        }
    }

    private Beat beat(@Nullable Snapshot told) {
        return ShardRows.beat(db(), me, told).orElseThrow();
    }

    private static List<Integer> told(Beat beat) {
        return beat.polled().stream()
                .filter(ShardRows.Polled::news)
                .map(row -> Objects.requireNonNull(row.shard()))
                .sorted()
                .toList();
    }

    private void prune(Snapshot gone, Snapshot read) {
        Upkeep.pruneNews(db(), owned, List.of(new NewsRead(SHARD, gone, read)));
    }

    private void create(int rows) {
        fixture.database
                .superuser()
                .sql("""
                        INSERT INTO scheduler.inbox (shard, kind, lanes, due)
                        SELECT :shard, 1, 1, now() FROM generate_series(1, :rows)
                        """)
                .param("shard", SHARD)
                .param("rows", rows)
                .update();
    }

    private long rows() {
        return fixture.count("SELECT count(*) FROM scheduler.inbox");
    }

    /// A session that stays in a transaction for as long as it likes.
    private Connection holder() throws SQLException {
        Connection holder = fixture.database.source(Role.OWNER).getConnection();
        try (Statement statement = holder.createStatement()) {
            statement.execute("SET idle_in_transaction_session_timeout = 0");
            statement.execute("SET transaction_timeout = 0");
        }
        holder.setAutoCommit(false);
        return holder;
    }
}
