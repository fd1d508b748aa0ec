package dev.vigil.api.web;

import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// The members of a JSON object, taken one by one by the code that knows them. What is wrong is collected, so that a
/// client learns about all of it at once; what was never asked for is unknown and refused by [#finish].
///
/// A getter of a required member that is absent or impossible notes the fault and returns a placeholder; nothing may
/// act on the values before [#finish] has returned.
public final class Fields {
    private static final int YEAR_MAX = 9999;

    private final String pointer;
    private final Map<String, @Nullable Object> members;
    private final Set<String> known = new HashSet<>();
    private final List<Fields> children = new ArrayList<>();
    private final List<FieldError> errors;
    private final byte @Nullable [] raw;

    private Fields(
            String pointer, Map<String, @Nullable Object> members, List<FieldError> errors, byte @Nullable [] raw) {
        this.pointer = pointer;
        this.members = members;
        this.errors = errors;
        this.raw = raw;
    }

    /// The members of a body.
    ///
    /// @param rawMember the member that [#raw] returns as text, as received; empty for none
    /// @throws ProblemException 400 when the body is not one strict JSON object
    public static Fields of(byte[] body, String rawMember) {
        StrictJson.Body parsed = StrictJson.read(body, rawMember);
        return new Fields("", parsed.members(), new ArrayList<>(), parsed.raw());
    }

    /// These members as a merge patch (RFC 7396) of an object: null removes a member, objects are merged, everything
    /// else replaces. The raw member stays apart.
    public Fields over(Map<String, ?> current) {
        return new Fields(pointer, merge(current, members), new ArrayList<>(), raw);
    }

    private static Map<String, @Nullable Object> merge(Map<?, ?> current, Map<?, ?> patch) {
        Map<String, @Nullable Object> merged = new LinkedHashMap<>();
        current.forEach((name, value) -> {
            if (value != null && !(patch.containsKey(name) && patch.get(name) == null)) {
                // As it would be read from a body.
                merged.put(
                        String.valueOf(name),
                        switch (value) {
                            case Integer number -> Long.valueOf(number);
                            case Map<?, ?> inner -> merge(inner, Map.of());
                            default -> value;
                        });
            }
        });
        patch.forEach((name, value) -> {
            if (value instanceof Map<?, ?> inner) {
                merged.put(
                        String.valueOf(name),
                        merge(current.get(name) instanceof Map<?, ?> known ? known : Map.of(), inner));
            } else if (value != null) {
                merged.put(String.valueOf(name), value);
            }
        });
        return merged;
    }

    /// The raw member's JSON text as received; empty when it is absent.
    public Optional<byte[]> raw() {
        return Optional.ofNullable(raw);
    }

    /// Whether a member is given and not null.
    public boolean has(String name) {
        return members.get(name) != null;
    }

    /// Whether a member is exactly this text.
    public boolean isText(String name, String expected) {
        return expected.equals(take(name));
    }

    /// Notes that a member is impossible.
    public void refuse(String name, String code, String detail, @Nullable String hint) {
        known.add(name);
        errors.add(new FieldError(pointer + "/" + escape(name), code, detail, hint));
    }

    /// A text of 1 to `max` characters; required.
    public String text(String name, int max) {
        return optionalText(name, max).orElseGet(() -> missing(name, ""));
    }

    /// A text of 1 to `max` characters, if given.
    public Optional<String> optionalText(String name, int max) {
        Object value = take(name);
        if (value == null) {
            return Optional.empty();
        }
        if (!(value instanceof String text)) {
            return wrongType(name, "a text");
        }
        if (text.isBlank() || text.length() > max) {
            refuse(name, "length", "has " + text.length() + " characters; use 1 to " + max, null);
            return Optional.of("-");
        }
        if (hasLoneSurrogate(text)) {
            refuse(name, "encoding", "holds half a character (a lone surrogate)", "send complete Unicode characters");
            return Optional.of("-");
        }
        return Optional.of(text);
    }

    /// One of the names of an enum in lower case, if given.
    public <E extends Enum<E>> Optional<E> oneOf(String name, Class<E> type) {
        Object value = take(name);
        if (value == null) {
            return Optional.empty();
        }
        List<String> names = Arrays.stream(type.getEnumConstants())
                .map(constant -> constant.name().toLowerCase(Locale.ROOT))
                .toList();
        if (!(value instanceof String text) || !names.contains(text)) {
            refuse(name, "not_in_list", "is none of the possible values", "use one of " + String.join(", ", names));
            return Optional.empty();
        }
        return Optional.of(type.getEnumConstants()[names.indexOf(text)]);
    }

