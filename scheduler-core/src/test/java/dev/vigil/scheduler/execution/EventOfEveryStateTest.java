package dev.vigil.scheduler.execution;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.fail;

import dev.vigil.postgres.Role;
import dev.vigil.protocol.audit.EventBatch;
import dev.vigil.protocol.id.Id;
import dev.vigil.protocol.id.Kind;
import dev.vigil.protocol.id.UuidV7;
import dev.vigil.scheduler.execution.AttemptEnd.Outcome;
import dev.vigil.scheduler.execution.ExecutionView.State;
import dev.vigil.scheduler.execution.Fleet.Reply;
import dev.vigil.scheduler.task.DraftEdit;
import dev.vigil.scheduler.task.Drafts;
import dev.vigil.scheduler.task.Events;
import dev.vigil.scheduler.task.Overlap;
import dev.vigil.scheduler.task.Schedule;
import dev.vigil.scheduler.task.TaskRef;
import dev.vigil.scheduler.task.Tasks;
import dev.vigil.scheduler.task.TriggerResult.Triggered;
import java.lang.reflect.Method;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.UUID;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/// Every change of an execution's state has its event, in the transaction of the change. States, outcomes and what
/// workers tell are taken from their types, so that a new one without an event does not compile, or fails here; and the
/// database notes each row that moves, so that a new statement without an event fails too.
class EventOfEveryStateTest {
    private static final EngineFixture FIXTURE = new EngineFixture();
    private static final Schedule HOURLY = new Schedule.Interval(Duration.ofHours(1), null);

    @SuppressWarnings("NullAway.Init")
    private static Dispatcher core;

    private final Tasks tasks = FIXTURE.tasks();

    @SuppressWarnings("NullAway.Init")
    private WorkerBoot worker;

    @BeforeAll
    static void start() {
        core = FIXTURE.readyCore();
        FIXTURE.database.superuser().sql("""
                CREATE TABLE public.moved (xid xid8 NOT NULL, what text NOT NULL);
                CREATE FUNCTION public.note_move() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
                BEGIN
                  INSERT INTO public.moved VALUES (pg_current_xact_id(), TG_ARGV[0]);
                  RETURN NULL;
                END $$;
                CREATE TRIGGER m1 AFTER INSERT ON scheduler.history
                  FOR EACH ROW EXECUTE FUNCTION public.note_move('ended');
                CREATE TRIGGER m2 AFTER DELETE ON scheduler.execution
                  FOR EACH ROW EXECUTE FUNCTION public.note_move('closed');
                CREATE TRIGGER m3 AFTER UPDATE ON scheduler.execution
                  FOR EACH ROW WHEN (OLD.fence_min <> NEW.fence_min OR OLD.attempt <> NEW.attempt
                                     OR OLD.losses <> NEW.losses)
                  EXECUTE FUNCTION public.note_move('put back');
                CREATE TRIGGER m4 AFTER UPDATE ON scheduler.execution
                  FOR EACH ROW WHEN ((OLD.lane BETWEEN -100 AND -1) <> (NEW.lane BETWEEN -100 AND -1))
                  EXECUTE FUNCTION public.note_move('held or released');
                CREATE TRIGGER m5 AFTER INSERT ON scheduler.dispatch
                  FOR EACH ROW EXECUTE FUNCTION public.note_move('dispatched');
                CREATE TRIGGER m6 AFTER INSERT ON scheduler.inbox
                  FOR EACH ROW WHEN (NEW.change_seq IS NOT NULL) EXECUTE FUNCTION public.note_move('commanded');
                CREATE TRIGGER m7 AFTER DELETE ON scheduler.inbox
                  FOR EACH ROW WHEN (OLD.change_seq IS NOT NULL) EXECUTE FUNCTION public.note_move('carried out');
                CREATE TRIGGER m8 AFTER INSERT ON scheduler.task
                  FOR EACH ROW EXECUTE FUNCTION public.note_move('task stored');
                CREATE TRIGGER m9 AFTER DELETE ON scheduler.task
                  FOR EACH ROW EXECUTE FUNCTION public.note_move('task removed');
                """).update();
    }

    @AfterAll
    static void stop() {
        core.close();
        FIXTURE.close();
    }

    @BeforeEach
    void join() {
        FIXTURE.fleet.behave(dispatch -> Reply.forever());
        worker = FIXTURE.fleet.join(16);
    }

