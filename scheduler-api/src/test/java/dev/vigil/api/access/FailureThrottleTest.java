package dev.vigil.api.access;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.vigil.api.web.ProblemException;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class FailureThrottleTest {
    private final AtomicLong now = new AtomicLong(1);
    private final FailureThrottle throttle = new FailureThrottle(now::get);

    @Test
    void the_wait_begins_with_the_fifth_failure_and_doubles() {
        fail(4);
        assertThatCode(this::check).doesNotThrowAnyException();

        fail(1);
        assertThatThrownBy(this::check).isInstanceOf(ProblemException.class).hasMessageContaining("wait 1 s");
        now.addAndGet(1_000_000_000L);
        assertThatCode(this::check).doesNotThrowAnyException();
        fail(1);
        assertThatThrownBy(this::check).hasMessageContaining("wait 2 s");
        fail(40);
        assertThatThrownBy(this::check).hasMessageContaining("wait 300 s");
    }

    @Test
    void a_success_forgets_and_another_address_is_not_concerned() {
        fail(9);

        assertThatCode(() -> throttle.check("admin", "192.0.2.2")).doesNotThrowAnyException();
        throttle.succeeded("admin", "192.0.2.1");
        assertThatCode(this::check).doesNotThrowAnyException();
    }

    private void fail(int times) {
        for (int i = 0; i < times; i++) {
            throttle.failed("admin", "192.0.2.1");
        }
    }

    private void check() {
        throttle.check("admin", "192.0.2.1");
    }
}
