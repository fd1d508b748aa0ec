package dev.vigil.agent.handler;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vigil.agent.handler.HandlerLine.Done;
import dev.vigil.agent.handler.HandlerLine.Fail;
import dev.vigil.agent.handler.HandlerLine.Hello;
import dev.vigil.agent.handler.HandlerLine.Malformed;
import dev.vigil.agent.handler.HandlerLine.Progress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class HandlerLineTest {
    private static HandlerLine parse(String line) {
        return HandlerLine.parse(line.getBytes(StandardCharsets.UTF_8));
    }

    @Test
    void each_kind_of_line_is_read() {
        assertThat(parse("{\"hello\":1,\"handlers\":[\"a\",\"b\"]}")).isEqualTo(new Hello(List.of("a", "b")));
        assertThat(parse("{\"run\":\"exe_1\",\"progress\":0.4,\"message\":\"half\"}"))
                .isEqualTo(new Progress("exe_1", 0.4, "half"));
        assertThat(parse("{\"progress\":1}")).isEqualTo(new Progress(null, 1, ""));
        assertThat(parse("{\"run\":\"exe_1\",\"fail\":{\"code\":\"smtp_451\",\"detail\":\"d\",\"retryable\":true,"
                        + "\"after_ms\":60000}}"))
                .isEqualTo(new Fail(
                        "exe_1", new Outcome.Failure("smtp_451", "d"), true, Optional.of(Duration.ofMinutes(1))));
        assertThat(parse("{\"fail\":{}}"))
                .isEqualTo(new Fail(null, new Outcome.Failure("failed", ""), false, Optional.empty()));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{}",
                "null",
                "true",
                "\"text\"",
                "-1.50e+400",
                "12345678901234567890123456789",
                "[1, 2,\t{\"a\" : [ ]}]",
                "{ \"done\": {\"run\":\"x\"}, \"b\":\"\\ud83d\\ude00 é\" }"
            })
    void the_output_is_kept_byte_for_byte(String output) {
        var line = (Done) parse("{\"run\":\"exe_1\", \"done\" : " + output + " , \"unknown\": [1]}");

        assertThat(new String(line.output(), StandardCharsets.UTF_8)).isEqualTo(output);
        assertThat(line.run()).isEqualTo("exe_1");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "x",
                "1",
                "[]",
                "{}",
                "{\"done\":1} x",
                "{\"done\":1}{}",
                "{\"done\":1,\"done\":2}",
                "{\"done\":1,\"fail\":{}}",
                "{\"done\":",
                "{\"done\":{\"a\":1,\"a\":2}}",
                "{\"done\":\"\\q\"}",
                "{\"done\":01}",
                "{\"run\":1,\"done\":1}",
                "{\"hello\":2}",
                "{\"hello\":\"1\"}",
                "{\"hello\":1,\"handlers\":\"a\"}",
                "{\"progress\":1.1}",
                "{\"progress\":-0.1}",
                "{\"progress\":\"half\"}",
                "{\"progress\":0,\"message\":1}",
                "{\"fail\":\"no\"}",
                "{\"fail\":{\"code\":\"With Blank\"}}",
                "{\"fail\":{\"code\":\"\"}}",
                "{\"fail\":{\"retryable\":\"yes\"}}",
                "{\"fail\":{\"after_ms\":-1}}",
                "{\"fail\":{\"after_ms\":1.5}}",
                "{\"fail\":{\"after_ms\":99999999999999999999}}"
            })
    void whatever_does_not_fit_is_malformed_and_no_exception(String line) {
        assertThat(parse(line)).isInstanceOf(Malformed.class);
    }

    @Test
    void nesting_and_bytes_that_are_no_text_are_malformed() {
        assertThat(parse("{\"done\":" + "[".repeat(100) + "]".repeat(100) + "}"))
                .isInstanceOf(Malformed.class);
        assertThat(parse("{\"done\":" + "[".repeat(60) + "]".repeat(60) + "}")).isInstanceOf(Done.class);
        assertThat(HandlerLine.parse(new byte[] {'{', '"', 'd', 'o', 'n', 'e', '"', ':', '"', (byte) 0xff, '"', '}'}))
                .isInstanceOf(Malformed.class);
    }

    @Test
    void long_messages_and_details_are_cut_and_never_inside_a_character() {
        String emoji = "😀";

        var progress = (Progress) parse("{\"progress\":0,\"message\":\"" + "x".repeat(999) + emoji + "\"}");
        var fail = (Fail) parse("{\"fail\":{\"detail\":\"" + "x".repeat(5000) + "\"}}");

        assertThat(progress.message()).isEqualTo("x".repeat(999));
        assertThat(fail.why().detail()).hasSize(4096);
    }
}
