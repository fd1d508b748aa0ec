package dev.vigil.scheduler.execution;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vigil.postgres.Credentials;
import dev.vigil.postgres.Role;
import dev.vigil.scheduler.execution.Fleet.Reply;
import dev.vigil.scheduler.task.Drafts;
import dev.vigil.scheduler.task.Tasks;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/// Cores that vanish, seen by another one on the same PostgreSQL, at a monotonic time that the test owns.
class VanishedTest {
    private static final Duration POLL = Duration.ofSeconds(1);
    /// What the promise of 63 s leaves for the dispatch.
    private static final Duration PROMISED = Orphans.GRACE.plusSeconds(3);

    private final EngineFixture fixture = new EngineFixture();
    private final List<Played> cores = new ArrayList<>();
    private final AtomicLong time = new AtomicLong(Duration.ofDays(1).toNanos());

    @AfterEach
    void close() {
        cores.forEach(Played::close);
        fixture.close();
    }

    private Played played() {
        var core = new Played();
        cores.add(core);
        return core;
    }

    /// A core whose threads are played by the test.
    private final class Played implements AutoCloseable {
        final Dispatcher dispatcher;
        final Truth truth;
        final Closer closer;
        final OwnerLoop loop;
        final ShardKeeper keeper;
        final ShardKeeper.Ways ways;
        final UUID incarnation = UUID.randomUUID();

        Played() {
            Credentials credentials = fixture.database.database().as(Role.CORE);
            var database =
                    new CoreConnection.Database(credentials.url(), credentials.username(), credentials.password());
            dispatcher = new Dispatcher(
                    new Dispatcher.Settings(
                            incarnation,
                            credentials.url(),
                            credentials.username(),
                            credentials.password(),
                            1,
                            Retention.USUAL),
                    new Random(1),
                    time::get);
            LoopState.Core core = dispatcher.core(fixture.fleet.connect(dispatcher));
            truth = new Postgres(new CoreConnection(database, core));
            closer = new PostgresCloser("closer", new Postgres(new CoreConnection(database, core)));
            loop = dispatcher.add(core, truth, closer);
            ways = new ShardKeeper.Ways(
                    new PostgresCores(new CoreConnection(database, core)),
                    new PostgresCores(new CoreConnection(database, core)));
            keeper = new ShardKeeper(core, "https://127.0.0.1:1", List.of(loop), ways);
        }

        void live() {
            keeper.beat();
            keeper.look();
            turn();
        }

        void turn() {
            for (int i = 0; i < 100 && loop.turn(); i++) {
                assertThat(i).as("turns at once").isLessThan(99);
            }
        }

        @Override
        public void close() {
            ways.beating().close();
            ways.watched().close();
            truth.close();
            closer.close();
        }
    }

    private void pass(Duration span) {
        time.addAndGet(span.toNanos());
    }

    @Test
    void what_a_core_and_its_worker_ran_when_both_vanished_runs_again_63_seconds_after_and_not_before_the_grace() {
        Played vanishing = played();
        vanishing.live();
        vanishing.live();
        fixture.fleet.behave(dispatch -> Reply.forever());
        WorkerBoot worker = fixture.fleet.join(4);
        UUID id = fixture.create(fixture.tasks(), Drafts.now());
        awaitRun(vanishing, id);
        Played left = played();
        left.live();
        left.live();
        // The last sign of life: both are gone right after it.
        vanishing.keeper.beat();
        long gone = time.get();
        fixture.fleet.disconnect(vanishing.dispatcher);
        fixture.fleet.kill(worker);

        Duration lost = Duration.ZERO;
        while (fixture.count("SELECT losses FROM scheduler.execution") == 0) {
            assertThat(lost).isLessThan(Duration.ofMinutes(2));
            // A poll is at most a second late, a turn at most until the next decision.
            pass(Duration.ofMillis(250));
            if ((time.get() - gone) % POLL.toNanos() == 0) {
                left.dispatcher.silent(worker, Duration.ZERO);
                left.live();
            } else {
                left.turn();
            }
            lost = Duration.ofNanos(time.get() - gone);
        }

        assertThat(lost).isBetween(Orphans.GRACE.plusSeconds(1), PROMISED.minusMillis(500));
    }

