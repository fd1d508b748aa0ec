package dev.vigil.agent.link;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vigil.protocol.link.DispatchRecord;
import dev.vigil.protocol.payload.TaskKey;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class KeptKeysTest {
    private final AtomicLong clock = new AtomicLong(Long.MAX_VALUE - 5);
    private final KeptKeys keys = new KeptKeys(clock::get);
    private final TaskKey key = TaskKey.of(new byte[32]);

    private static DispatchRecord dispatch(UUID task, int payloadVersion) {
        UUID keyId = new UUID(1, 1);
        return new DispatchRecord(UUID.randomUUID(), task, 1, payloadVersion, keyId, "h", 1, 1, 1, 1, null);
    }

    @Test
    void a_key_ends_sixty_seconds_after_it_was_asked_for_however_often_it_is_used() {
        UUID task = UUID.randomUUID();
        keys.keep(dispatch(task, 1), key, keys.now());

        clock.addAndGet(KeptKeys.KEPT.toNanos() - 1);
        assertThat(keys.find(dispatch(task, 1))).as("the last moment").hasValue(key);
        clock.addAndGet(1);
        assertThat(keys.find(dispatch(task, 1))).isEmpty();
    }

    @Test
    void a_key_is_its_tasks_and_versions_alone() {
        UUID task = UUID.randomUUID();
        keys.keep(dispatch(task, 1), key, keys.now());

        assertThat(keys.find(dispatch(task, 2))).isEmpty();
        assertThat(keys.find(dispatch(UUID.randomUUID(), 1))).isEmpty();
    }

    @Test
    void old_keys_are_swept_and_all_are_forgotten_when_the_worker_is_refused() {
        UUID task = UUID.randomUUID();
        keys.keep(dispatch(UUID.randomUUID(), 1), key, keys.now());
        clock.addAndGet(KeptKeys.KEPT.toNanos());
        keys.keep(dispatch(task, 1), key, keys.now());

        keys.sweep();
        assertThat(keys.size()).isOne();
        keys.forget();
        assertThat(keys.find(dispatch(task, 1))).isEmpty();
    }

    @Test
    void no_more_than_so_many_are_kept_and_the_one_asked_for_first_makes_room() {
        UUID renewed = UUID.randomUUID();
        UUID first = UUID.randomUUID();
        keys.keep(dispatch(renewed, 1), key, keys.now());
        keys.keep(dispatch(first, 1), key, keys.now());
        for (int i = 2; i < KeptKeys.MAX; i++) {
            keys.keep(dispatch(UUID.randomUUID(), 1), key, keys.now());
        }
        keys.keep(dispatch(renewed, 1), key, keys.now());

        UUID late = UUID.randomUUID();
        keys.keep(dispatch(late, 1), key, keys.now());

        assertThat(keys.find(dispatch(late, 1))).hasValue(key);
        assertThat(keys.find(dispatch(renewed, 1))).hasValue(key);
        assertThat(keys.find(dispatch(first, 1))).isEmpty();
        assertThat(keys.size()).isEqualTo(KeptKeys.MAX);
    }
}
