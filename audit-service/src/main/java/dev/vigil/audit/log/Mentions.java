package dev.vigil.audit.log;

import dev.vigil.audit.log.Mention.Kind;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.jdbc.support.SqlArrayValue;

/// The table `audit.mention`: where in the log an event is found by what it mentions. The events of a step are cut into
/// spans, and of each span a row for everything that its events mention has their places. So what half of all events
/// mention costs a few bytes an event, and only what few mention costs a row.
public final class Mentions {
    /// How long a span is at most: an event happened at `newest` or less than that before it.
    public static final long SPAN_MICROS_MAX = 10_000_000;

    private static final int SPAN_EVENTS_MAX = 4096;

    private final JdbcClient db;
    private final DataSource connections;

    /// The mentions, seen through that connection or pool.
    public Mentions(DataSource connections) {
        this.db = JdbcClient.create(connections);
        this.connections = connections;
    }

    /// The places of one span's events.
    ///
    /// @param newest when the last event of the span happened, in microseconds since 1970
    /// @param span   index of its first event
    /// @param places of those that mention something, in order
    public record Row(long newest, long span, List<Place> places) {}

    /// Which rows are asked for.
    ///
    /// @param mention     what their events mention
    /// @param low         no event before this microsecond
    /// @param high        and none after this one
    /// @param newestFirst their order
    public record Wanted(Mention mention, long low, long high, boolean newestFirst) {
        /// The same of another thing.
        public Wanted of(Mention other) {
            return new Wanted(other, low, high, newestFirst);
        }
    }

    private record Found(Mention mention, long newest, Places places) {
        static int inOrder(Found one, Found other) {
            int kind = Integer.compare(
                    one.mention.kind().code(), other.mention.kind().code());
            return kind != 0 ? kind : EventIds.inOrder(one.mention.key(), other.mention.key());
        }
    }

    private record Listed(Place place, EventKeys keys) {}

    /// Lists events; the first has that index in the log.
    void append(long first, List<Leaf> leaves) {
        var listed = new ArrayList<Listed>(leaves.size());
        for (int i = 0; i < leaves.size(); i++) {
            EventKeys keys = leaves.get(i).keys();
            listed.add(new Listed(new Place(Place.micros(keys.at()), first + i), keys));
        }
        listed.sort(Comparator.comparing(Listed::place));
        var labels = new HashMap<String, Mention>();
        var found = new ArrayList<Found>();
        for (int from = 0; from < listed.size(); ) {
            int to = from + 1;
            long until = listed.get(from).place().atMicros() + SPAN_MICROS_MAX;
            while (to < listed.size()
                    && to - from < SPAN_EVENTS_MAX
                    && listed.get(to).place().atMicros() < until) {
                to++;
            }
            found.addAll(span(listed.subList(from, to), labels));
            from = to;
        }
        store(found);
    }

    private static List<Found> span(List<Listed> events, Map<String, Mention> labels) {
        long newest = events.getLast().place().atMicros();
        long span = events.getFirst().place().seq();
        var places = new HashMap<Mention, Places>();
        for (Listed event : events) {
            for (Mention mention : mentions(event.keys(), labels)) {
                places.computeIfAbsent(mention, _ -> new Places(newest, span)).add(event.place());
            }
        }
        var found = new ArrayList<Found>(places.size());
        places.forEach((mention, of) -> found.add(new Found(mention, newest, of)));
        return found;
    }

    private static List<Mention> mentions(EventKeys keys, Map<String, Mention> labels) {
        var mentions = new ArrayList<Mention>(9);
        mentions.add(Mention.EVERY);
        label(mentions, Kind.EVENT_TYPE, keys.eventType(), labels);
        label(mentions, Kind.ACTION, keys.action(), labels);
        label(mentions, Kind.RESULT, keys.result(), labels);
        label(mentions, Kind.SUBJECT, keys.about().subject(), labels);
        id(mentions, Kind.USER, keys.about().user());
        UUID task = keys.about().task();
        if (task != null && task.equals(keys.about().execution())) {
            mentions.add(new Mention(Kind.ONCE, task));
        } else {
            id(mentions, Kind.TASK, task);
            id(mentions, Kind.EXECUTION, keys.about().execution());
        }
        id(mentions, Kind.WORKER, keys.about().worker());
        return mentions;
    }

    private static void label(List<Mention> mentions, Kind kind, @Nullable String text, Map<String, Mention> labels) {
        if (text != null) {
            // Few texts, each in thousands of events.
            mentions.add(labels.computeIfAbsent(kind.code() + text, _ -> Mention.of(kind, text)));
        }
    }

    private static void id(List<Mention> mentions, Kind kind, @Nullable UUID id) {
        if (id != null) {
            mentions.add(new Mention(kind, id));
        }
    }

