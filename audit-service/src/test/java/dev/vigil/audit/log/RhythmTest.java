package dev.vigil.audit.log;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vigil.audit.log.LogWriter.Gathered;
import dev.vigil.audit.log.SequencerSettings.Pace;
import java.time.Duration;
import org.junit.jupiter.api.Test;

class RhythmTest {
    private static final Gathered NOTHING = new Gathered(0, false, false);
    private static final Gathered NEWS = new Gathered(3, true, false);
    private static final Gathered LULL = new Gathered(3, false, false);
    private static final Gathered FULL = new Gathered(1_000, true, true);

    private long now;
    private final Rhythm rhythm = new Rhythm(Pace.DEFAULT, () -> now);

    @Test
    void a_quiet_system_is_asked_twice_a_second() {
        for (int i = 0; i < 10; i++) {
            assertThat(rhythm.isRipe(NOTHING)).isFalse();
            assertThat(rhythm.pause()).isEqualTo(Duration.ofMillis(500));
        }
    }

    @Test
    void what_a_burst_has_left_is_signed_at_the_first_look_that_finds_no_more() {
        assertThat(rhythm.isRipe(NEWS)).isFalse();
        assertThat(rhythm.pause()).isEqualTo(Duration.ofMillis(25));
        sleep();
        assertThat(rhythm.isRipe(LULL)).isTrue();
    }

    @Test
    void events_that_go_on_coming_are_gathered_for_200_ms() {
        for (int checkpoint = 0; checkpoint < 3; checkpoint++) {
            for (int look = 0; look < 8; look++) {
                assertThat(rhythm.isRipe(NEWS)).as("look " + look).isFalse();
                sleep();
            }
            assertThat(rhythm.isRipe(NEWS)).isTrue();
            sleep();
        }
    }

    @Test
    void what_fills_a_checkpoint_is_signed_at_once_and_the_next_look_follows_without_a_pause() {
        assertThat(rhythm.isRipe(FULL)).isTrue();
        assertThat(rhythm.pause()).isZero();
        assertThat(rhythm.isRipe(FULL)).isTrue();
        assertThat(rhythm.pause()).isZero();
    }

    @Test
    void looks_get_rarer_when_nothing_comes_any_more() {
        assertThat(rhythm.isRipe(FULL)).isTrue();
        for (int millis : new int[] {25, 50, 100, 200, 400, 500, 500}) {
            assertThat(rhythm.isRipe(NOTHING)).isFalse();
            assertThat(rhythm.pause()).isEqualTo(Duration.ofMillis(millis));
            sleep();
        }
    }

    private void sleep() {
        now += rhythm.pause().toNanos();
    }
}
