package dev.vigil.audit.query;

import dev.vigil.audit.log.Mention;
import dev.vigil.audit.log.Mentions.Wanted;
import dev.vigil.audit.log.Place;
import dev.vigil.edge.Code;
import dev.vigil.edge.Problem;
import dev.vigil.edge.Problem.FieldError;
import dev.vigil.edge.RefusedException;
import dev.vigil.protocol.audit.EventType;
import dev.vigil.protocol.audit.Result;
import dev.vigil.protocol.id.Id;
import dev.vigil.protocol.id.Kind;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.UUID;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/// Which events are asked for, and how many. A part that is null does not restrict.
///
/// @param from      happened at or after it
/// @param to        happened before it
/// @param eventType its type
/// @param action    its action
/// @param result    how it ended
/// @param about     whom and what it is about
/// @param page      how much of the list
record EventFilter(
        @Nullable Instant from,
        @Nullable Instant to,
        @Nullable String eventType,
        @Nullable String action,
        @Nullable String result,
        About about,
        Page page) {
    private static final int LIMIT_DEFAULT = 50;
    private static final int LIMIT_MAX = 200;
    private static final int LABEL_LENGTH_MAX = 200;
    private static final Pattern SUBJECT_INDEX = Pattern.compile("[0-9a-f]{32}");
    private static final Set<String> NEWEST_FIRST = Set.of("-timestamp", "-created_at", "-seq");
    private static final Set<String> OLDEST_FIRST = Set.of("timestamp", "created_at", "seq");
    private static final Set<String> FILTERS = Set.of(
            "from",
            "to",
            "event_type",
            "actor",
            "user_id",
            "task_id",
            "execution_id",
            "worker_id",
            "subject",
            "result",
            "action");
    private static final Set<String> PAGING = Set.of("limit", "after", "sort");

    /// Whom and what an event is about.
    record About(
            @Nullable UUID user,
            @Nullable UUID task,
            @Nullable UUID execution,
            @Nullable UUID worker,
            @Nullable String subject) {}

    /// How much of the list.
    ///
    /// @param limit       the most items
    /// @param after       the item before them; null at the beginning
    /// @param newestFirst the order
    /// @param list        names filters and order, for cursors
    record Page(int limit, @Nullable Place after, boolean newestFirst, String list) {}

    private static final long LATEST_MICROS = Place.micros(Instant.parse("9999-12-31T23:59:59Z"));

    /// What events of the list mention: each of these.
    List<Wanted> wanted() {
        var mentions = new ArrayList<Mention>();
        label(mentions, Mention.Kind.EVENT_TYPE, eventType);
        label(mentions, Mention.Kind.ACTION, action);
        label(mentions, Mention.Kind.RESULT, result);
        label(mentions, Mention.Kind.SUBJECT, about.subject());
        id(mentions, Mention.Kind.USER, about.user());
        id(mentions, Mention.Kind.TASK, about.task());
        id(mentions, Mention.Kind.EXECUTION, about.execution());
        id(mentions, Mention.Kind.WORKER, about.worker());
        if (mentions.isEmpty()) {
            mentions.add(Mention.EVERY);
        }
        long low = from == null ? 0 : Place.micros(from);
        long high = to == null ? LATEST_MICROS : Place.micros(to);
        Place after = page.after();
        if (after != null) {
            low = page.newestFirst() ? low : Math.max(low, after.atMicros());
            high = page.newestFirst() ? Math.min(high, after.atMicros()) : high;
        }
        var wanted = new ArrayList<Wanted>();
        for (Mention mention : mentions) {
            wanted.add(new Wanted(mention, low, high, page.newestFirst()));
        }
        return wanted;
    }

    private static void label(List<Mention> mentions, Mention.Kind kind, @Nullable String text) {
        if (text != null) {
            mentions.add(Mention.of(kind, text));
        }
    }

    private static void id(List<Mention> mentions, Mention.Kind kind, @Nullable UUID id) {
        if (id != null) {
            mentions.add(new Mention(kind, id));
        }
    }

    /// Whether a place lies in the times asked for, and behind the item that the page follows.
    boolean covers(Place place) {
        Place after = page.after();
        return (from == null || place.atMicros() >= Place.micros(from))
                && (to == null || place.atMicros() < Place.micros(to))
                && (after == null || (page.newestFirst() ? place.compareTo(after) < 0 : place.compareTo(after) > 0));
    }

    /// Reads a query string. Unknown parameters are refused: a filter that is mistyped must not answer with everything.
    ///
    /// @throws RefusedException 400 or 422
    static EventFilter parse(Map<String, String[]> parameters, Cursors cursors) {
        var given = new TreeMap<String, String>();
        for (var parameter : parameters.entrySet()) {
            String name = parameter.getKey();
            if (!FILTERS.contains(name) && !PAGING.contains(name)) {
                String known = String.join(", ", new TreeSet<>(FILTERS));
                throw new RefusedException(
                        Code.UNKNOWN_PARAMETER, "A query parameter is unknown; use " + known + ", limit, after, sort.");
            }
            if (parameter.getValue().length != 1) {
                throw new RefusedException(Code.MALFORMED_REQUEST, name + " is given more than once.");
            }
            given.put(name, parameter.getValue()[0]);
        }
        return read(given, cursors);
    }

    /// The names of the filters that restrict, for the record of the read.
    static String names(Map<String, String[]> parameters) {
        return parameters.keySet().stream().filter(FILTERS::contains).sorted().collect(Collectors.joining(","));
    }

    private static EventFilter read(Map<String, String> given, Cursors cursors) {
        String user = given.containsKey("actor") ? "actor" : "user_id";
        var about = new About(
                id(given, user, Kind.USER),
                id(given, "task_id", Kind.TASK),
                id(given, "execution_id", Kind.EXECUTION),
                id(given, "worker_id", Kind.WORKER),
                subject(given));
        List<String> types =
                Arrays.stream(EventType.values()).map(EventType::label).toList();
        List<String> results = Arrays.stream(Result.values()).map(Result::label).toList();
        return new EventFilter(
                instant(given, "from"),
                instant(given, "to"),
                oneOf(given, "event_type", types),
                label(given, "action"),
                oneOf(given, "result", results),
                about,
                page(given, cursors));
    }

    private static Page page(Map<String, String> given, Cursors cursors) {
        String limit = given.getOrDefault("limit", Integer.toString(LIMIT_DEFAULT));
        int items = limit.matches("[0-9]{1,4}") ? Integer.parseInt(limit) : 0;
        if (items < 1 || items > LIMIT_MAX) {
            throw invalid("limit", "range", "is outside the range; use 1 to " + LIMIT_MAX);
        }
        String sort = given.getOrDefault("sort", "-timestamp");
        boolean newestFirst = NEWEST_FIRST.contains(sort);
        if (!newestFirst && !OLDEST_FIRST.contains(sort)) {
            throw new RefusedException(Code.BAD_SORT, "Use sort=-timestamp (newest first) or sort=timestamp.");
        }
        String list = newestFirst + " "
                + given.entrySet().stream()
                        .filter(filter -> FILTERS.contains(filter.getKey()))
                        .map(filter -> filter.getKey() + "=" + filter.getValue())
                        .collect(Collectors.joining("\n"));
        Optional<Place> after = Optional.ofNullable(given.get("after"))
                .map(cursor -> cursors.read(cursor, list)
                        .orElseThrow(() -> new RefusedException(
                                Code.BAD_CURSOR,
                                "The cursor is not one of this list with these filters; start without after.")));
        return new Page(items, after.orElse(null), newestFirst, list);
    }

    private static @Nullable UUID id(Map<String, String> given, String name, Kind kind) {
        String text = given.get(name);
        return text == null
                ? null
                : Id.parse(kind, text)
                        .map(Id::uuid)
                        .orElseThrow(() -> invalid(
                                name, "id", "is no id of that kind; use " + kind.prefix() + "_ and 26 characters"));
    }

    /// Events name subjects by a keyed index that only the API can compute. A name would match nothing, which reads
    /// as if there were nothing about that person.
    private static @Nullable String subject(Map<String, String> given) {
        String text = given.get("subject");
        if (text != null && !SUBJECT_INDEX.matcher(text).matches()) {
            throw invalid(
                    "subject",
                    "format",
                    "is no blind index (32 hexadecimal digits); to ask by name, ask the API, which knows the index");
        }
        return text;
    }

    private static @Nullable Instant instant(Map<String, String> given, String name) {
        String text = given.get(name);
        if (text == null) {
            return null;
        }
        try {
            Instant instant = OffsetDateTime.parse(text).toInstant();
            if (instant.isBefore(Instant.EPOCH) || instant.isAfter(Instant.parse("9999-12-31T23:59:59Z"))) {
                throw invalid(name, "range", "is outside the range; use a time between 1970 and 9999");
            }
            return instant;
        } catch (DateTimeException e) {
            throw invalid(name, "time", "is no time; use RFC 3339 such as 2026-11-21T10:00:00Z");
        }
    }

    private static @Nullable String oneOf(Map<String, String> given, String name, List<String> allowed) {
        String text = given.get(name);
        if (text != null && !allowed.contains(text)) {
            throw invalid(name, "unknown", "is none of " + String.join(", ", allowed));
        }
        return text;
    }

    private static @Nullable String label(Map<String, String> given, String name) {
        String text = given.get(name);
        if (text != null && (text.isEmpty() || text.length() > LABEL_LENGTH_MAX || text.indexOf('\0') >= 0)) {
            throw invalid(
                    name, "length", "is empty, too long or holds a NUL; use 1 to " + LABEL_LENGTH_MAX + " characters");
        }
        return text;
    }

    private static RefusedException invalid(String name, String code, String detail) {
        return new RefusedException(Problem.invalid(new FieldError(name, code, detail)));
    }
}
