package dev.vigil.agent.link;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.vigil.protocol.link.DispatchRecord;
import dev.vigil.protocol.payload.TaskKey;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.Semaphore;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class KeyCallsTest {
    private final ExecutorService frames = Executors.newVirtualThreadPerTaskExecutor();
    private final List<List<DispatchRecord>> calls = new CopyOnWriteArrayList<>();
    private final Semaphore answered = new Semaphore(0);
    private volatile boolean refusing;
    private final KeyCalls keys = new KeyCalls(this::answer);

    @AfterEach
    void stop() {
        answered.release(1_000);
        frames.close();
    }

    private List<Material> answer(List<DispatchRecord> dispatches) throws IOException, InterruptedException {
        calls.add(dispatches);
        answered.acquire();
        if (refusing) {
            throw new WorkerApi.CallRefusedException("/worker/v1/materials", 403);
        }
        return dispatches.stream().map(KeyCallsTest::granted).toList();
    }

    private static Material granted(DispatchRecord dispatch) {
        var key = new byte[32];
        key[0] = (byte) dispatch.fence();
        return new Material.Granted(dispatch.execution(), TaskKey.of(key), Material.Resolved.NOTHING);
    }

    private static DispatchRecord dispatch(UUID execution, long fence) {
        return new DispatchRecord(execution, UUID.randomUUID(), 1, 1, new UUID(1, 1), "h", fence, 1, 1, 1, null);
    }

    private static List<DispatchRecord> frame(int executions) {
        var frame = new ArrayList<DispatchRecord>();
        for (int i = 0; i < executions; i++) {
            frame.add(dispatch(UUID.randomUUID(), 7));
        }
        return frame;
    }

    private Future<Map<UUID, Material>> ask(List<DispatchRecord> frame) {
        return frames.submit(() -> keys.of(frame));
    }

    /// Asks, and waits until that many calls are under way.
    private Future<Map<UUID, Material>> ask(List<DispatchRecord> frame, int underWay) {
        Future<Map<UUID, Material>> asked = ask(frame);
        await().until(() -> calls.size() == underWay);
        return asked;
    }

    @Test
    void what_frames_need_while_calls_are_under_way_goes_in_one_call_and_each_gets_its_own() throws Exception {
        var _ = ask(frame(1), 1);
        var _ = ask(frame(1), 2);
        var waiting = new ArrayList<Future<Map<UUID, Material>>>();
        List<List<DispatchRecord>> later = List.of(frame(3), frame(4), frame(5));
        later.forEach(frame -> waiting.add(ask(frame)));
        await().until(() -> keys.waiting() == 3);

        answered.release();

        await().until(() -> calls.size() == 3);
        assertThat(calls.getLast()).hasSize(12);
        answered.release(2);
        for (int i = 0; i < later.size(); i++) {
            assertThat(waiting.get(i).get())
                    .containsKeys(
                            later.get(i).stream().map(DispatchRecord::execution).toArray(UUID[]::new));
        }
    }

    @Test
    void a_call_has_no_more_than_the_api_takes() {
        var _ = ask(frame(1), 1);
        var _ = ask(frame(1), 2);
        var _ = ask(frame(300));
        await().until(() -> keys.waiting() == 1);
        var _ = ask(frame(300));
        await().until(() -> keys.waiting() == 2);

        answered.release();

        await().until(() -> calls.size() == 3);
        assertThat(calls.getLast()).hasSize(300);
        assertThat(keys.waiting()).isOne();
    }

    @Test
    void two_fences_of_one_execution_never_share_a_call() throws Exception {
        UUID execution = UUID.randomUUID();
        var _ = ask(frame(1), 1);
        var _ = ask(frame(1), 2);
        Future<Map<UUID, Material>> older = ask(List.of(dispatch(execution, 1)));
        await().until(() -> keys.waiting() == 1);
        Future<Map<UUID, Material>> newer = ask(List.of(dispatch(execution, 2)));
        await().until(() -> keys.waiting() == 2);

        answered.release(4);

        assertThat(key(older, execution)).isEqualTo((byte) 1);
        assertThat(key(newer, execution)).isEqualTo((byte) 2);
        assertThat(calls).hasSize(4);
    }

    private static byte key(Future<Map<UUID, Material>> answer, UUID execution) throws Exception {
        return ((Material.Granted) Objects.requireNonNull(answer.get().get(execution)))
                .key()
                .raw()[0];
    }

    @Test
    void a_call_that_is_refused_says_so_to_each_of_its_frames_and_to_no_other() throws Exception {
        var _ = ask(frame(1), 1);
        var _ = ask(frame(1), 2);
        Future<Map<UUID, Material>> one = ask(frame(1));
        Future<Map<UUID, Material>> other = ask(frame(1));
        await().until(() -> keys.waiting() == 2);
        answered.release(2);
        await().until(() -> calls.size() == 3);

        refusing = true;
        answered.release();

        for (Future<Map<UUID, Material>> refused : List.of(one, other)) {
            assertThatThrownBy(refused::get).rootCause().isInstanceOf(WorkerApi.CallRefusedException.class);
        }
        refusing = false;
        answered.release();
        assertThat(keys.of(frame(1))).hasSize(1);
    }
}