    private void store(List<Found> found) {
        // In the order of the index: neighbours go to the same page.
        found.sort(Found::inOrder);
        var rows = new CopyRows();
        for (Found row : found) {
            rows.row(5)
                    .bigint(row.newest())
                    .bigint(row.places().span())
                    .uuid(row.mention().key())
                    .smallint(row.mention().kind().code())
                    .bytea(row.places().bytes());
        }
        rows.store(connections, """
                        COPY audit.mention (newest, span, key, kind, places) FROM STDIN (FORMAT binary)
                        """);
    }

    /// The next rows, in the order wanted. With events of up to ten seconds around what is wanted, since a span may
    /// reach over it.
    ///
    /// @param after the row before them; null at the beginning
    public List<Row> list(Wanted wanted, @Nullable Row after, int limit) {
        List<Mention> forms = wanted.mention().forms();
        if (forms.size() == 1) {
            return rows(wanted, after, limit);
        }
        Comparator<Row> inTime = Comparator.comparingLong(Row::newest).thenComparingLong(Row::span);
        var bySpan = new TreeMap<Row, List<Place>>(wanted.newestFirst() ? inTime.reversed() : inTime);
        for (Mention form : forms) {
            for (Row row : rows(wanted.of(form), after, limit)) {
                bySpan.computeIfAbsent(row, _ -> new ArrayList<>()).addAll(row.places());
            }
        }
        // Those beyond the limit may lack what is behind the last row of the other form.
        return bySpan.entrySet().stream()
                .limit(limit)
                .map(span -> new Row(
                        span.getKey().newest(),
                        span.getKey().span(),
                        span.getValue().stream().sorted().toList()))
                .toList();
    }

    private List<Row> rows(Wanted wanted, @Nullable Row after, int limit) {
        return wanted.newestFirst() ? newestFirst(wanted, after, limit) : oldestFirst(wanted, after, limit);
    }

    private List<Row> newestFirst(Wanted wanted, @Nullable Row after, int limit) {
        return db.sql("""
                        SELECT newest, span, places
                          FROM audit.mention
                         WHERE kind = :kind AND key = :key AND newest >= :low AND (newest, span) < (:newest, :span)
                         ORDER BY newest DESC, span DESC
                         LIMIT :limit
                        """)
                .param("kind", wanted.mention().kind().code())
                .param("key", wanted.mention().key())
                .param("low", wanted.low())
                .param("newest", after == null ? wanted.high() + SPAN_MICROS_MAX : after.newest())
                .param("span", after == null ? Long.MAX_VALUE : after.span())
                .param("limit", limit)
                .query((row, number) -> row(row.getLong(1), row.getLong(2), row.getBytes(3)))
                .list();
    }

    private List<Row> oldestFirst(Wanted wanted, @Nullable Row after, int limit) {
        return db.sql("""
                        SELECT newest, span, places
                          FROM audit.mention
                         WHERE kind = :kind AND key = :key AND newest < :high AND (newest, span) > (:newest, :span)
                         ORDER BY newest, span
                         LIMIT :limit
                        """)
                .param("kind", wanted.mention().kind().code())
                .param("key", wanted.mention().key())
                .param("high", wanted.high() + SPAN_MICROS_MAX)
                .param("newest", after == null ? wanted.low() : after.newest())
                .param("span", after == null ? -1 : after.span())
                .param("limit", limit)
                .query((row, number) -> row(row.getLong(1), row.getLong(2), row.getBytes(3)))
                .list();
    }

    /// What else is mentioned in those spans.
    ///
    /// @return its places by the first index of the span
    public Map<Long, List<Place>> in(List<Row> spans, Mention mention) {
        var places = new HashMap<Long, List<Place>>();
        mention.forms().forEach(form -> addIn(spans, form, places));
        return places;
    }

    private void addIn(List<Row> spans, Mention mention, Map<Long, List<Place>> places) {
        db.sql("""
                        SELECT mention.newest, mention.span, mention.places
                          FROM unnest(:newests, :spans) AS wanted (newest, span)
                          JOIN audit.mention AS mention USING (newest, span)
                         WHERE mention.kind = :kind AND mention.key = :key
                        """)
                .param("newests", array(spans.stream().map(Row::newest).toList()))
                .param("spans", array(spans.stream().map(Row::span).toList()))
                .param("kind", mention.kind().code())
                .param("key", mention.key())
                .query(row -> {
                    Row other = row(row.getLong(1), row.getLong(2), row.getBytes(3));
                    places.computeIfAbsent(other.span(), _ -> new ArrayList<>()).addAll(other.places());
                });
    }

    private static SqlArrayValue array(List<Long> values) {
        return new SqlArrayValue("bigint", values.toArray());
    }

    private static Row row(long newest, long span, byte[] places) {
        return new Row(newest, span, Places.read(newest, span, places));
    }
}
