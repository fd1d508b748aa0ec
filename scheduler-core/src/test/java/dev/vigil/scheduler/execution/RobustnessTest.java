package dev.vigil.scheduler.execution;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.vigil.scheduler.execution.ExecutionView.State;
import dev.vigil.scheduler.execution.Fleet.Reply;
import dev.vigil.scheduler.task.CommandResult;
import dev.vigil.scheduler.task.Drafts;
import dev.vigil.scheduler.task.Events;
import dev.vigil.scheduler.task.Schedule;
import dev.vigil.scheduler.task.TaskRef;
import dev.vigil.scheduler.task.Tasks;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/// What goes wrong around an engine, and what it costs when nothing happens.
class RobustnessTest {
    private final EngineFixture fixture = new EngineFixture();
    private final Tasks tasks = fixture.tasks();
    private final Dispatcher core = fixture.readyCore();

    @AfterEach
    void stop() {
        core.close();
        fixture.close();
    }

    @Test
    void a_result_that_cannot_be_stored_fails_alone_and_keeps_none_of_its_neighbours() {
        List<UUID> ids = IntStream.range(0, 40)
                .mapToObj(i -> fixture.create(tasks, Drafts.now()))
                .toList();
        UUID poisoned = ids.get(17);
        fixture.fleet.behave(dispatch ->
                dispatch.execution().equals(poisoned) ? Reply.failWith("NUL \0 in the code") : Reply.succeed());

        fixture.fleet.join(64);

        fixture.awaitState(poisoned, State.FAILED);
        assertThat(fixture.execution(poisoned).errorCode()).isEqualTo("unstorable");
        ids.stream().filter(id -> !id.equals(poisoned)).forEach(id -> fixture.awaitState(id, State.SUCCEEDED));
        assertThat(fixture.fleet.runs()).hasSize(40);
    }

    @Test
    void a_core_whose_connections_break_just_before_its_end_still_releases_its_shards() {
        fixture.count("""
                SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
                 WHERE datname = current_database() AND application_name LIKE 'vigil-core %'
                """);

        core.close();

        assertThat(fixture.count("SELECT count(*) FROM scheduler.shard WHERE owner IS NULL AND NOT orphaned"))
                .isEqualTo(16);
    }

    @Test
    void a_fire_that_lies_centuries_ahead_keeps_nothing_from_running() {
        fixture.fleet.join(4);
        Instant later = Instant.parse("2950-01-01T00:00:00Z");
        Tasks then = fixture.tasks(InstantSource.fixed(later));
        var rare = new Schedule.Interval(Duration.ofSeconds(30), later.plusSeconds(1));
        for (int i = 0; i < 8; i++) {
            fixture.create(then, rare);
        }

        for (int round = 0; round < 3; round++) {
            List<UUID> ids = IntStream.range(0, 16)
                    .mapToObj(i -> fixture.create(tasks, Drafts.now()))
                    .toList();
            ids.forEach(id -> fixture.awaitState(id, State.SUCCEEDED));
        }
    }

    @Test
    void three_workers_lost_make_an_execution_poison() {
        fixture.fleet.behave(dispatch -> Reply.forever());
        UUID worker = UUID.randomUUID();
        fixture.fleet.join(worker, 4);
        UUID id = fixture.create(tasks, Drafts.now());

        for (int lost = 1; lost <= 3; lost++) {
            int runs = lost;
            await().atMost(Duration.ofSeconds(20))
                    .until(() -> fixture.fleet.runsOf(id).size() == runs);
            fixture.fleet.join(worker, 4);
        }

        fixture.awaitState(id, State.FAILED);
        assertThat(fixture.execution(id).errorCode()).isEqualTo("poison");
        assertThat(fixture.execution(id).attempt()).isOne();
        assertThat(fixture.count("SELECT losses FROM scheduler.history")).isEqualTo(2);
    }

    @Test
    void an_erasure_asked_for_behind_a_pending_deletion_is_carried_out_with_it() {
        fixture.fleet.join(4);
        UUID id = fixture.create(tasks, new Schedule.Interval(Duration.ofSeconds(1), null));
        await().atMost(Duration.ofSeconds(20))
                .until(() -> fixture.count("SELECT count(*) FROM scheduler.history WHERE state = 1") > 0);
        core.close();
        var ref = new TaskRef(1, id);

        assertThat(tasks.delete(ref, event(id))).isEqualTo(new CommandResult.Accepted());
        assertThat(tasks.erase(ref, event(id))).isEqualTo(new CommandResult.Accepted());
        try (Dispatcher next = fixture.readyCore()) {
            await().atMost(Duration.ofSeconds(20))
                    .until(() -> next.mayAct() && fixture.count("SELECT count(*) FROM scheduler.inbox") == 0);
        }

        assertThat(fixture.count("SELECT count(*) FROM scheduler.task")).isZero();
        assertThat(fixture.count("SELECT count(*) FROM scheduler.history WHERE task_id = '" + id + "'"))
                .isZero();
        assertThat(fixture.count("SELECT count(*) FROM scheduler.history WHERE result IS NOT NULL"))
                .isZero();
    }

    private static Events event(UUID id) {
        return Events.of(Drafts.event(id));
    }

    @Test
    void an_idle_core_asks_the_database_once_a_second() {
        fixture.fleet.join(4);
        UUID id = fixture.create(tasks, Drafts.now());
        fixture.awaitState(id, State.SUCCEEDED);
        await().atMost(Duration.ofSeconds(20)).until(() -> fixture.count("SELECT count(*) FROM scheduler.inbox") == 0);
        Set<String> before = new HashSet<>(running());
        Set<String> statements = new HashSet<>();

        // What the core still does after its start is let pass: then six seconds begin anew.
        await().pollInSameThread()
                .pollInterval(Duration.ofMillis(50))
                .during(Duration.ofSeconds(6))
                .atMost(Duration.ofSeconds(30))
                .until(() -> {
                    statements.addAll(running());
                    statements.removeAll(before);
                    if (statements.size() < 9) {
                        return true;
                    }
                    before.addAll(statements);
                    statements.clear();
                    return false;
                });

        assertThat(statements).hasSizeGreaterThan(3);
    }

    /// The newest statement of each connection of the core.
    private List<String> running() {
        return fixture.database.superuser().sql("""
                        SELECT pid || ' ' || query_start FROM pg_stat_activity
                         WHERE datname = current_database() AND application_name LIKE 'vigil-core %'
                        """).query(String.class).list();
    }
}
