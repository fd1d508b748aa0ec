package dev.vigil.scheduler.execution;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vigil.scheduler.execution.Adoption.Claim;
import dev.vigil.scheduler.execution.ShardRows.Beat;
import dev.vigil.scheduler.execution.ShardRows.Cluster;
import dev.vigil.scheduler.execution.ShardRows.Polled;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.springframework.dao.DataAccessResourceFailureException;

/// Since when a beat asks for news: no beat's news is passed over unless the loops have been told of it.
class ShardKeeperTest {
    private final AtomicLong time = new AtomicLong(Duration.ofDays(1).toNanos());
    private final Asked cores = new Asked();
    private final ShardKeeper keeper = keeper();

    private ShardKeeper keeper() {
        var dispatcher = new Dispatcher(
                new Dispatcher.Settings(UUID.randomUUID(), "", "", "", 1, Retention.USUAL), new Random(1), time::get);
        LoopState.Core core = dispatcher.core(new Fleet().connect(dispatcher));
        var nowhere = new Postgres(new CoreConnection(new CoreConnection.Database("", "", ""), core));
        OwnerLoop loop = dispatcher.add(core, nowhere, new PostgresCloser("closer", nowhere));
        return new ShardKeeper(core, "", List.of(loop), new ShardKeeper.Ways(cores, cores));
    }

    @Test
    void the_first_beat_asks_for_all_there_is_and_the_next_for_what_came_since() {
        keeper.beat();
        keeper.look();
        keeper.beat();
        keeper.look();
        keeper.beat();

        assertThat(cores.asked).containsExactly(null, Asked.seen(1), Asked.seen(2));
    }

    @Test
    void a_beat_that_nobody_has_looked_at_is_asked_for_again() {
        keeper.beat();
        keeper.look();
        keeper.beat();
        keeper.beat();
        keeper.look();
        keeper.beat();

        assertThat(cores.asked).containsExactly(null, Asked.seen(1), Asked.seen(1), Asked.seen(2));
    }

    @Test
    void a_beat_that_was_looked_at_too_late_to_act_is_asked_for_again() {
        keeper.beat();
        keeper.look();
        keeper.beat();
        time.addAndGet(Duration.ofSeconds(5).toNanos());
        keeper.look();
        keeper.beat();
        keeper.look();
        keeper.beat();

        assertThat(cores.asked).containsExactly(null, Asked.seen(1), Asked.seen(1), Asked.seen(3));
    }

    @Test
    void after_a_failure_the_database_may_count_from_earlier_on_so_all_there_is_is_asked_for() {
        keeper.beat();
        keeper.look();
        cores.broken = true;
        keeper.beat();
        cores.broken = false;
        keeper.beat();
        keeper.look();
        keeper.beat();

        assertThat(cores.asked).containsExactly(null, Asked.seen(1), null, Asked.seen(3));
    }

    @Test
    void a_core_that_was_taken_for_dead_asks_for_all_there_is() {
        keeper.beat();
        keeper.look();
        cores.removed = true;
        keeper.beat();

        assertThat(cores.asked).containsExactly(null, Asked.seen(1), null);
    }

    /// Remembers since when it was asked for news.
    private static final class Asked implements Cores {
        final List<@Nullable Snapshot> asked = new ArrayList<>();
        boolean broken;
        boolean removed;

        static Snapshot seen(int beat) {
            return new Snapshot(100 + beat, Set.of(7L));
        }

        @Override
        public Optional<Beat> beat(UUID incarnation, @Nullable Snapshot told) {
            asked.add(told);
            if (broken) {
                throw new DataAccessResourceFailureException("it broke");
            }
            if (removed) {
                return Optional.empty();
            }
            var shard = new Polled(0, null, 0, 0, false, false);
            return Optional.of(new Beat(Instant.EPOCH, new Cluster("one", "1"), seen(asked.size()), List.of(shard)));
        }

        @Override
        public Beat enter(UUID incarnation, String sessionUrl) {
            removed = false;
            return new Beat(Instant.EPOCH, new Cluster("one", "1"), null, List.of());
        }

        @Override
        public boolean recognise(Cluster cluster) {
            return false;
        }

        @Override
        public List<Claim> claim(UUID incarnation, int atMost) {
            return List.of();
        }

        @Override
        public void endSessions(UUID dead) {
            throw new AssertionError("there is no other core");
        }

        @Override
        public int bury(UUID dead, long beat) {
            throw new AssertionError("there is no other core");
        }

        @Override
        public void leave(UUID incarnation) {
            // Nobody looks at it.
        }

        @Override
        public void close() {
            // Nothing is open.
        }
    }
}
