package dev.vigil.scheduler.execution;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vigil.protocol.id.UuidV7;
import dev.vigil.scheduler.execution.ExecutionView.State;
import dev.vigil.scheduler.execution.Fleet.Reply;
import dev.vigil.scheduler.task.CreateResult.Created;
import dev.vigil.scheduler.task.Drafts;
import dev.vigil.scheduler.task.Limits;
import dev.vigil.scheduler.task.NewTask;
import dev.vigil.scheduler.task.Tasks;
import java.time.Duration;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/// Namespaces beside each other.
class FairnessTest {
    private static final int MANY = 40_000;
    private static final int BIG = 1;

    private final EngineFixture fixture = new EngineFixture();
    private final Tasks tasks = fixture.tasks();

    @AfterEach
    void stop() {
        fixture.close();
    }

    @Test
    void what_a_namespace_has_due_by_the_ten_thousand_keeps_no_other_waiting_that_shares_its_lane() {
        IntStream.range(0, MANY / 1000)
                .forEach(i ->
                        store(IntStream.range(0, 1000).mapToObj(n -> task(BIG)).toList()));
        List<NewTask> others =
                IntStream.rangeClosed(1, 30).mapToObj(i -> task(BIG + 16 * i)).toList();
        store(others);
        fixture.fleet.join(16);
        fixture.fleet.behave(dispatch -> Reply.after(Duration.ofMillis(20)));

        Dispatcher core = fixture.readyCore();
        try {
            others.forEach(task -> fixture.awaitState(task.id(), State.SUCCEEDED));
            long left = fixture.count("SELECT count(*) FROM scheduler.execution WHERE namespace = " + BIG);
            assertThat(left).as("of the big one").isBetween(MANY * 3L / 4, MANY - 1L);
        } finally {
            core.close();
        }
    }

    private void store(List<NewTask> batch) {
        assertThat(tasks.createAll(batch))
                .allSatisfy(result -> assertThat(result).isInstanceOf(Created.class));
    }

    private static NewTask task(int namespace) {
        NewTask task = Drafts.task(Drafts.draft("t", Drafts.now()), Limits.NONE, 10);
        return new NewTask(
                UuidV7.next(), namespace, Drafts.OWNER, task.draft(), task.payload(), Limits.NONE, task.events());
    }
}
