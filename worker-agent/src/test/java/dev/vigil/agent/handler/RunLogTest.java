package dev.vigil.agent.handler;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vigil.agent.handler.RunListener.LogStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class RunLogTest {
    private final List<String> heard = new ArrayList<>();
    private final RunListener listener = new RunListener() {
        @Override
        public void log(UUID execution, LogStream stream, byte[] line) {
            heard.add(stream + " " + new String(line, StandardCharsets.UTF_8));
        }
    };

    private RunLog log(String... secrets) {
        List<byte[]> values = List.of(secrets).stream()
                .map(secret -> secret.getBytes(StandardCharsets.UTF_8))
                .toList();
        return new RunLog(UUID.randomUUID(), Mask.of(values), listener);
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    @Test
    void lines_are_cut_per_stream_and_the_last_may_lack_its_line_break() {
        RunLog log = log();
        log.write(LogStream.STDOUT, bytes("one\ntw"));
        log.write(LogStream.STDERR, bytes("bad\r\n"));
        log.write(LogStream.STDOUT, bytes("o\n\nthree"));
        log.close();
        log.close();
        log.write(LogStream.STDOUT, bytes("late\n"));

        assertThat(heard).containsExactly("STDOUT one", "STDERR bad", "STDOUT two", "STDOUT ", "STDOUT three");
        assertThat(log.lastWords()).isEqualTo("bad");
    }

    @Test
    void a_secret_that_reads_or_lines_cut_is_hidden_in_lines_and_last_words() {
        RunLog log = log("top-secret", "line1\nline2");
        log.write(LogStream.STDERR, bytes("it is top-"));
        assertThat(heard).isEmpty();
        log.write(LogStream.STDERR, bytes("secret!\nkey line1\nli"));
        log.write(LogStream.STDERR, bytes("ne2 end\n"));
        log.close();

        assertThat(heard).containsExactly("STDERR it is ***!", "STDERR key *** end");
        assertThat(log.lastWords()).isEqualTo("it is ***!\nkey *** end");
    }

    @Test
    void a_long_line_is_cut_and_no_character_is() {
        RunLog log = log();
        String line = "x".repeat(RunLog.LINE_BYTES_MAX - 1) + "ä€𝄞" + "y";
        log.write(LogStream.STDOUT, bytes(line + "\n"));
        log.close();

        assertThat(heard).hasSize(2);
        assertThat(heard.get(0).substring(7) + heard.get(1).substring(7)).isEqualTo(line);
        assertThat(bytes(heard.get(0)).length - 7).isEqualTo(RunLog.LINE_BYTES_MAX - 1);
    }

    @Test
    void one_line_too_many_is_dropped_and_counted() {
        RunLog log = log();
        log.write(LogStream.STDOUT, bytes("l\n".repeat(RunLog.LINES_MAX)));
        assertThat(heard).hasSize(RunLog.LINES_MAX).doesNotContain("AGENT");
        log.write(LogStream.STDOUT, bytes("one\ntwo\n"));
        log.close();

        assertThat(heard).hasSize(RunLog.LINES_MAX + 2).doesNotContain("STDOUT one");
        assertThat(heard.get(RunLog.LINES_MAX)).startsWith("AGENT the log of an attempt ends at");
        assertThat(heard.getLast()).isEqualTo("AGENT 2 lines, 6 bytes, were dropped");
    }

    @Test
    void one_byte_too_many_is_dropped_and_counted() {
        RunLog log = log();
        String line = "x".repeat(1_023) + "\n";
        int fit = RunLog.BYTES_MAX / 1_023;
        log.write(LogStream.STDOUT, bytes(line.repeat(fit + 1)));
        log.close();

        assertThat(heard).hasSize(fit + 2);
        assertThat(heard.getLast()).isEqualTo("AGENT 1 lines, 1023 bytes, were dropped");
    }
}
