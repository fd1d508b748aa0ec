package dev.vigil.agent.handler;

import static dev.vigil.agent.handler.Workplace.done;
import static dev.vigil.agent.handler.Workplace.failed;
import static dev.vigil.agent.handler.Workplace.request;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class DemoHandlerTest {
    private Workplace workplace;

    @BeforeAll
    void open(@TempDir Path folder) throws Exception {
        workplace = Workplace.in(folder).open(true, Duration.ofSeconds(60), Duration.ofSeconds(120));
    }

    @AfterAll
    void close() {
        workplace.close();
    }

    @Test
    void echo_returns_its_input_whatever_stands_in_it() {
        String tricky =
                "{\"a\":[1,\"}\\\",{\",{\"b\":null}],\"run\":\"x\",\"é\":\"\\u0000😀\",\"n\":-1.50E+3, \"z\" : { } }";

        assertThat(workplace.output("demo.echo", tricky)).isEqualTo(tricky);
        assertThat(workplace.output("demo.echo", "\"$(id) `id` <script> '; DROP TABLE\""))
                .isEqualTo("\"$(id) `id` <script> '; DROP TABLE\"");
    }

    @Test
    void echo_carries_one_mebibyte_in_both_directions() {
        String most = "\"" + "x".repeat((1 << 20) - 2) + "\"";

        assertThat(workplace.output("demo.echo", most)).isEqualTo(most);
    }

    @Test
    void sleep_takes_its_time() {
        Outcome outcome = workplace.run("demo.sleep", "{\"ms\":300}");

        assertThat(done(outcome)).isEqualTo("{\"slept_ms\":300}");
        assertThat(outcome.duration()).isGreaterThanOrEqualTo(Duration.ofMillis(300));
        assertThat(failed(workplace.run("demo.sleep", "{\"ms\":-1}")).why().code())
                .isEqualTo("bad_input");
    }

    @Test
    void fail_fails_as_often_as_it_was_asked_to() {
        assertThat(failed(workplace.run(attempt(1, "{\"fail_attempts\":2}"))).retryable())
                .isTrue();
        assertThat(failed(workplace.run(attempt(2, "{\"fail_attempts\":2}")))
                        .why()
                        .code())
                .isEqualTo("asked_to_fail");
        assertThat(done(workplace.run(attempt(3, "{\"fail_attempts\":2}")))).isEqualTo("{\"attempt\":3}");
    }

    @Test
    void secret_answers_the_length_of_the_value_only() {
        ExecutionRequest with = secret("{\"ref\":\"secret://db-credentials\"}", Map.of("db-credentials", "pässword"));

        assertThat(done(workplace.run(with))).isEqualTo("{\"length\":8}");
        assertThat(failed(workplace.run(secret("{\"ref\":\"secret://db-credentials\"}", Map.of())))
                        .why()
                        .code())
                .as("the secret of the execution before is gone")
                .isEqualTo("no_secret");
    }

    private static ExecutionRequest attempt(int attempt, String input) {
        ExecutionRequest first = request("demo.fail", input);
        return new ExecutionRequest(
                UUID.randomUUID(),
                1,
                attempt,
                attempt,
                "demo.fail",
                first.input(),
                first.timeout(),
                first.scheduledFor(),
                first.deadline(),
                Map.of(),
                Mask.NONE);
    }

    private static ExecutionRequest secret(String input, Map<String, String> secrets) {
        ExecutionRequest plain = request("demo.secret", input);
        return new ExecutionRequest(
                UUID.randomUUID(),
                1,
                1,
                1,
                "demo.secret",
                plain.input(),
                plain.timeout(),
                plain.scheduledFor(),
                plain.deadline(),
                secrets.entrySet().stream()
                        .collect(java.util.stream.Collectors.toMap(
                                Map.Entry::getKey, secret -> secret.getValue().getBytes(StandardCharsets.UTF_8))),
                Mask.NONE);
    }
}
