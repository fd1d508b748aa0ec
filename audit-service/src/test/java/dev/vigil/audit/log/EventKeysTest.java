package dev.vigil.audit.log;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vigil.protocol.audit.CreateEvent;
import dev.vigil.protocol.audit.CreateEvent.Made;
import dev.vigil.protocol.audit.ExecutionEvent;
import dev.vigil.protocol.audit.ExecutionEvent.Action;
import dev.vigil.protocol.audit.ExecutionEvent.Subject;
import dev.vigil.protocol.audit.Origin;
import dev.vigil.protocol.audit.PackedEvent;
import dev.vigil.protocol.audit.Result;
import dev.vigil.protocol.id.UuidV7;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;

class EventKeysTest {
    private static final Instant AT = Instant.parse("2026-11-22T07:00:00.123456789Z");
    private static final Made MADE = new Made(7, UuidV7.next(), UuidV7.next(), "demo.echo", "one_time");
    private static final Origin CALL = new Origin("req_1", "127.0.0.1");

    @Test
    void a_packed_event_is_found_by_what_its_canonical_bytes_say() {
        Subject execution = new Subject(7, UuidV7.next(), UuidV7.next(), UuidV7.next(), 2);

        for (PackedEvent event : List.<PackedEvent>of(
                CreateEvent.of(AT, MADE, CALL),
                CreateEvent.of(AT, MADE, CALL).withSubject("00ff"),
                ExecutionEvent.of(Action.EXECUTE, Result.FAILURE, execution, AT).with(UuidV7.next(), 5))) {
            assertThat(EventKeys.of(event))
                    .isPresent()
                    .isEqualTo(EventKeys.read(event.auditEvent().canonicalBytes()));
        }
    }

    @Test
    void what_a_packed_event_cannot_be_found_by_makes_it_unreadable_as_it_does_when_it_is_not_packed() {
        for (PackedEvent event : List.<PackedEvent>of(
                CreateEvent.of(Instant.EPOCH.minusNanos(1), MADE, CALL),
                CreateEvent.of(AT, MADE, CALL).withSubject("x".repeat(201)))) {
            assertThat(EventKeys.of(event)).isEmpty();
            assertThat(EventKeys.read(event.auditEvent().canonicalBytes())).isEmpty();
        }
    }
}
