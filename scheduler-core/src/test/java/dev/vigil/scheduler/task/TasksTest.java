package dev.vigil.scheduler.task;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import dev.vigil.postgres.Role;
import dev.vigil.protocol.audit.EventBatch;
import dev.vigil.scheduler.TestDatabase;
import dev.vigil.scheduler.task.CreateResult.AlreadyExists;
import dev.vigil.scheduler.task.CreateResult.Created;
import dev.vigil.scheduler.task.CreateResult.OverQuota;
import dev.vigil.scheduler.task.CreateResult.Refused;
import dev.vigil.scheduler.task.TaskView.State;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.springframework.dao.DataIntegrityViolationException;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.jdbc.datasource.DataSourceTransactionManager;

class TasksTest {
    private static final TestDatabase DATABASE = new TestDatabase();

    private final Tasks tasks = tasks();

    private static Tasks tasks() {
        var source = DATABASE.source(Role.API);
        return new Tasks(
                JdbcClient.create(source),
                new DataSourceTransactionManager(source),
                InstantSource.system(),
                hints -> {});
    }

    @BeforeEach
    void empty() {
        DATABASE.superuser().sql("""
                        TRUNCATE scheduler.task, scheduler.payload, scheduler.execution, scheduler.schedule,
                                 scheduler.inbox, scheduler.outbox, scheduler.quota, scheduler.quota_freed
                        """).update();
    }

    @Test
    void a_task_is_stored_with_its_execution_its_news_and_its_audit_event() {
        NewTask task = Drafts.task(Drafts.now());

        CreateResult result = tasks.create(task);

        assertThat(result).isInstanceOf(Created.class);
        assertThat(tasks.get(task.id())).hasValueSatisfying(view -> {
            assertThat(view.draft()).isEqualTo(task.draft());
            assertThat(view.state()).isEqualTo(State.SCHEDULED);
            assertThat(view).isEqualTo(((Created) result).task());
        });
        assertThat(count("SELECT count(*) FROM scheduler.execution WHERE id = task_id AND lane = 17"))
                .isOne();
        assertThat(count("SELECT count(*) FROM scheduler.inbox WHERE kind = 1 AND lanes = 1 << 17"))
                .isOne();
        byte[] events = DATABASE.as(Role.AUDIT)
                .sql("SELECT events FROM scheduler.outbox")
                .query(byte[].class)
                .single();
        assertThat(EventBatch.split(events)).hasSize(1);
    }

    @Test
    void the_same_id_again_changes_nothing() {
        NewTask task = Drafts.task(Drafts.now());
        tasks.create(task);

        CreateResult again = tasks.create(task);

        assertThat(again).isEqualTo(new AlreadyExists(task.id()));
        assertThat(count("SELECT count(*) FROM scheduler.execution")).isOne();
        assertThat(count("SELECT count(*) FROM scheduler.inbox")).isOne();
    }

    @Test
    void a_payload_up_to_2_kib_lies_in_the_row_and_a_larger_one_apart() {
        NewTask small = Drafts.task(Drafts.draft("small", Drafts.now()), Limits.NONE, 2048);
        NewTask large = Drafts.task(Drafts.draft("large", Drafts.now()), Limits.NONE, 2049);

        tasks.create(small);
        tasks.create(large);

        assertThat(count("SELECT count(*) FROM scheduler.payload")).isOne();
        assertThat(tasks.payload(new TaskRef(1, small.id())))
                .hasValue(small.payload().sealed());
        assertThat(tasks.payload(new TaskRef(1, large.id())))
                .hasValue(large.payload().sealed());
    }