    /// A command was an event when it was asked for; carrying it out needs none of its own. What a schedule fires, and
    /// what waited for its predecessor, is told by its dispatch.
    @AfterEach
    void nothing_moved_without_an_event_in_its_transaction() {
        FIXTURE.fleet.sayGoodbye(worker);
        List<String> silent =
                FIXTURE.database.superuser().sql("""
                        SELECT m.what || ' ' || count(*) || ' times, events: ' || coalesce(max(o.n), 0)
                          FROM public.moved m
                          LEFT JOIN (SELECT xid, sum(n) AS n FROM scheduler.outbox GROUP BY xid) o ON o.xid = m.xid
                         WHERE m.what NOT IN ('carried out', 'closed')
                           AND NOT (m.what IN ('held or released', 'task removed')
                                    AND EXISTS (SELECT FROM public.moved c
                                                 WHERE c.xid = m.xid AND c.what = 'carried out'))
                         GROUP BY m.xid, m.what
                        HAVING coalesce(max(o.n), 0) < count(*)
                         UNION ALL
                        SELECT 'an execution went and left no history'
                          FROM public.moved m
                         WHERE m.what = 'closed'
                           AND NOT EXISTS (SELECT FROM public.moved e WHERE e.xid = m.xid AND e.what = 'ended')
                        """).query(String.class).list();
        assertThat(silent).isEmpty();
        assertThat(FIXTURE.count("SELECT count(*) FROM public.moved")).isPositive();
    }

    @ParameterizedTest
    @EnumSource(State.class)
    void every_state_is_told(State state) {
        switch (state) {
            case WAITING -> {
                FIXTURE.fleet.behave(dispatch -> Reply.fail(true));
                told(create(DraftEdit.of(Drafts.now()).attempts(2)), "\"state\":\"waiting\"", "\"code\":\"broken\"");
            }
            case HELD -> {
                UUID id =
                        FIXTURE.create(tasks, new Schedule.OneTime(Instant.now().plusSeconds(3600)));
                tasks.pause(new TaskRef(1, id), event(id));
                FIXTURE.awaitState(id, State.HELD);
            }
            case QUEUED -> {
                UUID id =
                        FIXTURE.create(tasks, new Schedule.OneTime(Instant.now().plusSeconds(3600)));
                FIXTURE.awaitState(id, State.QUEUED);
            }
            case RUNNING -> {
                UUID id = running();
                told(id, "\"action\":\"dispatch\"");
                told(id, "\"action\":\"start\"");
            }
            case SUCCEEDED -> ended(Outcome.SUCCEEDED, state);
            case FAILED -> ended(Outcome.FAILED, state);
            case TIMED_OUT -> ended(Outcome.TIMED_OUT, state);
            case CANCELLED -> {
                UUID id = running();
                FIXTURE.executions.cancel(id, event(id));
                told(id, "\"action\":\"execute\"", "\"state\":\"cancelled\"");
                UUID queued =
                        FIXTURE.create(tasks, new Schedule.OneTime(Instant.now().plusSeconds(3600)));
                FIXTURE.executions.cancel(queued, event(queued));
                told(queued, "\"action\":\"execute\"", "\"state\":\"cancelled\"");
            }
            case SKIPPED -> {
                UUID task = create(DraftEdit.of(HOURLY).overlap(Overlap.SKIP));
                FIXTURE.awaitState(trigger(task), State.RUNNING);
                told(trigger(task), "\"action\":\"execute\"", "\"state\":\"skipped\"", "\"code\":\"overlap\"");
            }
        }
    }

    @ParameterizedTest
    @EnumSource(Outcome.class)
    void every_outcome_of_an_attempt_is_told(Outcome outcome) {
        switch (outcome) {
            case SUCCEEDED -> ended(outcome, State.SUCCEEDED);
            case FAILED -> ended(outcome, State.FAILED);
            case TIMED_OUT -> ended(outcome, State.TIMED_OUT);
            case CANCELLED -> {
                // The worker gave it up: it goes on elsewhere.
                FIXTURE.fleet.behave(dispatch -> new Reply(Duration.ZERO, Outcome.CANCELLED, null, false));
                UUID id = FIXTURE.create(tasks, Drafts.now());
                told(id, "\"action\":\"execute\"", "\"state\":\"waiting\"", "\"code\":\"cancelled\"");
                told(id, "\"state\":\"failed\"", "\"code\":\"poison\"");
            }
        }
    }

    static Stream<String> whatWorkersTell() {
        return Arrays.stream(LinkEvents.class.getDeclaredMethods())
                .map(Method::getName)
                .distinct()
                .sorted();
    }

