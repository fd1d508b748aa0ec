package dev.vigil.scheduler.execution;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.vigil.postgres.Credentials;
import dev.vigil.postgres.Role;
import dev.vigil.scheduler.execution.ExecutionView.State;
import dev.vigil.scheduler.task.DraftEdit;
import dev.vigil.scheduler.task.Drafts;
import dev.vigil.scheduler.task.Events;
import dev.vigil.scheduler.task.Schedule;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/// What comes after a failure and cannot be ended for a while, at a monotonic time that the test owns.
class SkippedLateTest {
    private final EngineFixture fixture = new EngineFixture();
    private final AtomicLong time = new AtomicLong(Duration.ofDays(1).toNanos());
    private final CoreConnection.Database database = database();
    private final LoopState.Core core;
    private final Truth truth;
    private final Closer closer;
    private final OwnerLoop loop;
    private final ShardKeeper.Ways ways;
    private final ShardKeeper keeper;

    SkippedLateTest() {
        var settings = new Dispatcher.Settings(
                UUID.randomUUID(), database.url(), database.username(), database.password(), 1, Retention.USUAL);
        var dispatcher = new Dispatcher(settings, new Random(1), time::get);
        core = dispatcher.core(fixture.fleet.connect(dispatcher));
        truth = new Postgres(new CoreConnection(database, core));
        closer = new PostgresCloser("closer", new Postgres(new CoreConnection(database, core)));
        loop = dispatcher.add(core, truth, closer);
        ways = new ShardKeeper.Ways(
                new PostgresCores(new CoreConnection(database, core)),
                new PostgresCores(new CoreConnection(database, core)));
        keeper = new ShardKeeper(core, "https://127.0.0.1:1", List.of(loop), ways);
    }

    private CoreConnection.Database database() {
        Credentials credentials = fixture.database.database().as(Role.CORE);
        return new CoreConnection.Database(credentials.url(), credentials.username(), credentials.password());
    }

    @AfterEach
    void close() {
        ways.beating().close();
        ways.watched().close();
        truth.close();
        closer.close();
        fixture.close();
    }

    @Test
    void what_cannot_be_ended_is_tried_again_though_nobody_asks_a_second_time() {
        live(Duration.ofSeconds(3));
        UUID first = fixture.create(
                fixture.tasks(),
                DraftEdit.of(new Schedule.OneTime(Instant.parse("2090-01-01T00:00:00Z")))
                        .done());
        UUID second = fixture.create(
                fixture.tasks(), DraftEdit.of(Drafts.now()).after(first).done());
        fixture.database.superuser().sql("""
                        CREATE FUNCTION public.keep() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$
                        """).update();
        fixture.database.superuser().sql("""
                        CREATE TRIGGER keep BEFORE DELETE ON scheduler.execution
                           FOR EACH ROW WHEN (OLD.lane < -200) EXECUTE FUNCTION public.keep()
                        """).update();
        fixture.executions.cancel(first, Events.of(Drafts.event(first)));
        live(Duration.ofMinutes(5));
        assertThat(fixture.execution(first).state()).isEqualTo(State.CANCELLED);
        assertThat(fixture.execution(second).state()).isEqualTo(State.WAITING);

        fixture.database
                .superuser()
                .sql("DROP TRIGGER keep ON scheduler.execution")
                .update();
        live(Duration.ofSeconds(70));

        assertThat(fixture.execution(second).state()).isEqualTo(State.SKIPPED);
        live(Duration.ofSeconds(70));
        assertThat(fixture.count("SELECT count(*) FROM scheduler.inbox")).isZero();
    }

    private void turn() {
        for (int i = 0; i < 100 && loop.turn(); i++) {
            assertThat(i).as("turns at once").isLessThan(99);
        }
    }

    private void live(Duration span) {
        for (long second = 0; second < span.toSeconds(); second++) {
            time.addAndGet(Duration.ofSeconds(1).toNanos());
            keeper.beat();
            keeper.look();
            turn();
            if (!closer.isOver()) {
                await().until(closer::isOver);
                turn();
            }
        }
    }
}