    @Test
    void a_time_in_the_past_counts_as_now_and_one_beyond_a_century_is_refused() {
        CreateResult past = tasks.create(Drafts.task(new Schedule.OneTime(Instant.EPOCH)));
        CreateResult far =
                tasks.create(Drafts.task(new Schedule.OneTime(Instant.now().plus(Duration.ofDays(36600)))));

        assertThat(((Created) past).task().nextFireAt())
                .isEqualTo(((Created) past).task().createdAt());
        assertThat(far).isInstanceOf(Refused.class);
        var distant =
                new Schedule.Interval(Duration.ofSeconds(30), Instant.now().plus(Duration.ofDays(36600)));
        assertThat(tasks.create(Drafts.task(distant)))
                .isInstanceOfSatisfying(
                        Refused.class, refused -> assertThat(refused.pointer()).isEqualTo("/schedule/anchor"));
    }

    @Test
    void an_interval_is_anchored_at_its_creation() {
        var result = (Created) tasks.create(Drafts.task(new Schedule.Interval(Duration.ofSeconds(30), null)));

        var schedule = (Schedule.Interval)
                tasks.get(result.task().id()).orElseThrow().draft().schedule();
        assertThat(schedule.anchor()).isNotNull();
        assertThat(result.task().nextFireAt())
                .isEqualTo(requireNonNull(schedule.anchor()).plusSeconds(30));
    }

    @Test
    void callers_at_the_same_time_share_statements_and_a_poisoned_neighbour_fails_alone() throws Exception {
        var poisoned = Drafts.task(Drafts.draft("NUL \0 in the name", Drafts.now()), Limits.NONE, 10);
        List<NewTask> wanted = IntStream.range(0, 200)
                .mapToObj(i -> i == 100 ? poisoned : Drafts.task(Drafts.now()))
                .toList();

        int failed = 0;
        try (var callers = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<CreateResult>> results = wanted.stream()
                    .map(task -> callers.submit(() -> tasks.create(task)))
                    .toList();
            for (Future<CreateResult> result : results) {
                try {
                    assertThat(result.get()).isInstanceOf(Created.class);
                } catch (java.util.concurrent.ExecutionException refused) {
                    assertThat(refused).hasCauseInstanceOf(DataIntegrityViolationException.class);
                    failed++;
                }
            }
        }

        assertThat(failed).isOne();
        assertThat(count("SELECT count(*) FROM scheduler.execution")).isEqualTo(199);
        assertThat(count("SELECT count(*) FROM scheduler.outbox")).isLessThan(150);
    }

    @Test
    void a_limit_holds_exactly_however_many_callers_there_are() throws Exception {
        var limit = new Limits(10, null);
        List<CreateResult> results;
        try (var callers = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<CreateResult>> pending = IntStream.range(0, 40)
                    .mapToObj(i -> callers.submit(
                            () -> tasks().create(Drafts.task(Drafts.draft("t", Drafts.now()), limit, 10))))
                    .toList();
            results = pending.stream().map(TasksTest::answer).toList();
        }

        assertThat(results.stream().filter(Created.class::isInstance)).hasSize(10);
        assertThat(results.stream().filter(OverQuota.class::isInstance))
                .hasSize(30)
                .contains(new OverQuota(10, 10));
        assertThat(count("SELECT count(*) FROM scheduler.task")).isEqualTo(10);
    }

    @Test
    void tasks_from_before_the_limit_count_and_a_replay_takes_no_room() {
        tasks.create(Drafts.task(Drafts.now()));
        NewTask second = Drafts.task(Drafts.draft("second", Drafts.now()), new Limits(2, null), 10);

        assertThat(tasks.create(second)).isInstanceOf(Created.class);
        assertThat(tasks.create(second)).isInstanceOf(AlreadyExists.class);
        assertThat(tasks.create(Drafts.task(Drafts.draft("third", Drafts.now()), new Limits(2, null), 10)))
                .isEqualTo(new OverQuota(2, 2));
    }

