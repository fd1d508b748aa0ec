package dev.vigil.scheduler.execution;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.vigil.postgres.Role;
import dev.vigil.scheduler.execution.ExecutionView.State;
import dev.vigil.scheduler.execution.Fleet.Reply;
import dev.vigil.scheduler.execution.UpkeepRows.Place;
import dev.vigil.scheduler.task.DraftEdit;
import dev.vigil.scheduler.task.Drafts;
import dev.vigil.scheduler.task.Events;
import dev.vigil.scheduler.task.Patch;
import dev.vigil.scheduler.task.PatchResult;
import dev.vigil.scheduler.task.Priority;
import dev.vigil.scheduler.task.Schedule;
import dev.vigil.scheduler.task.TaskDraft;
import dev.vigil.scheduler.task.TaskRef;
import dev.vigil.scheduler.task.Tasks;
import java.sql.Connection;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/// Partitions ahead of time, and what goes when its time is over.
class UpkeepTest {
    private static final Duration MONTHS = Duration.ofDays(70);

    private final EngineFixture fixture = new EngineFixture();
    private final Tasks tasks = fixture.tasks();

    @AfterEach
    void close() {
        fixture.close();
    }

    @Test
    void time_that_goes_over_a_border_finds_its_partitions_and_what_is_over_is_dropped() {
        Instant now = Instant.now();
        assertThat(upkeep(now)).isEmpty();

        List<String> done = upkeep(now.plus(MONTHS));

        assertThat(done)
                .contains(
                        "made dispatch_" + day(now.plus(MONTHS)),
                        "made dispatch_" + day(now.plus(MONTHS).plus(Duration.ofDays(3))),
                        "made history_" + month(now.plus(MONTHS).plus(Duration.ofDays(40))),
                        "made task_" + month(now.plus(MONTHS).plus(Duration.ofDays(40))),
                        "dropped dispatch_" + day(now),
                        "dropped log_" + month(now))
                .doesNotContain("dropped history_" + month(now));
        assertThat(upkeep(now.plus(MONTHS))).isEmpty();
        assertThat(upkeep(now.plus(MONTHS).plus(MONTHS))).contains("dropped history_" + month(now));
        insertDispatch(now.plus(MONTHS).plus(MONTHS));
        assertThat(fixture.count("SELECT count(*) FROM scheduler.dispatch_default"))
                .isZero();
    }

    @Test
    void a_recovery_log_that_is_dropped_loses_no_open_execution_and_it_does_not_run_twice() {
        Dispatcher first = fixture.readyCore();
        fixture.fleet.behave(dispatch -> Reply.after(Duration.ofSeconds(12)));
        fixture.fleet.join(4);
        UUID id = fixture.create(tasks, Drafts.now());
        fixture.awaitState(id, State.RUNNING);
        fixture.fleet.disconnect(first);
        first.abandon();

        assertThat(upkeep(Instant.now().plus(Duration.ofDays(5)))).contains("dropped dispatch_" + day(Instant.now()));

        assertThat(fixture.count("SELECT count(*) FROM scheduler.open_dispatch WHERE execution = '" + id + "'"))
                .isOne();
        Dispatcher second = fixture.core();
        fixture.awaitState(id, State.SUCCEEDED);
        assertThat(fixture.fleet.runsOf(id)).hasSize(1);
        second.close();
    }

    @Test
    void a_period_that_has_begun_in_the_default_partition_stops_no_upkeep_and_its_rows_go_by_age() {
        Instant early = Instant.now().plus(Duration.ofDays(10));
        insertDispatch(early);
        insertDispatch(early);

        assertThat(upkeep(early.minus(Duration.ofDays(1))))
                .contains("made dispatch_" + day(early.plus(Duration.ofDays(1))))
                .doesNotContain("made dispatch_" + day(early));
        assertThat(upkeep(early.plus(MONTHS))).contains("removed from dispatch_default: 1");

        // The newest line stays: from it an owner goes on counting.
        assertThat(fixture.count("SELECT n FROM scheduler.dispatch")).isEqualTo(2);
    }

    @Test
    void a_core_makes_what_is_missing_and_gives_way_to_whoever_reads() throws Exception {
        String name = "dispatch_" + day(Instant.now().plus(Duration.ofDays(2)));
        fixture.database.superuser().sql("DROP TABLE scheduler." + name).update();
        try (Connection reader = fixture.database.source(Role.API).getConnection()) {
            reader.setAutoCommit(false);
            reader.createStatement().execute("SELECT count(*) FROM scheduler.dispatch");
            long began = System.nanoTime();
            assertThatThrownBy(() -> UpkeepRows.partitions(fixture.database.as(Role.CORE), Retention.USUAL))
                    .rootCause()
                    .hasMessageContaining("lock timeout");
            assertThat(Duration.ofNanos(System.nanoTime() - began)).isLessThan(Duration.ofSeconds(5));
            reader.rollback();
        }

        Dispatcher core = fixture.readyCore();

        await().atMost(Duration.ofSeconds(20))
                .until(() -> fixture.count("SELECT count(to_regclass('scheduler." + name + "'))") == 1);
        core.close();
    }