    /// An ISO 8601 duration such as `PT15M`, if given.
    public Optional<Duration> duration(String name) {
        Object value = take(name);
        if (value == null) {
            return Optional.empty();
        }
        try {
            if (value instanceof String text) {
                return Optional.of(Duration.parse(text));
            }
        } catch (DateTimeException | ArithmeticException e) {
            // Falls through to the one message.
        }
        refuse(name, "duration", "is not an ISO 8601 duration", "write it like PT30S, PT15M or P1D");
        return Optional.empty();
    }

    /// A span of time as a whole number of seconds, which is how OAuth writes it, or as an ISO 8601 duration, if given.
    public Optional<Duration> seconds(String name) {
        return take(name) instanceof Long seconds ? Optional.of(Duration.ofSeconds(seconds)) : duration(name);
    }

    /// An RFC 3339 time with offset, if given.
    public Optional<Instant> instant(String name) {
        Object value = take(name);
        if (value == null) {
            return Optional.empty();
        }
        Optional<Instant> time = value instanceof String text ? time(text) : Optional.empty();
        if (time.isEmpty()) {
            refuse(name, "time", "is not an RFC 3339 time", "write it like 2027-01-31T09:00:00Z");
        }
        return time;
    }

    /// An RFC 3339 time with offset. Its years have four digits, which keeps it within what can be reckoned with and
    /// stored.
    public static Optional<Instant> time(String text) {
        try {
            OffsetDateTime time = OffsetDateTime.parse(text);
            return time.getYear() < 0 || time.getYear() > YEAR_MAX ? Optional.empty() : Optional.of(time.toInstant());
        } catch (DateTimeException e) {
            return Optional.empty();
        }
    }

    /// A whole number between two bounds, both included, if given.
    public Optional<Integer> integer(String name, int min, int max) {
        Object value = take(name);
        if (value == null) {
            return Optional.empty();
        }
        if (!(value instanceof Long number)) {
            return wrongType(name, "a whole number");
        }
        if (number < min || number > max) {
            refuse(name, "range", "is outside the range", "use " + min + " to " + max);
            return Optional.empty();
        }
        return Optional.of(number.intValue());
    }

    /// The same for numbers beyond 32 bits.
    public Optional<Long> wholeNumber(String name, long min, long max) {
        Object value = take(name);
        if (value == null) {
            return Optional.empty();
        }
        if (!(value instanceof Long number)) {
            return wrongType(name, "a whole number");
        }
        if (number < min || number > max) {
            refuse(name, "range", "is outside the range", "use " + min + " to " + max);
            return Optional.empty();
        }
        return Optional.of(number);
    }

    /// True or false, if given.
    public Optional<Boolean> bool(String name) {
        Object value = take(name);
        if (value == null) {
            return Optional.empty();
        }
        return value instanceof Boolean truth ? Optional.of(truth) : wrongType(name, "true or false");
    }

    /// A list of at most `max` texts, if given.
    public Optional<List<String>> texts(String name, int max) {
        Object value = take(name);
        if (value == null) {
            return Optional.empty();
        }
        if (!(value instanceof List<?> list)) {
            return wrongType(name, "a list of texts");
        }
        var texts = new ArrayList<String>();
        for (Object item : list) {
            if (!(item instanceof String text) || text.isEmpty() || text.length() > 200 || hasLoneSurrogate(text)) {
                return wrongType(name, "a list of texts of 1 to 200 characters");
            }
            texts.add(text);
        }
        if (texts.size() > max) {
            refuse(name, "length", "has " + texts.size() + " items; use at most " + max, null);
        }
        return Optional.of(texts);
    }

