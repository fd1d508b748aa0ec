package dev.vigil.audit.query;

import dev.vigil.audit.log.EventIds;
import dev.vigil.audit.log.Mention;
import dev.vigil.audit.log.Mentions;
import dev.vigil.audit.log.Mentions.Row;
import dev.vigil.audit.log.Mentions.Wanted;
import dev.vigil.audit.log.Place;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import java.util.stream.Collectors;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.core.simple.JdbcClient;

/// Finds events in the log. What a list asks for are things that its events mention: spans that mention all of them
/// are gone through in the order of the list, until no later one can have an event that belongs on the page.
final class Events {
    /// Where the smallest one of several filters is looked for.
    private static final int SAMPLE = 64;

    private static final int ROWS_FIRST = 8;
    private static final int ROWS_MAX = 512;

    private final Mentions mentions;
    private final EventIds ids;
    private final EarlierEvents earlier;

    /// @param connections plan each statement for its values (`plan_cache_mode=force_custom_plan`), see [EarlierEvents]
    Events(DataSource connections) {
        this.mentions = new Mentions(connections);
        this.ids = new EventIds(connections);
        this.earlier = new EarlierEvents(JdbcClient.create(connections));
    }

    /// Where the event with that id stands.
    Optional<Long> find(UUID id) {
        return ids.find(id).or(() -> earlier.find(id));
    }

    /// A page of places, and one more when there is more.
    List<Place> list(EventFilter filter) {
        var page = new Hits(filter);
        earlier.list(filter).forEach(page::add);
        walk(filter, page);
        return page.places();
    }

    /// The first places of a list, as far as they are found.
    private static final class Hits {
        private final EventFilter filter;
        private final int size;
        private final TreeSet<Place> places;

        Hits(EventFilter filter) {
            this.filter = filter;
            this.size = filter.page().limit() + 1;
            Comparator<Place> inTime = Comparator.naturalOrder();
            this.places = new TreeSet<>(filter.page().newestFirst() ? inTime.reversed() : inTime);
        }

        void add(Place place) {
            if (filter.covers(place)) {
                places.add(place);
                if (places.size() > size) {
                    places.pollLast();
                }
            }
        }

        /// Whether no event of this row, nor of a later one, comes before the last of the page.
        boolean endBefore(Row row) {
            if (places.size() < size) {
                return false;
            }
            long last = places.last().atMicros();
            return filter.page().newestFirst() ? last > row.newest() : last < row.newest() - Mentions.SPAN_MICROS_MAX;
        }

        List<Place> places() {
            return List.copyOf(places);
        }
    }

    private void walk(EventFilter filter, Hits page) {
        List<Wanted> wanted = filter.wanted();
        Wanted leading = wanted.size() == 1 ? wanted.getFirst() : rarest(wanted);
        List<Mention> others = wanted.stream()
                .filter(each -> !each.equals(leading))
                .map(Wanted::mention)
                .toList();
        @Nullable Row after = null;
        for (int limit = others.isEmpty() ? ROWS_FIRST : SAMPLE; ; limit = Math.min(ROWS_MAX, 4 * limit)) {
            List<Row> rows = mentions.list(leading, after, limit);
            List<Map<Long, Set<Place>>> also = others.stream()
                    .map(other -> places(mentions.in(rows, other)))
                    .toList();
            for (Row row : rows) {
                if (page.endBefore(row)) {
                    return;
                }
                row.places().stream()
                        .filter(place -> also.stream()
                                .allMatch(other ->
                                        other.getOrDefault(row.span(), Set.of()).contains(place)))
                        .forEach(page::add);
            }
            if (rows.size() < limit) {
                return;
            }
            after = rows.getLast();
        }
    }

    private static Map<Long, Set<Place>> places(Map<Long, List<Place>> bySpan) {
        return bySpan.entrySet().stream()
                .collect(Collectors.toMap(Map.Entry::getKey, entry -> new HashSet<>(entry.getValue())));
    }

    /// That of which there are the fewest, as far as a few rows of each tell: the list follows it, and looks up the
    /// others.
    private Wanted rarest(List<Wanted> wanted) {
        record Sampled(Wanted wanted, List<Row> rows) {
            // How little of time the rows reach over; the less, the more of them there are.
            long reach() {
                return rows.size() < SAMPLE
                        ? Long.MAX_VALUE - rows.size()
                        : Math.abs(rows.getLast().newest() - rows.getFirst().newest());
            }
        }
        var samples = new ArrayList<Sampled>();
        for (Wanted each : wanted) {
            samples.add(new Sampled(each, mentions.list(each, null, SAMPLE)));
        }
        return samples.stream()
                .max(Comparator.comparingLong(Sampled::reach))
                .map(Sampled::wanted)
                .orElseThrow();
    }
}