    @ParameterizedTest
    @MethodSource("whatWorkersTell")
    void everything_that_a_worker_tells_of_executions_is_an_event(String callback) {
        switch (callback) {
            case "started" -> told(running(), "\"action\":\"start\"");
            case "ended" -> ended(Outcome.SUCCEEDED, State.SUCCEEDED);
            case "declined" -> {
                UUID id = running();
                core.declined(worker, List.of(new LinkEvents.Declined(given(id), "no_slot")));
                told(id, "\"action\":\"dispatch_void\"", "\"code\":\"no_slot\"");
                UUID broken = running();
                core.declined(worker, List.of(new LinkEvents.Declined(given(broken), "payload_broken")));
                told(broken, "\"action\":\"execute\"", "\"state\":\"failed\"", "\"code\":\"payload_broken\"");
            }
            case "undelivered" -> {
                UUID id = running();
                core.undelivered(worker, List.of(dispatched(id)));
                told(id, "\"action\":\"dispatch_void\"");
            }
            case "goodbye" -> {
                UUID id = running();
                FIXTURE.fleet.sayGoodbye(worker);
                told(id, "\"action\":\"dispatch_void\"", "\"code\":\"worker_left\"");
            }
            case "joined" -> {
                UUID id = running();
                FIXTURE.fleet.join(worker.worker(), 16);
                told(id, "\"state\":\"waiting\"", "\"code\":\"worker_lost\"");
            }
            case "silent", "said", "ownership", "mayAct", "capacityChanged", "shardsHinted" -> {
                // Nothing ends by these: a silent worker's executions are given up later, as those of one that left.
                running();
            }
            default -> fail(callback + " is new: what does it do to an execution, and which event tells it?");
        }
    }

    @Test
    void what_takes_the_place_of_another_and_what_is_tried_again_is_told() {
        UUID task = create(DraftEdit.of(HOURLY).overlap(Overlap.REPLACE));
        UUID first = trigger(task);
        FIXTURE.awaitState(first, State.RUNNING);
        trigger(task);
        told(first, "\"state\":\"cancelled\"", "\"code\":\"replaced\"");

        FIXTURE.fleet.behave(dispatch -> Reply.fail(false));
        UUID failed = FIXTURE.create(tasks, Drafts.now());
        FIXTURE.awaitState(failed, State.FAILED);
        FIXTURE.fleet.behave(dispatch -> Reply.succeed());
        FIXTURE.executions.retry(failed, dev.vigil.scheduler.task.Limits.NONE, event(failed));
        told(failed, "\"state\":\"succeeded\"", "\"attempt\":2");
        tasks.delete(new TaskRef(1, task), event(task));
        await().atMost(Duration.ofSeconds(20))
                .until(() -> FIXTURE.count("SELECT count(*) FROM scheduler.task WHERE id = '" + task + "'") == 0);
    }

    private UUID create(DraftEdit draft) {
        return FIXTURE.create(tasks, draft.done());
    }

    private UUID running() {
        UUID id = FIXTURE.create(tasks, Drafts.now());
        FIXTURE.awaitState(id, State.RUNNING);
        await().atMost(Duration.ofSeconds(20))
                .until(() -> !FIXTURE.fleet.runsOf(id).isEmpty());
        return id;
    }

    private void ended(Outcome outcome, State state) {
        FIXTURE.fleet.behave(
                dispatch -> new Reply(Duration.ZERO, outcome, outcome == Outcome.SUCCEEDED ? null : "broken", false));
        UUID id = FIXTURE.create(tasks, Drafts.now());
        FIXTURE.awaitState(id, state);
        told(id, "\"action\":\"execute\"", "\"state\":\"" + state.name().toLowerCase(java.util.Locale.ROOT) + "\"");
    }

    private static Dispatch dispatched(UUID execution) {
        return FIXTURE.fleet.runsOf(execution).getLast().dispatch();
    }

    private static Link.Running given(UUID execution) {
        return new Link.Running(execution, dispatched(execution).fence());
    }

    private UUID trigger(UUID task) {
        return ((Triggered) tasks.trigger(new TaskRef(1, task), UuidV7.next(), EventOfEveryStateTest::event))
                .execution();
    }

    private static Events event(UUID id) {
        return Events.of(Drafts.event(id));
    }

    /// Waits for an event of an execution that has all these parts.
    private static void told(UUID execution, String... parts) {
        String id = new Id(Kind.EXECUTION, execution).toString();
        await().atMost(Duration.ofSeconds(20))
                .untilAsserted(() -> assertThat(events())
                        .filteredOn(event -> event.contains(id) && event.contains("task_execution"))
                        .anySatisfy(event -> assertThat(event).contains(parts)));
    }

    private static List<String> events() {
        return FIXTURE
                .database
                .as(Role.AUDIT)
                .sql("SELECT events FROM scheduler.outbox ORDER BY xid, id")
                .query(byte[].class)
                .list()
                .stream()
                .flatMap(row -> EventBatch.split(row).stream())
                .map(event -> new String(event, StandardCharsets.UTF_8))
                .toList();
    }
}
