package dev.vigil.audit.log;

import dev.vigil.audit.log.EventKeys.About;
import java.time.Instant;
import java.util.List;
import java.util.UUID;
import java.util.function.IntFunction;
import java.util.stream.IntStream;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/// An event as the directory knows it, without the event itself.
///
/// @param labels  type, action, result
/// @param ids     of the event, its user, task, execution and worker
/// @param subject blind index; null when there is none
public record ListedEvent(
        Instant at,
        List<String> labels,
        List<UUID> ids,
        @Nullable String subject) {
    private static final int STEP = 1_024;

    /// Lists events from that index of the log on, as so many steps of the sequencer do.
    public static void list(DataSource connections, long first, int events, IntFunction<ListedEvent> event) {
        var mentions = new Mentions(connections);
        var ids = new EventIds(connections);
        for (int done = 0; done < events; done += STEP) {
            List<Leaf> leaves = IntStream.range(done, Math.min(events, done + STEP))
                    .mapToObj(n ->
                            new Leaf(new byte[0], new byte[0], event.apply(n).keys(), null))
                    .toList();
            mentions.append(first + done, leaves);
            ids.append(
                    first + done, leaves.stream().map(leaf -> leaf.keys().id()).toList());
        }
    }

    private EventKeys keys() {
        var about = new About(ids.get(1), ids.get(2), ids.get(3), ids.get(4), subject);
        return new EventKeys(ids.getFirst(), at, labels.getFirst(), labels.get(1), labels.getLast(), about);
    }
}
