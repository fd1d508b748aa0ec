package dev.vigil.protocol.audit;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/// The table of `docs/reference/events.md` is the list of event types. To write it anew, run this test with
/// `-Dvigil.docs.write=true`.
class EventsPageTest {
    private static final Path PAGE = Path.of("..", "docs", "reference", "events.md");
    private static final String BEGIN = "<!-- events: written by EventsPageTest -->\n";

    @Test
    void the_page_has_every_event_type() throws IOException {
        String rows = Arrays.stream(EventType.values())
                .map(type -> "| `%s` | %s |".formatted(type.label(), type.meaning()))
                .collect(Collectors.joining("\n", "| event_type | what it tells |\n|---|---|\n", "\n"));
        String page = Files.readString(PAGE);
        int from = page.indexOf(BEGIN) + BEGIN.length();
        int to = page.indexOf("<!-- end of events -->");
        if (Boolean.getBoolean("vigil.docs.write")) {
            Files.writeString(PAGE, page.substring(0, from) + rows + page.substring(to));
        }

        assertThat(Files.readString(PAGE).substring(from))
                .as("the table of docs/reference/events.md; write it anew with -Dvigil.docs.write=true")
                .startsWith(rows + "<!-- end of events -->");
    }
}
