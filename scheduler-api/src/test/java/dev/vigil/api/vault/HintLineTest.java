package dev.vigil.api.vault;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vigil.scheduler.task.ShardHints.ShardHint;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;

class HintLineTest {
    private final List<HintLine.Hint> sent = Collections.synchronizedList(new ArrayList<>());
    private final List<CompletableFuture<Void>> answers = Collections.synchronizedList(new ArrayList<>());
    private final HintLine line = new HintLine(hint -> {
        sent.add(hint);
        answers.add(new CompletableFuture<>());
        return answers.getLast();
    });

    @Test
    void a_core_that_does_not_answer_gets_one_call_and_everything_else_in_the_next() {
        UUID worker = UUID.randomUUID();
        IntStream.range(0, 1000)
                .forEach(i -> line.tell(
                        List.of(i % 2 == 0 ? ShardHint.command(i % 16) : created(i % 16, 1L << i % 4, i)), List.of()));
        line.tell(List.of(), List.of(worker));

        assertThat(sent).hasSize(1);
        answers.getFirst().complete(null);

        assertThat(sent).hasSize(2);
        assertThat(sent.getLast().shards()).hasSize(16).contains(ShardHint.command(2), created(1, 2, 1));
        assertThat(sent.getLast().workers()).containsExactly(worker);
        answers.getLast().complete(null);
        assertThat(sent).hasSize(2);
    }

    @Test
    void a_core_that_answers_is_told_at_once_each_time() {
        for (int i = 0; i < 3; i++) {
            line.tell(List.of(created(i, 1, i)), List.of());
            answers.getLast().complete(null);
        }

        assertThat(sent)
                .extracting(HintLine.Hint::shards)
                .containsExactly(List.of(created(0, 1, 0)), List.of(created(1, 1, 1)), List.of(created(2, 1, 2)));
    }

    @Test
    void hints_about_one_shard_that_go_together_say_all_lanes_the_earliest_time_and_that_there_is_a_command() {
        line.tell(List.of(created(7, 1, 3)), List.of());
        line.tell(List.of(created(1, 1, 9)), List.of());
        line.tell(List.of(ShardHint.command(1)), List.of());
        line.tell(List.of(created(1, 4, 5)), List.of());
        answers.getFirst().complete(null);

        assertThat(sent.getLast().shards())
                .containsExactly(new ShardHint(1, 5, Instant.EPOCH.plusSeconds(5), false, true));
    }

    private static ShardHint created(int shard, long lanes, int second) {
        return ShardHint.created(shard, lanes, Instant.EPOCH.plusSeconds(second));
    }

    @Test
    void after_a_lost_hint_it_goes_on_with_what_came_meanwhile() {
        line.tell(List.of(ShardHint.command(1)), List.of());
        line.tell(List.of(ShardHint.command(2)), List.of());
        answers.getFirst().completeExceptionally(new java.net.ConnectException());

        assertThat(sent).hasSize(1);
        Awaitility.await().untilAsserted(() -> assertThat(sent).hasSize(2));
        assertThat(sent.getLast().shards()).containsExactly(ShardHint.command(2));
    }
}