    /// An object of at most `max` texts by name, if given.
    public Map<String, String> textMap(String name, int max) {
        Object value = take(name);
        if (value == null) {
            return Map.of();
        }
        var texts = new LinkedHashMap<String, String>();
        if (!(value instanceof Map<?, ?> map)) {
            wrongType(name, "an object of texts");
            return texts;
        }
        for (var entry : map.entrySet()) {
            String key = String.valueOf(entry.getKey());
            if (!(entry.getValue() instanceof String text)
                    || key.isEmpty()
                    || key.length() > 63
                    || text.length() > 200
                    || hasLoneSurrogate(key)
                    || hasLoneSurrogate(text)) {
                refuse(name, "type", "has a member that is not a text of at most 200 characters", "names have 1 to 63");
                return texts;
            }
            texts.put(key, text);
        }
        if (texts.size() > max) {
            refuse(name, "length", "has " + texts.size() + " members; use at most " + max, null);
        }
        return texts;
    }

    /// An object inside this one, if given.
    public Optional<Fields> object(String name) {
        Object value = take(name);
        if (value == null) {
            return Optional.empty();
        }
        if (!(value instanceof Map<?, ?> map)) {
            return wrongType(name, "an object");
        }
        Map<String, @Nullable Object> inner = new LinkedHashMap<>();
        map.forEach((key, item) -> inner.put(String.valueOf(key), item));
        var child = new Fields(pointer + "/" + escape(name), inner, errors, null);
        children.add(child);
        return Optional.of(child);
    }

    /// A list of at most `max` objects; required.
    public List<Fields> objects(String name, int max) {
        Object value = take(name);
        if (value == null) {
            return missing(name, List.of());
        }
        if (!(value instanceof List<?> list)) {
            wrongType(name, "a list of objects");
            return List.of();
        }
        if (list.size() > max) {
            refuse(name, "length", "has " + list.size() + " items; use at most " + max, null);
            return List.of();
        }
        var objects = new ArrayList<Fields>();
        for (Object item : list) {
            if (!(item instanceof Map<?, ?> map)) {
                wrongType(name, "a list of objects");
                return List.of();
            }
            Map<String, @Nullable Object> inner = new LinkedHashMap<>();
            map.forEach((key, content) -> inner.put(String.valueOf(key), content));
            objects.add(new Fields(pointer + "/" + escape(name) + "/" + objects.size(), inner, errors, null));
        }
        children.addAll(objects);
        return objects;
    }

    /// Notes that a required member is absent.
    ///
    /// @return the placeholder
    public <T> T missing(String name, T placeholder) {
        if (!has(name)) {
            refuse(name, "required", "is required", null);
        }
        return placeholder;
    }

    /// Takes every member as known, when what it would be checked against is itself unknown.
    public void knowAll() {
        known.addAll(members.keySet());
    }

    /// Ends the reading.
    ///
    /// @throws ProblemException 400 for members that nobody asked for, else 422 for those that are impossible
    public void finish() {
        var unknown = new ArrayList<FieldError>();
        collectUnknown(unknown);
        if (!unknown.isEmpty()) {
            throw new ProblemException(new Problem(
                    Code.UNKNOWN_FIELD, "The body has members that this call does not know.", unknown, Map.of()));
        }
        if (!errors.isEmpty()) {
            throw new ProblemException(Problem.invalid(errors));
        }
    }

    private void collectUnknown(List<FieldError> into) {
        for (String name : members.keySet()) {
            if (!known.contains(name)) {
                // The name itself came from the client, so it is shown only as far as it looks like a field.
                String shown = name.matches("[A-Za-z0-9_.-]{1,64}") ? name : "?";
                into.add(new FieldError(pointer + "/" + shown, "unknown_field", "is not known here", hint(name)));
            }
        }
        children.forEach(child -> child.collectUnknown(into));
    }

    private @Nullable String hint(String name) {
        List<String> absent = known.stream()
                .filter(candidate -> !members.containsKey(candidate))
                .toList();
        return Nearest.of(name, absent)
                .map(nearest -> "did you mean " + nearest + "?")
                .orElse(null);
    }

    private @Nullable Object take(String name) {
        known.add(name);
        return members.get(name);
    }

    private <T> Optional<T> wrongType(String name, String expected) {
        refuse(name, "type", "is not " + expected, null);
        return Optional.empty();
    }

    private static boolean hasLoneSurrogate(String text) {
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (Character.isHighSurrogate(c) && i + 1 < text.length() && Character.isLowSurrogate(text.charAt(i + 1))) {
                i++;
            } else if (Character.isSurrogate(c)) {
                return true;
            }
        }
        return false;
    }

    private static String escape(String name) {
        return name.replace("~", "~0").replace("/", "~1");
    }
}
