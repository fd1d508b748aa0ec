package dev.vigil.agent.handler;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.ReadableByteChannel;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class LinesTest {
    private static final int MAX = 100_000;

    /// Hands out its content in pieces of odd sizes.
    private static ReadableByteChannel pieces(String text, Random sizes) {
        ReadableByteChannel all = Channels.newChannel(new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8)));
        return new ReadableByteChannel() {
            @Override
            public int read(ByteBuffer target) throws IOException {
                int limit = target.limit();
                target.limit(Math.min(limit, target.position() + 1 + sizes.nextInt(5000)));
                int read = all.read(target);
                target.limit(limit);
                return read;
            }

            @Override
            public boolean isOpen() {
                return all.isOpen();
            }

            @Override
            public void close() throws IOException {
                all.close();
            }
        };
    }

    private static List<String> all(Lines lines) throws IOException {
        var all = new ArrayList<String>();
        for (byte[] line = lines.next(); line != null; line = lines.next()) {
            all.add(new String(line, StandardCharsets.UTF_8));
        }
        return all;
    }

    @Test
    void lines_are_cut_whatever_pieces_they_come_in() throws IOException {
        for (int seed = 0; seed < 50; seed++) {
            var random = new Random(seed);
            var expected = new ArrayList<String>();
            for (int i = 0; i < 20; i++) {
                expected.add("é".repeat(random.nextInt(i % 5 == 0 ? MAX / 2 : 100)));
            }
            String text = String.join("\n", expected) + "\n";

            assertThat(all(new Lines(pieces(text, random), MAX)))
                    .as("seed %d", seed)
                    .isEqualTo(expected);
        }
    }

    @Test
    void the_last_line_may_lack_its_line_feed() throws IOException {
        assertThat(all(new Lines(pieces("a\n\nb", new Random(1)), MAX))).containsExactly("a", "", "b");
        assertThat(all(new Lines(pieces("", new Random(1)), MAX))).isEmpty();
    }

    @Test
    void a_line_of_the_greatest_length_passes_and_a_longer_one_does_not() throws IOException {
        String longest = "x".repeat(MAX);

        assertThat(all(new Lines(pieces(longest + "\n", new Random(1)), MAX))).containsExactly(longest);
        assertThatThrownBy(() -> all(new Lines(pieces(longest + "xx\n", new Random(1)), MAX)))
                .isInstanceOf(Lines.TooLongException.class);
    }
}
