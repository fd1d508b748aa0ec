package dev.vigil.protocol.audit;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.time.Instant;
import org.junit.jupiter.api.Test;

class AuditEventTest {
    @Test
    void canonical_bytes_are_sorted_and_escape_what_json_must_escape_and_nothing_else() {
        AuditEvent event = AuditEvent.of(EventType.TASK_CREATED, "create", Result.SUCCESS, Instant.EPOCH)
                .with("b", "a\"b\\c\n\t\u0001é€/")
                .with("a", "plain")
                .with("c", 7L)
                .with("d", true);

        assertThat(new String(event.canonicalBytes(), StandardCharsets.UTF_8))
                .startsWith(
                        "{\"a\":\"plain\",\"action\":\"create\",\"b\":\"a\\\"b\\\\c\\n\\t\\u0001é€/\",\"c\":7,\"d\":true,")
                .contains("\"timestamp\":\"1970-01-01T00:00:00Z\"}");
    }
}
