package dev.vigil.protocol.audit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.vigil.protocol.audit.CreateEvent.Made;
import dev.vigil.protocol.id.Id;
import dev.vigil.protocol.id.Kind;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class CreateEventTest {
    private static final UUID USER = UUID.fromString("01980000-0000-7000-8000-000000000001");
    private static final UUID TASK = UUID.fromString("01980000-0000-7000-8000-000000000002");
    private static final Instant AT = Instant.parse("2026-11-22T07:00:00.123456789Z");
    private static final Made MADE = new Made(7, USER, TASK, "demo.\"ä\"", "one_time");
    private static final Origin CALL = new Origin("req_1", "2001:db8::1");

    @Test
    void a_packed_event_is_written_out_as_the_audit_event_of_the_same_fields() {
        CreateEvent event = CreateEvent.of(AT, MADE, CALL);

        assertThat(text(EventBatch.frame(event))).containsExactly(json(event, ""));
    }

    @Test
    void a_person_in_the_data_is_named_by_the_blind_index() {
        CreateEvent event = CreateEvent.of(AT, MADE, CALL).withSubject("00ff");

        assertThat(text(EventBatch.frame(event))).containsExactly(json(event, "\"subject\":\"00ff\","));
    }

    @Test
    void packed_it_is_a_third_as_long_and_keeps_its_length_among_others() {
        byte[] frame = EventBatch.frame(CreateEvent.of(AT, MADE, CALL));
        byte[] other = EventBatch.frame(CreateEvent.of(AT, MADE, CALL).withSubject("00ff"));
        byte[] row = Arrays.copyOf(frame, frame.length + other.length);
        System.arraycopy(other, 0, row, frame.length, other.length);

        assertThat(frame).hasSizeLessThan(text(frame).getFirst().length() / 3);
        assertThat(EventBatch.frames(row)).containsExactly(frame, other);
    }

    @Test
    void a_text_that_is_too_long_to_be_packed_is_kept_whole() {
        Made made = new Made(7, USER, TASK, "x".repeat(70_000), "one_time");

        assertThat(text(EventBatch.frame(CreateEvent.of(AT, made, CALL))))
                .singleElement()
                .asString()
                .contains(made.handler());
    }

    @Test
    void a_row_that_was_cut_or_is_of_a_later_version_is_refused() {
        byte[] row = EventBatch.frame(CreateEvent.of(AT, MADE, CALL));
        byte[] unknownForm = row.clone();
        unknownForm[4] = CreateEvent.FORM + 1;
        byte[] unknownField = row.clone();
        unknownField[5] |= 2;
        byte[] longer = Arrays.copyOf(row, row.length + 1);
        longer[3]++;

        for (int length = 1; length < row.length; length++) {
            byte[] cut = Arrays.copyOf(row, length);
            assertThatThrownBy(() -> EventBatch.split(cut)).isInstanceOf(IllegalArgumentException.class);
            if (length > 4) {
                cut[3] = (byte) (length - 4);
                assertThatThrownBy(() -> EventBatch.split(cut)).hasMessageContaining("cut");
            }
        }
        for (byte[] later : List.of(unknownForm, unknownField, longer)) {
            assertThatThrownBy(() -> EventBatch.split(later)).hasMessageContaining("later version");
        }
    }

    private static String json(CreateEvent event, String subject) {
        return "{\"action\":\"create\",\"event_type\":\"task_created\",\"handler\":\"demo.\\\"ä\\\"\",\"id\":\""
                + new Id(Kind.AUDIT_EVENT, event.id())
                + "\",\"ip_address\":\"2001:db8::1\",\"namespace\":7,\"request_id\":\"req_1\",\"result\":\"success\","
                + subject + "\"task_id\":\"" + new Id(Kind.TASK, TASK)
                + "\",\"timestamp\":\"2026-11-22T07:00:00.123456789Z\",\"type\":\"one_time\",\"user_id\":\""
                + new Id(Kind.USER, USER) + "\"}";
    }

    private static List<String> text(byte[] row) {
        return EventBatch.split(row).stream()
                .map(bytes -> new String(bytes, StandardCharsets.UTF_8))
                .toList();
    }
}
