package dev.vigil.api.vault;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Set;
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
        IntStream.range(0, 1000).forEach(i -> line.tell(List.of(i % 16), List.of()));
        line.tell(List.of(), List.of(worker));

        assertThat(sent).hasSize(1);
        answers.getFirst().complete(null);

        assertThat(sent).hasSize(2);
        assertThat(sent.getLast().shards()).hasSize(16);
        assertThat(sent.getLast().workers()).containsExactly(worker);
        answers.getLast().complete(null);
        assertThat(sent).hasSize(2);
    }

    @Test
    void a_core_that_answers_is_told_at_once_each_time() {
        for (int i = 0; i < 3; i++) {
            line.tell(List.of(i), List.of());
            answers.getLast().complete(null);
        }

        assertThat(sent).extracting(HintLine.Hint::shards).containsExactly(Set.of(0), Set.of(1), Set.of(2));
    }

    @Test
    void after_a_lost_hint_it_goes_on_with_what_came_meanwhile() {
        line.tell(List.of(1), List.of());
        line.tell(List.of(2), List.of());
        answers.getFirst().completeExceptionally(new java.net.ConnectException());

        assertThat(sent).hasSize(1);
        Awaitility.await().untilAsserted(() -> assertThat(sent).hasSize(2));
        assertThat(sent.getLast().shards()).containsExactly(2);
    }
}