    @Test
    void a_core_that_was_taken_for_dead_tells_no_worker_that_it_owns_what_it_has_lost() {
        Played zombie = played();
        zombie.live();
        zombie.live();
        fixture.fleet.behave(dispatch -> Reply.forever());
        WorkerBoot worker = fixture.fleet.join(4);
        UUID id = fixture.create(fixture.tasks(), Drafts.now());
        awaitRun(zombie, id);
        List<Link.Running> held = fixture.fleet.runsOf(id).stream()
                .map(run -> new Link.Running(id, run.dispatch().fence()))
                .toList();
        assertThat(zombie.dispatcher.ownership(worker, held).owned())
                .as("control")
                .isEqualTo(held);
        Played other = played();
        for (int second = 0; second <= 8; second++) {
            other.live();
            pass(POLL);
        }
        assertThat(other.keeper.owned()).as("control").isEqualTo(16);

        // Its sessions were ended, so the first beat fails and the second enters it anew.
        zombie.keeper.beat();
        zombie.keeper.beat();

        assertThat(zombie.dispatcher.ownership(worker, held).owned()).isEmpty();
        assertThat(zombie.dispatcher.mayAct()).isFalse();
        zombie.turn();
        pass(POLL);
        zombie.turn();
        zombie.live();
        assertThat(zombie.dispatcher.mayAct()).isTrue();
        assertThat(zombie.dispatcher.ownership(worker, held).owned()).isEmpty();
    }

    @Test
    void a_core_that_loses_the_database_vouches_for_what_it_owns_and_not_for_what_it_has_given_away() {
        Played giving = played();
        giving.live();
        giving.live();
        fixture.fleet.behave(dispatch -> Reply.forever());
        WorkerBoot worker = fixture.fleet.join(20);
        Tasks tasks = fixture.tasks();
        List<UUID> ids = IntStream.range(0, 20)
                .mapToObj(i -> fixture.create(tasks, Drafts.now()))
                .toList();
        ids.forEach(id -> awaitRun(giving, id));
        Played taking = played();
        for (int half = 0; half < 10; half++) {
            taking.live();
            giving.live();
            pass(POLL.dividedBy(2));
        }
        giving.keeper.beat();
        List<Link.Running> held = ids.stream()
                .map(id -> new Link.Running(
                        id, fixture.fleet.runsOf(id).getFirst().dispatch().fence()))
                .toList();
        Map<Boolean, List<Link.Running>> own =
                held.stream().collect(Collectors.partitioningBy(one -> isOwned(giving, one.execution())));
        assertThat(own.get(true)).isNotEmpty();
        assertThat(own.get(false)).isNotEmpty();
        assertThat(giving.dispatcher.ownership(worker, held).owned())
                .as("while it has its database")
                .isEqualTo(own.get(true));

        pass(Tenure.LENGTH);

        LinkEvents.Ownership alone = giving.dispatcher.ownership(worker, held);
        assertThat(alone.databaseDown()).isTrue();
        assertThat(alone.owned()).isEqualTo(own.get(true));
        pass(Tenure.VOUCHES);
        assertThat(giving.dispatcher.ownership(worker, held))
                .isEqualTo(new LinkEvents.Ownership(false, List.of(), List.of()));
    }

    private boolean isOwned(Played core, UUID execution) {
        return fixture.count("""
                        SELECT count(*) FROM scheduler.shard s JOIN scheduler.execution e ON e.shard = s.id
                         WHERE e.id = '%s' AND s.owner = '%s'
                        """.formatted(execution, core.incarnation)) == 1;
    }

    private void awaitRun(Played core, UUID id) {
        while (fixture.fleet.runsOf(id).isEmpty()) {
            pass(Duration.ofMillis(100));
            core.live();
        }
    }
}