    @Test
    void finished_tasks_and_versions_that_nothing_refers_to_go_and_everything_else_stays() {
        Dispatcher core = fixture.readyCore();
        fixture.fleet.join(4);
        UUID gone = finished();
        UUID remembered = finished();
        UUID open = fixture.create(tasks, new Schedule.OneTime(Instant.now().plus(MONTHS)));
        UUID changed = fixture.create(tasks, new Schedule.OneTime(Instant.now().plus(MONTHS)));
        change(changed);
        change(changed);
        await().until(() -> fixture.count("SELECT version FROM scheduler.execution WHERE id = '" + changed + "'") == 3);
        fixture.database
                .superuser()
                .sql("DELETE FROM scheduler.history WHERE id = :id")
                .param("id", gone)
                .update();

        assertThat(sweep()).isEqualTo(2);
        assertThat(versions(changed)).containsExactly(3);
        assertThat(versions(gone)).containsExactly(1);

        fixture.database
                .superuser()
                .sql("UPDATE scheduler.task SET created_at = created_at - interval '100 days'")
                .update();
        assertThat(sweep()).isOne();
        assertThat(versions(gone)).isEmpty();
        assertThat(versions(remembered)).containsExactly(1);
        assertThat(versions(open)).containsExactly(1);
        assertThat(versions(changed)).containsExactly(3);
        assertThat(fixture.count("SELECT count(*) FROM scheduler.payload WHERE task_id = '" + gone + "'"))
                .isZero();
        assertThat(fixture.count("SELECT count(*) FROM scheduler.payload WHERE task_id = '" + remembered + "'"))
                .isOne();
        core.close();
    }

    @Test
    void an_old_version_under_which_something_runs_is_kept_until_that_has_ended_and_is_forgotten() {
        Dispatcher core = fixture.readyCore();
        fixture.fleet.behave(dispatch -> Reply.forever());
        fixture.fleet.join(4);
        UUID task = fixture.create(tasks, new Schedule.Interval(Duration.ofSeconds(1), null));
        await().until(() -> !fixture.fleet.runs().isEmpty());
        UUID running = fixture.fleet.runs().getFirst().dispatch().execution();
        change(task);
        await().until(() -> fixture.count("SELECT count(*) FROM scheduler.inbox WHERE change_seq IS NOT NULL") == 0);

        assertThat(sweep()).isZero();
        tasks.pause(new TaskRef(1, task), Events.of(Drafts.event(task)));
        fixture.executions.cancel(running, Events.of(Drafts.event(running)));
        fixture.awaitState(running, State.CANCELLED);
        await().until(() -> fixture.count("SELECT count(*) FROM scheduler.inbox WHERE change_seq IS NOT NULL") == 0);
        assertThat(sweep()).isZero();

        fixture.database.superuser().sql("TRUNCATE scheduler.history").update();
        assertThat(sweep()).isOne();
        assertThat(versions(task)).containsExactly(2);
        core.close();
    }

    private UUID finished() {
        TaskDraft draft = Drafts.draft("t", Drafts.now());
        var task = Drafts.task(draft, dev.vigil.scheduler.task.Limits.NONE, 5000);
        tasks.create(task);
        fixture.awaitState(task.id(), State.SUCCEEDED);
        return task.id();
    }

    private void change(UUID task) {
        var view = tasks.get(task).orElseThrow();
        TaskDraft draft = DraftEdit.of(view.draft()).priority(Priority.HIGH).done();
        assertThat(tasks.patch(view.ref(), new Patch(view.version(), draft, null, Events.of(Drafts.event(task)))))
                .isInstanceOf(PatchResult.Patched.class);
    }

    private List<Integer> versions(UUID task) {
        return fixture.database
                .superuser()
                .sql("SELECT version FROM scheduler.task WHERE id = :id ORDER BY version")
                .param("id", task)
                .query(Integer.class)
                .list();
    }

    private int sweep() {
        return UpkeepRows.tasks(fixture.database.as(Role.CORE), Retention.USUAL, Place.START)
                .removed();
    }

    /// All that is to be done at another time.
    private List<String> upkeep(Instant moment) {
        var done = new ArrayList<String>();
        for (Optional<String> step = step(moment); step.isPresent(); step = step(moment)) {
            done.add(step.get());
        }
        return done;
    }

    private Optional<String> step(Instant moment) {
        return fixture.database
                .superuser()
                .sql("SELECT scheduler.upkeep_at(:moment::timestamptz, interval '3 days', interval '90 days')")
                .param("moment", moment.toString())
                .query((row, index) -> Optional.ofNullable(row.getString(1)))
                .single();
    }

    private void insertDispatch(Instant at) {
        fixture.database.superuser().sql("""
                        INSERT INTO scheduler.dispatch (shard, epoch, n, low, worker, boot, at, executions, attempts)
                        SELECT 0, 1, coalesce(max(n), 0) + 1, coalesce(max(n), 0) + 1, gen_random_uuid(),
                               gen_random_uuid(), :at::timestamptz, '{}', '{}'
                          FROM scheduler.dispatch
                        """).param("at", at.toString()).update();
    }

    private static String day(Instant at) {
        return DateTimeFormatter.BASIC_ISO_DATE.format(at.atZone(ZoneOffset.UTC).toLocalDate());
    }

    private static String month(Instant at) {
        return day(at).substring(0, 6);
    }
}
