package dev.vigil.scheduler.execution;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vigil.postgres.Role;
import dev.vigil.scheduler.TestDatabase;
import dev.vigil.scheduler.execution.ExecutionView.State;
import dev.vigil.scheduler.execution.Held.Claim;
import dev.vigil.scheduler.execution.Held.Reason;
import dev.vigil.scheduler.task.CommandResult;
import dev.vigil.scheduler.task.Drafts;
import dev.vigil.scheduler.task.Events;
import dev.vigil.scheduler.task.NewTask;
import dev.vigil.scheduler.task.Page;
import dev.vigil.scheduler.task.TaskRef;
import dev.vigil.scheduler.task.Tasks;
import java.time.Instant;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.springframework.jdbc.datasource.DataSourceTransactionManager;

class ExecutionsTest {
    private static final TestDatabase DATABASE = new TestDatabase();
    private static final WorkerBoot WORKER = new WorkerBoot(new UUID(7, 1), new UUID(7, 2));
    private static final long FENCE = (3L << 32) + 1;

    private final Executions executions = new Executions(
            DATABASE.as(Role.API), new DataSourceTransactionManager(DATABASE.source(Role.API)), hints -> {});
    private final Tasks tasks = DATABASE.tasks();

    @BeforeEach
    void empty() {
        DATABASE.superuser().sql("""
                        TRUNCATE scheduler.task, scheduler.execution, scheduler.inbox, scheduler.dispatch,
                                 scheduler.history, scheduler.result
                        """).update();
    }

    @Test
    void an_open_execution_is_queued_until_a_dispatch_row_names_it() {
        NewTask task = create();

        assertThat(executions.get(task.id()).orElseThrow().state()).isEqualTo(State.QUEUED);

        dispatch(task.id(), FENCE);

        assertThat(executions.get(task.id())).hasValueSatisfying(view -> {
            assertThat(view.state()).isEqualTo(State.RUNNING);
            assertThat(view.attempt()).isOne();
            assertThat(view.workerId()).isEqualTo(WORKER.worker());
            assertThat(view.startedAt()).isNotNull();
        });
    }

    @Test
    void a_dispatch_below_fence_min_does_not_run_and_a_retry_waits() {
        NewTask task = create();
        dispatch(task.id(), FENCE);

        DATABASE.superuser()
                .sql("UPDATE scheduler.execution SET attempt = 1, fence_min = :fence, due_at = now() + interval '1 h'")
                .param("fence", FENCE + 1)
                .update();

        assertThat(executions.get(task.id()).orElseThrow().state()).isEqualTo(State.WAITING);
        assertThat(executions.get(task.id()).orElseThrow().attempt()).isOne();
    }

    @Test
    void a_paused_tasks_execution_is_held() {
        NewTask task = create();

        tasks.pause(new TaskRef(1, task.id()), Events.of(Drafts.event(task.id())));

        assertThat(executions.get(task.id()).orElseThrow().state()).isEqualTo(State.HELD);
    }

    @Test
    void a_list_joins_open_and_ended_executions_newest_first() {
        UUID ended = create().id();
        UUID running = create().id();
        UUID queued = create().id();
        end(ended);
        dispatch(running, FENCE);

        assertThat(executions.list(ExecutionFilter.ALL, Page.first(9)))
                .extracting(ExecutionView::id)
                .containsExactly(queued, running, ended);
        assertThat(executions.list(ExecutionFilter.ALL, new Page(queued, 1, false)))
                .extracting(ExecutionView::id)
                .containsExactly(running);
        assertThat(executions.list(inState(State.RUNNING), Page.first(9)))
                .extracting(ExecutionView::id)
                .containsExactly(running);
        assertThat(executions.list(inState(State.SUCCEEDED), Page.first(9)))
                .extracting(ExecutionView::id)
                .containsExactly(ended);
        assertThat(executions.list(ExecutionFilter.ofTask(queued), Page.first(9)))
                .extracting(ExecutionView::id)
                .containsExactly(queued);
        assertThat(executions.list(ExecutionFilter.ofTask(ended), Page.first(9)))
                .extracting(ExecutionView::id)
                .containsExactly(ended);
    }

