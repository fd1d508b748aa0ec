package dev.vigil.agent.link;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.vigil.agent.handler.ExecutionRequest;
import dev.vigil.agent.handler.Mask;
import dev.vigil.protocol.link.LogRecord;
import dev.vigil.protocol.link.ProgressRecord;
import dev.vigil.protocol.payload.LogChunk;
import dev.vigil.protocol.payload.LogLine;
import dev.vigil.protocol.payload.Purpose;
import dev.vigil.protocol.payload.SealBrokenException;
import dev.vigil.protocol.payload.SealContext;
import dev.vigil.protocol.payload.TaskKey;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class LogFeedTest {
    private static final TaskKey KEY = TaskKey.of(new byte[32]);
    private static final SealContext PLACE =
            new SealContext(Purpose.RESULT, 1, UUID.randomUUID(), 1, "demo.echo", UUID.randomUUID());

    private final AtomicLong waiting = new AtomicLong();
    private final AtomicInteger woken = new AtomicInteger();
    private final LogFeed feed = new LogFeed(prepared(), waiting, woken::incrementAndGet);

    private static Prepared prepared() {
        var request = new ExecutionRequest(
                PLACE.task(),
                1,
                7,
                1,
                "demo.echo",
                new byte[0],
                Duration.ofMinutes(1),
                Instant.EPOCH,
                Instant.EPOCH,
                Map.of(),
                Mask.NONE);
        return new Prepared(request, KEY, PLACE);
    }

    private void say(String text) {
        feed.log(new LogLine(LogLine.Source.STDOUT, 5, text.getBytes(StandardCharsets.UTF_8)));
    }

    private List<LogRecord> takeAll() {
        var records = new ArrayList<LogRecord>();
        for (var record = feed.takeLog(); record.isPresent(); record = feed.takeLog()) {
            records.add(record.get());
        }
        return records;
    }

    private static List<String> words(LogRecord record) throws SealBrokenException {
        return LogChunk.of(KEY.open(PLACE.withPurpose(Purpose.LOG), record.sealed())).lines().stream()
                .map(LogLine::words)
                .toList();
    }

    @Test
    void lines_wait_a_moment_for_company_and_leave_together_sealed() throws SealBrokenException {
        say("one");
        say("two");
        assertThat(feed.takeLog()).as("not yet").isEmpty();
        assertThat(woken.get()).as("once for both").isOne();

        LogRecord record =
                await().until(feed::takeLog, java.util.Optional::isPresent).orElseThrow();

        assertThat(record.firstLine()).isOne();
        assertThat(record.lines()).isEqualTo(2);
        assertThat(record.fence()).isEqualTo(7);
        assertThat(words(record)).containsExactly("one", "two");
        assertThat(feed.isEmpty()).isTrue();
        assertThat(waiting.get()).isZero();
    }

    @Test
    void what_is_left_at_the_end_leaves_at_once_and_nothing_is_taken_after_it() {
        say("last");
        feed.end(9);
        say("late");

        assertThat(takeAll()).extracting(LogRecord::lines).containsExactly(1);
        assertThat(feed.isEmpty()).isTrue();
    }

    @Test
    void lines_that_find_no_room_leave_a_gap_and_the_last_line_says_how_many() throws SealBrokenException {
        say("kept");
        waiting.addAndGet(LogFeed.WAITING_MAX);
        say("lost");
        say("lost too");
        waiting.addAndGet(-LogFeed.WAITING_MAX);
        say("after");
        feed.end(9);

        List<LogRecord> records = takeAll();

        assertThat(records).extracting(LogRecord::firstLine).containsExactly(1, 4);
        assertThat(words(records.getLast())).hasSize(2).last().asString().startsWith("2 lines were lost");
        assertThat(waiting.get()).isZero();
    }

    @Test
    void the_number_of_lost_lines_is_told_although_nothing_else_is_left_to_tell() throws SealBrokenException {
        waiting.addAndGet(LogFeed.WAITING_MAX);
        say("lost");
        waiting.addAndGet(-LogFeed.WAITING_MAX);
        assertThat(woken.get()).as("there is nothing to take yet").isZero();

        feed.end(9);

        assertThat(woken.get()).isOne();
        assertThat(words(takeAll().getFirst())).first().asString().startsWith("1 lines were lost");
    }

    @Test
    void a_chunk_is_bounded_and_a_dropped_feed_gives_its_room_back() {
        for (int i = 0; i < 3_000; i++) {
            say("x".repeat(20));
        }

        assertThat(takeAll()).hasSizeGreaterThan(1).allSatisfy(record -> {
            assertThat(record.lines()).isLessThanOrEqualTo(LogChunk.LINES_MAX);
            assertThat(record.sealed()).hasSizeLessThanOrEqualTo(LogRecord.SEALED_BYTES_MAX);
        });
        feed.drop();
        assertThat(waiting.get()).isZero();
        assertThat(feed.isEmpty()).isTrue();
    }

    @Test
    void the_newest_progress_replaces_the_one_before_it_and_comes_once_a_second_at_most() throws SealBrokenException {
        feed.progress(0.1, "early");
        ProgressRecord first = feed.takeProgress().orElseThrow();
        feed.progress(0.2, "replaced");
        feed.progress(0.3, "newest");
        assertThat(feed.takeProgress()).as("within the same second").isEmpty();
        feed.end(9);
        ProgressRecord last = feed.takeProgress().orElseThrow();

        assertThat(first.millionths()).isEqualTo(100_000);
        assertThat(last.millionths()).isEqualTo(300_000);
        byte[] sealed = java.util.Objects.requireNonNull(last.sealed());
        assertThat(KEY.open(PLACE.withPurpose(Purpose.PROGRESS), sealed))
                .isEqualTo("newest".getBytes(StandardCharsets.UTF_8));
    }

    @Test
    void the_window_opens_again_as_the_core_counts_frames() {
        var window = new SendWindow();
        window.sent(4, SendWindow.BYTES_MAX);
        window.sent(5, 1);
        assertThat(window.room()).isZero();

        window.acknowledged(4);
        assertThat(window.room()).as("frame 4 is not counted yet").isZero();
        window.acknowledged(5);
        assertThat(window.room()).isEqualTo(SendWindow.BYTES_MAX - 1);
        window.acknowledged(6);
        assertThat(window.room()).isEqualTo(SendWindow.BYTES_MAX);
    }
}
