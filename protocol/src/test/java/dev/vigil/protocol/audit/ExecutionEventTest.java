package dev.vigil.protocol.audit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.vigil.protocol.audit.ExecutionEvent.Action;
import dev.vigil.protocol.audit.ExecutionEvent.Subject;
import dev.vigil.protocol.id.Id;
import dev.vigil.protocol.id.Kind;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class ExecutionEventTest {
    private static final UUID USER = UUID.fromString("01980000-0000-7000-8000-000000000001");
    private static final UUID TASK = UUID.fromString("01980000-0000-7000-8000-000000000002");
    private static final UUID EXECUTION = UUID.fromString("01980000-0000-7000-8000-000000000003");
    private static final UUID WORKER = UUID.fromString("01980000-0000-7000-8000-000000000004");
    private static final Instant AT = Instant.parse("2026-11-22T07:00:00.123456789Z");
    private static final Subject SUBJECT = new Subject(7, USER, TASK, EXECUTION, 3);

    @Test
    void a_packed_event_is_written_out_as_the_audit_event_of_the_same_fields() {
        ExecutionEvent event = ExecutionEvent.of(Action.EXECUTE, Result.FAILURE, SUBJECT, AT)
                .with(WORKER, (5L << 32) + 9)
                .with("failed", "bad \"ä\"", 0L);

        assertThat(text(EventBatch.frame(event)))
                .containsExactly("{\"action\":\"execute\",\"attempt\":3,\"code\":\"bad \\\"ä\\\"\",\"duration_ms\":0,"
                        + "\"event_type\":\"task_execution\",\"execution_id\":\"" + new Id(Kind.EXECUTION, EXECUTION)
                        + "\",\"fence\":21474836489,\"id\":\"" + new Id(Kind.AUDIT_EVENT, event.id())
                        + "\",\"namespace\":7,\"result\":\"failure\",\"state\":\"failed\",\"task_id\":\""
                        + new Id(Kind.TASK, TASK)
                        + "\",\"timestamp\":\"2026-11-22T07:00:00.123456789Z\",\"user_id\":\""
                        + new Id(Kind.USER, USER) + "\",\"worker_id\":\"" + new Id(Kind.WORKER, WORKER) + "\"}");
    }

    @Test
    void what_is_not_known_is_left_out() {
        Subject once = new Subject(7, USER, TASK, TASK, 0);
        ExecutionEvent event = ExecutionEvent.of(Action.EXECUTE, Result.FAILURE, once, Instant.EPOCH)
                .with("cancelled", null, null);

        assertThat(text(EventBatch.frame(event)))
                .containsExactly("{\"action\":\"execute\",\"attempt\":0,\"event_type\":\"task_execution\","
                        + "\"execution_id\":\"" + new Id(Kind.EXECUTION, TASK) + "\",\"id\":\""
                        + new Id(Kind.AUDIT_EVENT, event.id())
                        + "\",\"namespace\":7,\"result\":\"failure\",\"state\":\"cancelled\",\"task_id\":\""
                        + new Id(Kind.TASK, TASK) + "\",\"timestamp\":\"1970-01-01T00:00:00Z\",\"user_id\":\""
                        + new Id(Kind.USER, USER) + "\"}");
    }

    @Test
    void packed_and_plain_events_stand_in_one_row() {
        var row = new ByteArrayOutputStream();
        row.writeBytes(EventBatch.frame(start()));
        row.writeBytes(EventBatch.frame(AuditEvent.of(EventType.TASK_CREATED, "create", Result.SUCCESS, AT)));
        row.writeBytes(EventBatch.frame(start()));

        assertThat(text(row.toByteArray()))
                .satisfiesExactly(
                        first -> assertThat(first).contains("\"start\""),
                        second -> assertThat(second).contains("\"create\""),
                        third -> assertThat(third).contains("\"start\""));
    }

    @Test
    void a_text_that_is_too_long_to_be_packed_is_kept_whole() {
        String code = "x".repeat(70_000);

        assertThat(text(EventBatch.frame(start().with(null, code, null))))
                .singleElement()
                .asString()
                .contains(code);
    }

    @Test
    void a_row_that_was_cut_or_is_of_a_later_version_is_refused() {
        byte[] row = EventBatch.frame(start());
        byte[] unknownAction = row.clone();
        unknownAction[4] = 100;
        byte[] unknownField = row.clone();
        unknownField[7] |= 64;

        for (int length = 1; length < row.length; length++) {
            byte[] cut = Arrays.copyOf(row, length);
            assertThatThrownBy(() -> EventBatch.split(cut)).isInstanceOf(IllegalArgumentException.class);
        }
        for (byte[] later : List.of(unknownAction, unknownField)) {
            assertThatThrownBy(() -> EventBatch.split(later)).hasMessageContaining("later version");
        }
    }

    private static ExecutionEvent start() {
        return ExecutionEvent.of(Action.START, Result.SUCCESS, SUBJECT, AT).with(WORKER, 1);
    }

    private static List<String> text(byte[] row) {
        return EventBatch.split(row).stream()
                .map(bytes -> new String(bytes, StandardCharsets.UTF_8))
                .toList();
    }
}