    @Test
    void a_worker_holds_what_its_dispatch_names_and_nothing_else() {
        NewTask task = create();
        dispatch(task.id(), FENCE);
        var claim = new Claim(task.id(), FENCE);

        assertThat(executions.held(WORKER, List.of(claim)))
                .containsExactly(new Held.Open(
                        task.id(), FENCE, task.id(), 1, 1, task.payload().keyId(), "demo.echo", List.of()));
        assertThat(executions.held(new WorkerBoot(WORKER.worker(), new UUID(7, 3)), List.of(claim)))
                .containsExactly(new Held.Refused(task.id(), FENCE, Reason.NOT_YOURS));
        assertThat(executions.held(WORKER, List.of(new Claim(task.id(), FENCE + 1))))
                .containsExactly(new Held.Refused(task.id(), FENCE + 1, Reason.NOT_YOURS));

        DATABASE.superuser()
                .sql("UPDATE scheduler.execution SET fence_min = fence_min + " + (FENCE + 1))
                .update();
        assertThat(executions.held(WORKER, List.of(claim)))
                .containsExactly(new Held.Refused(task.id(), FENCE, Reason.STALE));

        end(task.id());
        assertThat(executions.held(WORKER, List.of(claim)))
                .containsExactly(new Held.Refused(task.id(), FENCE, Reason.CLOSED));
    }

    @Test
    void a_payload_and_a_result_go_over_the_api_only_as_sealed_bytes() {
        NewTask task = create();
        dispatch(task.id(), FENCE);
        var held = (Held.Open)
                executions.held(WORKER, List.of(new Claim(task.id(), FENCE))).getFirst();

        executions.storeResult(held, new byte[] {1, 2, 3});
        executions.storeResult(held, new byte[] {1, 2, 3});
        end(task.id());

        assertThat(executions.sealedPayload(held)).hasValue(task.payload().sealed());
        assertThat(executions.sealedResult(executions.get(task.id()).orElseThrow()))
                .hasValue(new byte[] {1, 2, 3});
    }

    @Test
    void cancelling_what_is_open_is_accepted_and_what_has_ended_is_finished() {
        UUID open = create().id();
        UUID ended = create().id();
        end(ended);

        assertThat(executions.cancel(open, Events.of(Drafts.event(open)))).isEqualTo(new CommandResult.Accepted());
        assertThat(executions.cancel(ended, Events.of(Drafts.event(ended)))).isEqualTo(new CommandResult.Finished());
        assertThat(executions.cancel(new UUID(1, 1), Events.of(Drafts.event(open))))
                .isEqualTo(new CommandResult.Absent());
    }

    private static ExecutionFilter inState(State state) {
        return new ExecutionFilter(
                1,
                Drafts.OWNER,
                null,
                state,
                "demo.echo",
                null,
                Instant.EPOCH,
                Instant.now().plusSeconds(60));
    }

    private NewTask create() {
        NewTask task = Drafts.task(Drafts.now());
        tasks.create(task);
        return task;
    }

    private static void dispatch(UUID execution, long fence) {
        DATABASE.superuser()
                .sql("""
                        INSERT INTO scheduler.dispatch (shard, epoch, n, low, worker, boot, executions, attempts)
                        SELECT shard, :fence >> 32, :fence & 4294967295, 1, :worker, :boot, ARRAY[id], ARRAY[1::smallint]
                          FROM scheduler.execution WHERE id = :id
                        """)
                .param("fence", fence)
                .param("worker", WORKER.worker())
                .param("boot", WORKER.boot())
                .param("id", execution)
                .update();
    }

    private static void end(UUID execution) {
        DATABASE.superuser()
                .sql("""
                        WITH e AS (DELETE FROM scheduler.execution WHERE id = :id RETURNING *)
                        INSERT INTO scheduler.history (namespace, version, id, task_id, owner, fence, scheduled_for,
                               payload_version, shard, state, attempt, losses, uploaded, key_id, handler)
                        SELECT namespace, version, id, task_id, :owner, :fence, scheduled_for, 1, shard, 1, 1, 0, true,
                               :key, 'demo.echo' FROM e
                        """)
                .param("id", execution)
                .param("owner", Drafts.OWNER)
                .param("fence", FENCE)
                .param("key", new UUID(7, 7))
                .update();
    }
}
