package dev.vigil.protocol.link;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class BodiesTest {
    private static final UUID EXECUTION = UUID.fromString("019a0000-0000-7000-8000-000000000002");

    private interface Reader {
        Object read(Frame frame) throws FrameException;
    }

    private record Sample(FrameType type, Body body, Reader reader) {}

    private static List<Sample> samples() {
        var held = new Held(EXECUTION, 5, Held.State.RUNNING);
        var dispatch = new DispatchRecord(
                EXECUTION, EXECUTION, 1, 2, EXECUTION, "demo.echo", 5, 1, 60_000, 1_700_000_000_000L, new byte[9]);
        var bare = new DispatchRecord(
                EXECUTION, EXECUTION, 1, 2, EXECUTION, "demo.echo", 5, 1, 60_000, 1_700_000_000_000L, null);
        var result = new ResultRecord(
                EXECUTION, 5, ResultRecord.Outcome.FAILED, 12, "bad_input", true, 500, false, new byte[40]);
        var uploaded = new ResultRecord(EXECUTION, 5, ResultRecord.Outcome.SUCCEEDED, 12, "", false, -1, true, null);
        var answer = new HeartbeatAnswer(3, true, true, 7, List.of(HeartbeatAnswer.Verdict.OWNED));
        var verdicts = new HeartbeatAnswer(4, false, false, 0, List.of(HeartbeatAnswer.Verdict.STALE));
        return List.of(
                new Sample(FrameType.READY, Bodies.ready(4, List.of(held)), f -> Bodies.readReady(f.body())),
                new Sample(
                        FrameType.HEARTBEAT,
                        Bodies.heartbeat(Bodies.heartbeat(3, List.of(held)), new byte[70]),
                        f -> Bodies.readHeartbeat(f.body()).held()),
                new Sample(FrameType.HEARTBEAT, Bodies.answer(answer), f -> Bodies.readAnswer(f.body())),
                new Sample(FrameType.HEARTBEAT, Bodies.answer(verdicts), f -> Bodies.readAnswer(f.body())),
                new Sample(FrameType.DISPATCH, only(Bodies.dispatches(3, List.of(dispatch))), Bodies::readDispatches),
                new Sample(FrameType.DISPATCH, only(Bodies.dispatches(3, List.of(bare))), Bodies::readDispatches),
                new Sample(
                        FrameType.ACK,
                        only(Bodies.acks(List.of(new AckRecord(EXECUTION, 5, "no_slot")))),
                        Bodies::readAcks),
                new Sample(FrameType.RESULT, only(Bodies.results(List.of(result))), Bodies::readResults),
                new Sample(FrameType.RESULT, only(Bodies.results(List.of(uploaded))), Bodies::readResults),
                new Sample(
                        FrameType.RESULT_ACK,
                        only(Bodies.settled(List.of(new SettledRecord(EXECUTION, 5, false)))),
                        Bodies::readSettled),
                new Sample(
                        FrameType.PROGRESS,
                        only(Bodies.progress(List.of(new ProgressRecord(EXECUTION, 5, 400_000, new byte[60])))),
                        Bodies::readProgress),
                new Sample(
                        FrameType.LOG,
                        only(Bodies.logs(List.of(new LogRecord(EXECUTION, 5, 7, 2, new byte[60])))),
                        Bodies::readLogs),
                new Sample(
                        FrameType.CANCEL,
                        only(Bodies.cancels(List.of(new CancelRecord(EXECUTION, 5, 10_000)))),
                        Bodies::readCancels),
                new Sample(FrameType.GOODBYE, Bodies.goodbye(true), f -> Bodies.readGoodbye(f.body())),
                new Sample(FrameType.ERROR, Bodies.error("code", "text"), f -> Bodies.readError(f.body())));
    }

    @Test
    void what_is_packed_is_read_back() throws Exception {
        Frame dispatches = frame(samples().get(4));

        DispatchRecord read = Bodies.readDispatches(dispatches).records().getFirst();

        assertThat(read.handler()).isEqualTo("demo.echo");
        assertThat(read.payload()).hasSize(9);
        assertThat(Bodies.readDispatches(frame(samples().get(5)))
                        .records()
                        .getFirst()
                        .payload())
                .isNull();
        ResultRecord result = Bodies.readResults(frame(samples().get(7))).getFirst();
        assertThat(result.retryAfterMillis()).isEqualTo(500);
        assertThat(result.retryable()).isTrue();
        assertThat(result.code()).isEqualTo("bad_input");
        assertThat(Bodies.readResults(frame(samples().get(8))).getFirst().uploaded())
                .isTrue();
        HeartbeatAnswer answer = Bodies.readAnswer(samples().get(2).body().bytes());
        assertThat(answer.databaseDown()).isTrue();
        assertThat(answer.verdicts()).containsExactly(HeartbeatAnswer.Verdict.OWNED);
    }

    @Test
    void a_core_of_before_vouches_for_all_that_it_is_asked_about_when_it_has_no_database() throws Exception {
        byte[] said = ByteBuffer.allocate(18)
                .putLong(3)
                .put((byte) 1)
                .putInt(0)
                .putShort((short) 3)
                .put(new byte[] {0, 1, 2})
                .array();

        HeartbeatAnswer answer = Bodies.readAnswer(said);

        assertThat(answer.databaseDown()).isTrue();
        assertThat(answer.verdicts())
                .containsExactly(
                        HeartbeatAnswer.Verdict.OWNED, HeartbeatAnswer.Verdict.OWNED, HeartbeatAnswer.Verdict.STALE);
    }

    @Test
    void a_worker_of_before_is_not_told_that_a_core_vouches_for_all() {
        var verdicts = List.of(HeartbeatAnswer.Verdict.UNKNOWN, HeartbeatAnswer.Verdict.OWNED);

        byte[] said =
                Bodies.answer(new HeartbeatAnswer(3, true, false, 0, verdicts)).bytes();

        assertThat(said[8]).as("its flags").isEqualTo((byte) 4);
        assertThat(said).endsWith(0, 1);
    }

    @Test
    void a_body_that_ends_early_or_goes_on_is_refused_at_every_length() throws Exception {
        for (Sample sample : samples()) {
            sample.reader().read(frame(sample));
            byte[] bytes = sample.body().bytes();
            for (int length = 0; length < bytes.length; length++) {
                Frame shorter = frame(sample, Arrays.copyOf(bytes, length));
                assertThatThrownBy(() -> sample.reader().read(shorter))
                        .as("%s cut to %d", sample.type(), length)
                        .isInstanceOf(FrameException.class);
            }
            Frame longer = frame(sample, Arrays.copyOf(bytes, bytes.length + 1));
            assertThatThrownBy(() -> sample.reader().read(longer)).isInstanceOf(FrameException.class);
        }
    }

    @Test
    void random_bodies_are_read_or_refused_and_nothing_else() {
        var random = new Random(42);
        for (int i = 0; i < 200_000; i++) {
            Sample sample = samples.get(i % samples.size());
            byte[] bytes = sample.body().bytes().clone();
            for (int flips = random.nextInt(4); flips >= 0; flips--) {
                bytes[random.nextInt(bytes.length)] = (byte) random.nextInt(256);
            }
            try {
                sample.reader().read(frame(sample, bytes));
            } catch (FrameException e) {
                assertThat(e).hasMessageNotContaining("null");
            }
        }
    }

    private final List<Sample> samples = samples();

    @Test
    void a_batch_is_split_at_the_frame_cap_and_at_512_records() {
        var large = new ArrayList<DispatchRecord>();
        for (int i = 0; i < 9; i++) {
            large.add(new DispatchRecord(
                    UUID.randomUUID(), EXECUTION, 1, 1, EXECUTION, "h", 5, 1, 1, 1, new byte[Bodies.INLINE_BYTES_MAX]));
        }
        var many = new ArrayList<AckRecord>();
        for (int i = 0; i < 1_025; i++) {
            many.add(new AckRecord(UUID.randomUUID(), 5, ""));
        }

        assertThat(Bodies.dispatches(1, large))
                .hasSize(3)
                .allSatisfy(packed ->
                        assertThat(packed.body().bytes()).hasSizeLessThanOrEqualTo(SealedChannel.BODY_BYTES_MAX));
        assertThat(Bodies.acks(many)).hasSize(3);
    }

    @Test
    void a_list_of_2048_executions_fits_one_heartbeat_and_a_double_entry_is_refused() {
        var held = new ArrayList<Held>();
        for (int i = 0; i < Held.MAX; i++) {
            held.add(new Held(new UUID(1, i), 5, Held.State.WAITING));
        }
        assertThat(Bodies.heartbeat(Bodies.heartbeat(1, held), new byte[80]).bytes())
                .hasSizeLessThan(SealedChannel.BODY_BYTES_MAX);
        var twice = List.of(held.getFirst(), held.getFirst());
        assertThatThrownBy(() -> Bodies.readReady(Bodies.ready(1, twice).bytes()))
                .hasMessageContaining("twice");
    }

    @Test
    void a_log_or_progress_record_beyond_its_limits_is_refused() throws FrameException {
        var fits = new LogRecord(EXECUTION, 5, 1, 1, new byte[LogRecord.SEALED_BYTES_MAX]);
        var tooLong = new LogRecord(EXECUTION, 5, 1, 1, new byte[LogRecord.SEALED_BYTES_MAX + 1]);
        var tooMany = new LogRecord(EXECUTION, 5, 1, 1_025, new byte[60]);
        var nameless = new LogRecord(EXECUTION, 5, 0, 1, new byte[60]);
        var whole = new ProgressRecord(EXECUTION, 5, ProgressRecord.WHOLE, null);
        var beyond = new ProgressRecord(EXECUTION, 5, ProgressRecord.WHOLE + 1, null);

        assertThat(Bodies.readLogs(logs(fits))).hasSize(1);
        for (LogRecord wrong : List.of(tooLong, tooMany, nameless)) {
            assertThatThrownBy(() -> Bodies.readLogs(logs(wrong))).isInstanceOf(FrameException.class);
        }
        assertThat(Bodies.readProgress(progress(whole))).containsExactly(whole);
        assertThatThrownBy(() -> Bodies.readProgress(progress(beyond))).isInstanceOf(FrameException.class);
    }

    private static Frame logs(LogRecord record) {
        return frame(new Sample(FrameType.LOG, only(Bodies.logs(List.of(record))), Bodies::readLogs));
    }

    private static Frame progress(ProgressRecord record) {
        return frame(new Sample(FrameType.PROGRESS, only(Bodies.progress(List.of(record))), Bodies::readProgress));
    }

    private static <R> Body only(List<Bodies.Packed<R>> packed) {
        return packed.getFirst().body();
    }

    private static Frame frame(Sample sample) {
        return frame(sample, sample.body().bytes());
    }

    private static Frame frame(Sample sample, byte[] bytes) {
        var header = new FrameHeader(
                sample.type(),
                FrameHeader.SEALED,
                bytes.length,
                1,
                0,
                0,
                sample.body().records(),
                0);
        return new Frame(header, bytes);
    }
}
