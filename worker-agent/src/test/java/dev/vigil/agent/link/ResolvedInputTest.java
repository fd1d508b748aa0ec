package dev.vigil.agent.link;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.vigil.protocol.link.DispatchRecord;
import dev.vigil.protocol.payload.EncryptedField;
import dev.vigil.protocol.payload.Purpose;
import dev.vigil.protocol.payload.SealBrokenException;
import dev.vigil.protocol.payload.SealContext;
import dev.vigil.protocol.payload.TaskKey;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class ResolvedInputTest {
    private static final String TOKEN = "token:email:00112233445566778899aabbccddeeff";
    private static final UUID FIELD = UUID.randomUUID();
    private static final UUID KEY = UUID.randomUUID();
    private static final TaskKey FIELD_KEY = TaskKey.derive(new byte[32], FIELD, 1);

    @Test
    void tokens_and_fields_become_values_and_every_other_byte_stays() throws Exception {
        String payload =
                """
                { "to" : "%s", "n": 1.50, "%s":"key", "list":["a\\u00e9","%s"],\t"card":"%s" }""".formatted(TOKEN, TOKEN, TOKEN, field("demo.echo", 1).text());

        ResolvedInput input = resolve(payload, "demo.echo");

        assertThat(new String(input.json(), StandardCharsets.UTF_8)).isEqualTo("""
                { "to" : "a\\"b@ü", "n": 1.50, "%s":"key", "list":["a\\u00e9","a\\"b@ü"],\t"card":"4111" }""".formatted(TOKEN));
        assertThat(input.confidential().stream().map(bytes -> new String(bytes, StandardCharsets.UTF_8)))
                .containsOnly("s3cret", "a\"b@ü", "4111");
        assertThat(input.toString()).doesNotContain("4111");
    }

    @Test
    void a_secret_stays_a_name_and_what_was_not_handed_out_stays_text() throws Exception {
        String payload = "[\"secret://db\",\"token:email:ffffffffffffffffffffffffffffffff\"]";

        assertThat(new String(resolve(payload, "demo.echo").json(), StandardCharsets.UTF_8))
                .isEqualTo(payload);
    }

    @Test
    void a_field_of_another_handler_stays_shut_and_one_of_another_namespace_or_changed_is_broken() throws Exception {
        String other = "\"" + field("demo.echo", 1).text() + "\"";
        String foreign = "\"" + field("demo.echo", 2).text() + "\"";
        byte[] bytes = field("demo.echo", 1).record();
        bytes[bytes.length - 1] ^= 1;
        String changed = "\"" + new EncryptedField(FIELD, "demo.echo", bytes).text() + "\"";

        assertThat(new String(resolve(other, "demo.sleep").json(), StandardCharsets.UTF_8))
                .isEqualTo(other);
        for (String broken : List.of(foreign, changed)) {
            assertThatThrownBy(() -> resolve(broken, "demo.echo")).isInstanceOf(SealBrokenException.class);
        }
    }

    private static ResolvedInput resolve(String payload, String handler) throws SealBrokenException {
        var resolved = new Material.Resolved(
                Map.of("db", "s3cret".getBytes(StandardCharsets.UTF_8)),
                Map.of(TOKEN, "a\"b@ü"),
                Map.of(FIELD, FIELD_KEY));
        var dispatch = new DispatchRecord(
                UUID.randomUUID(), UUID.randomUUID(), 1, 1, KEY, handler, 1, 1, 1000, 0, new byte[0]);
        return ResolvedInput.of(payload.getBytes(StandardCharsets.UTF_8), resolved, dispatch);
    }

    private static EncryptedField field(String handler, int namespace) {
        var place = new SealContext(Purpose.FIELD, namespace, FIELD, 1, handler, KEY);
        return new EncryptedField(FIELD, handler, FIELD_KEY.seal(place, "4111".getBytes(StandardCharsets.UTF_8)));
    }
}
