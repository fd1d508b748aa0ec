package dev.vigil.agent.handler;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class MaskTest {
    private static Mask mask(String... values) {
        return Mask.of(List.of(values).stream()
                .map(value -> value.getBytes(StandardCharsets.UTF_8))
                .toList());
    }

    @Test
    void each_occurrence_of_each_value_becomes_stars_and_nothing_else_changes() {
        Mask mask = mask("s3cret", "päss");

        assertThat(mask.text("a s3cret, a päss and s3cre")).isEqualTo("a ***, a *** and s3cre");
        assertThat(mask.text("s3crets3cret")).as("one run of stars").isEqualTo("***");
        assertThat(mask.text("s3cs3cret")).isEqualTo("s3c***");
        assertThat(mask.text("")).isEmpty();
    }

    @Test
    void values_that_overlap_or_contain_each_other_are_hidden_whole() {
        assertThat(mask("abcd", "cdef").text("xabcdefx")).isEqualTo("x***x");
        assertThat(mask("b", "abc").text("abc b ab")).isEqualTo("*** *** a***");
        assertThat(mask("aa").text("aaaaa b a")).isEqualTo("*** b a");
    }

    @Test
    void a_value_with_line_breaks_is_hidden_and_its_own_last_line_break_is_not_needed() {
        assertThat(mask("-----BEGIN\nKEY\n-----END\n").text("x -----BEGIN\nKEY\n-----END y"))
                .isEqualTo("x *** y");
    }

    @Test
    void an_empty_value_hides_nothing_and_no_values_cost_nothing() {
        assertThat(mask("", "\n").text("a\nb")).isEqualTo("a\nb");
        assertThat(Mask.of(List.of())).isSameAs(Mask.NONE);
        assertThat(mask("hidden").toString()).doesNotContain("hidden");
    }

    @Test
    void however_the_text_is_cut_the_same_is_shown_and_no_piece_ever_shows_the_beginning_of_a_value() {
        var chance = new Random(7);
        Mask mask = mask("abab", "bb", "cabbage");
        for (int round = 0; round < 2_000; round++) {
            var text = new StringBuilder();
            for (int i = chance.nextInt(40); i > 0; i--) {
                text.append("abcge".charAt(chance.nextInt(5)));
            }
            byte[] bytes = text.toString().getBytes(StandardCharsets.UTF_8);
            var shown = new ByteArrayOutputStream();
            Mask.Cover cover = mask.cover();
            int from = 0;
            while (from < bytes.length) {
                int to = Math.min(bytes.length, from + 1 + chance.nextInt(5));
                shown.writeBytes(cover.over(java.util.Arrays.copyOfRange(bytes, from, to)));
                from = to;
                assertThat(shown.toString(StandardCharsets.UTF_8)).doesNotContain("abab", "bb");
            }
            shown.writeBytes(cover.rest());

            assertThat(shown.toString(StandardCharsets.UTF_8))
                    .isEqualTo(slowly(text.toString(), "abab", "bb", "cabbage"));
        }
    }

    private static String slowly(String text, String... values) {
        var hidden = new boolean[text.length()];
        for (String value : values) {
            for (int at = text.indexOf(value); at >= 0; at = text.indexOf(value, at + 1)) {
                java.util.Arrays.fill(hidden, at, at + value.length(), true);
            }
        }
        var out = new StringBuilder();
        for (int i = 0; i < hidden.length; i++) {
            if (!hidden[i]) {
                out.append(text.charAt(i));
            } else if (i == 0 || !hidden[i - 1]) {
                out.append("***");
            }
        }
        return out.toString();
    }
}