    @Test
    void where_room_is_short_what_is_there_already_leaves_it_to_the_others_of_its_batch() {
        var limits = new Limits(2, null);
        NewTask first = Drafts.task(Drafts.draft("first", Drafts.now()), limits, 10);
        NewTask second = Drafts.task(Drafts.draft("second", Drafts.now()), limits, 10);
        NewTask third = Drafts.task(Drafts.draft("third", Drafts.now()), limits, 10);
        tasks.create(first);

        List<CreateResult> results = tasks.createAll(List.of(first, second, third));

        assertThat(results.get(0)).isInstanceOf(AlreadyExists.class);
        assertThat(results.get(1)).isInstanceOf(Created.class);
        assertThat(results.get(2)).isEqualTo(new OverQuota(2, 2));
        assertThat(count("SELECT used FROM scheduler.quota")).isEqualTo(2);
    }

    @Test
    void a_pause_is_seen_at_once_although_the_owner_has_yet_to_carry_it_out() {
        NewTask task = Drafts.task(Drafts.now());
        tasks.create(task);
        var ref = new TaskRef(1, task.id());
        long before = changeSeq();

        assertThat(tasks.pause(ref, Events.of(Drafts.event(task.id())))).isEqualTo(new CommandResult.Accepted());
        assertThat(tasks.get(task.id()).orElseThrow().state()).isEqualTo(State.PAUSED);
        assertThat(tasks.resume(ref, Events.of(Drafts.event(task.id())))).isEqualTo(new CommandResult.Accepted());
        assertThat(tasks.get(task.id()).orElseThrow().state()).isEqualTo(State.SCHEDULED);

        assertThat(changeSeq()).isEqualTo(before + 2);
        assertThat(count("SELECT count(*) FROM scheduler.outbox")).isEqualTo(3);
    }

    @Test
    void a_deleted_task_is_gone_at_once_and_cannot_be_deleted_twice() {
        NewTask task = Drafts.task(Drafts.now());
        tasks.create(task);
        var ref = new TaskRef(1, task.id());

        assertThat(tasks.delete(ref, Events.of(Drafts.event(task.id())))).isEqualTo(new CommandResult.Accepted());

        assertThat(tasks.get(task.id())).isEmpty();
        assertThat(tasks.list(TaskFilter.ALL, Page.first(10))).isEmpty();
        assertThat(tasks.delete(ref, Events.of(Drafts.event(task.id())))).isEqualTo(new CommandResult.Absent());
        assertThat(tasks.pause(new TaskRef(2, task.id()), Events.of(Drafts.event(task.id()))))
                .isEqualTo(new CommandResult.Absent());
    }

    @Test
    void a_list_is_newest_first_page_by_page_and_keeps_to_its_filter() {
        List<UUID> ids = IntStream.range(0, 5)
                .mapToObj(i -> Drafts.task(Drafts.now()))
                .peek(tasks::create)
                .map(NewTask::id)
                .toList();

        List<TaskView> first = tasks.list(TaskFilter.of(1, Drafts.OWNER), Page.first(3));
        List<TaskView> rest =
                tasks.list(TaskFilter.ALL, new Page(first.getLast().id(), 3, false));

        assertThat(first).extracting(TaskView::id).containsExactly(ids.get(4), ids.get(3), ids.get(2));
        assertThat(rest).extracting(TaskView::id).containsExactly(ids.get(1), ids.get(0));
        assertThat(tasks.list(TaskFilter.of(2, Drafts.OWNER), Page.first(3))).isEmpty();
        assertThat(tasks.list(labelled("dba"), Page.first(9))).hasSize(5);
        assertThat(tasks.list(labelled("web"), Page.first(9))).isEmpty();
    }

    private static CreateResult answer(Future<CreateResult> pending) {
        try {
            return pending.get();
        } catch (Exception failure) {
            throw new AssertionError(failure);
        }
    }

    private static TaskFilter labelled(String team) {
        return new TaskFilter(1, null, State.SCHEDULED, "one_time", "demo.echo", null, "nightly", Map.of("team", team));
    }

    private long changeSeq() {
        return count("SELECT sum(change_seq) FROM scheduler.shard");
    }

    private long count(String sql) {
        return DATABASE.superuser().sql(sql).query(Long.class).single();
    }
}
