package dev.vigil.api.web;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayDeque;
import java.util.Random;
import org.junit.jupiter.api.Test;

class RateWindowTest {
    private static final long SECOND = 1_000_000_000L;
    private static final long MINUTE = 60 * SECOND;

    @Test
    void no_window_of_a_minute_holds_more_than_the_quota_whenever_calls_come() {
        var random = new Random(7);
        var window = new RateWindow(MINUTE, 0);
        var allowed = new ArrayDeque<Long>();
        long now = 0;

        for (int i = 0; i < 200_000; i++) {
            now += (long) (random.nextDouble() * random.nextDouble() * SECOND);
            if (window.take(100, now) >= 0) {
                allowed.addLast(now);
                while (allowed.getFirst() <= now - MINUTE) {
                    allowed.removeFirst();
                }
                assertThat(allowed).hasSizeLessThanOrEqualTo(100);
            }
        }
    }

    @Test
    void the_whole_quota_is_there_at_once_and_again_a_window_later() {
        var window = new RateWindow(MINUTE, 5 * SECOND);
        for (int left = 9; left >= 0; left--) {
            assertThat(window.take(10, 5 * SECOND)).isEqualTo(left);
        }

        assertThat(window.take(10, 6 * SECOND)).isEqualTo(-1);
        assertThat(window.secondsUntilFree(6 * SECOND)).isBetween(59L, 61L);
        assertThat(window.take(10, 6 * SECOND + window.secondsUntilFree(6 * SECOND) * SECOND))
                .isEqualTo(9);
    }

    @Test
    void it_is_idle_when_nothing_was_taken_for_a_window() {
        var window = new RateWindow(MINUTE, 0);
        window.take(1, 0);

        assertThat(window.isIdle(30 * SECOND)).isFalse();
        assertThat(window.isIdle(62 * SECOND)).isTrue();
        assertThat(window.isIdle(1_000_000 * MINUTE)).isTrue();
    }
}
