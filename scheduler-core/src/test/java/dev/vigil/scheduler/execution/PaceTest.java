package dev.vigil.scheduler.execution;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class PaceTest {
    private static final Duration STEADY = Duration.ofMillis(990);

    private final Pace pace = new Pace();

    @Test
    void it_is_a_second_while_nothing_moves() throws InterruptedException {
        long from = System.nanoTime();

        assertThat(pace.rest()).isTrue();

        assertThat(since(from)).isGreaterThan(STEADY);
    }

    @Test
    void it_is_less_once_something_moved() throws InterruptedException {
        pace.hurry();
        long from = System.nanoTime();

        assertThat(pace.rest()).isTrue();

        assertThat(since(from)).isLessThan(STEADY);
    }

    @Test
    void who_rests_hears_that_something_moved() throws InterruptedException {
        long from = System.nanoTime();
        Thread other = Thread.startVirtualThread(pace::hurry);

        assertThat(pace.rest()).isTrue();

        assertThat(since(from)).isLessThan(STEADY);
        other.join();
    }

    @Test
    void it_ends_at_once() throws InterruptedException {
        Thread other = Thread.startVirtualThread(pace::stop);

        assertThat(pace.rest()).isFalse();

        other.join();
    }

    private static Duration since(long from) {
        return Duration.ofNanos(System.nanoTime() - from);
    }
}
