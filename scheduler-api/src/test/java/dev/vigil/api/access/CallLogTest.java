package dev.vigil.api.access;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vigil.api.Api;
import dev.vigil.api.web.CallWatch;
import dev.vigil.api.web.Code;
import dev.vigil.api.web.Outbox;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.springframework.transaction.support.TransactionTemplate;

class CallLogTest {
    private final Api api = Api.shared();
    private final AtomicReference<Instant> now = new AtomicReference<>(Instant.parse("2026-11-21T12:00:10Z"));
    private final InstantSource time = now::get;
    private final CallLog log =
            new CallLog(api.context().getBean(Outbox.class), api.context().getBean(TransactionTemplate.class), time);

    @Test
    void a_flood_of_refusals_becomes_one_counted_event_a_minute() {
        String address = "flood-" + UUID.randomUUID();
        for (int i = 0; i < 500; i++) {
            log.answered(refused(address));
        }
        log.flush();

        assertThat(mentions(address)).isEqualTo(20);

        now.set(Instant.parse("2026-11-21T12:01:00Z"));
        log.flush();
        assertThat(mentions(address)).isEqualTo(21);
        assertThat(api.events())
                .contains("\"action\":\"refused_calls\",\"count\":480,\"event_type\":\"authentication\"")
                .contains("\"from\":\"2026-11-21T12:00:00Z\"");
    }

    @Test
    void a_few_refusals_are_told_one_by_one_and_never_counted_again() {
        String address = "few-" + UUID.randomUUID();
        for (int i = 0; i < 5; i++) {
            log.answered(refused(address));
        }
        now.set(Instant.parse("2026-11-21T12:05:00Z"));
        log.flush();

        assertThat(mentions(address)).isEqualTo(5);
    }

    @Test
    void while_the_outbox_cannot_be_written_nothing_is_lost_and_in_the_end_calls_are_refused() {
        try (Api own = Api.start(java.util.Map.of())) {
            var blocked = new CallLog(
                    own.context().getBean(Outbox.class), own.context().getBean(TransactionTemplate.class), time);
            own.execute("REVOKE INSERT ON access.outbox FROM vigil_api");
            for (int i = 0; i < 20_000; i++) {
                blocked.answered(refused("address-" + i));
            }
            blocked.flush();
            blocked.answered(refused("address-x"));

            for (int i = 0; i < 500; i++) {
                blocked.answered(refused("again-" + i));
            }
            assertThat(blocked.accepts()).isFalse();

            own.execute("GRANT INSERT ON access.outbox TO vigil_api");
            blocked.flush();
            assertThat(blocked.accepts()).isTrue();
            assertThat(own.events()).contains("address-0\"", "address-19999\"", "address-x\"");
        }
    }

    private static CallWatch.Answered refused(String address) {
        return new CallWatch.Answered(
                null, "getMe", "GET", 401, Code.INVALID_TOKEN, address, "req_" + UUID.randomUUID(), Duration.ZERO);
    }

    private int mentions(String address) {
        return api.events().split("\"" + address + "\"", -1).length - 1;
    }
}
