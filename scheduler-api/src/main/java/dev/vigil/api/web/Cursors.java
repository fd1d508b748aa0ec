package dev.vigil.api.web;

import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.function.Function;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/// Positions in lists, opaque to clients and useless once changed: the id of the last item and an HMAC over it and the
/// list it belongs to.
public final class Cursors {
    private static final int LIMIT_DEFAULT = 50;
    private static final int LIMIT_MAX = 200;
    private static final int MAC_LENGTH = 16;
    private static final String NEWEST_FIRST = "-created_at";

    private final Mac mac;

    /// An HMAC under a key of the vault.
    @FunctionalInterface
    public interface Mac {
        byte[] of(String purpose, byte[] data);
    }

    public Cursors(Mac mac) {
        this.mac = mac;
    }

    /// The parameter `limit`, 50 when absent.
    public static int limit(Call call) {
        String text = call.query("limit").orElse(Integer.toString(LIMIT_DEFAULT));
        int limit = text.matches("[0-9]{1,4}") ? Integer.parseInt(text) : 0;
        if (limit < 1 || limit > LIMIT_MAX) {
            throw new ProblemException(Problem.invalid(
                    List.of(new FieldError("limit", "range", "is outside the range", "use 1 to " + LIMIT_MAX))));
        }
        return limit;
    }

    /// Whether the parameter `sort` asks for the oldest first. Ids grow with the time they were made at, and only by
    /// them a page is found without reading the ones before it.
    public static boolean ascending(Call call) {
        return switch (call.query("sort").orElse(NEWEST_FIRST)) {
            case NEWEST_FIRST -> false;
            case "created_at" -> true;
            default ->
                throw new ProblemException(
                        Code.BAD_SORT,
                        "This list is sorted by creation only; use sort=-created_at or sort=created_at.");
        };
    }

    /// The position named by the parameter `after`, in a list that has one order.
    ///
    /// @param list as for [#after]
    public @Nullable UUID afterNewest(Call call, String list) {
        if (!call.query("sort").orElse(NEWEST_FIRST).equals(NEWEST_FIRST)) {
            throw new ProblemException(
                    Code.BAD_SORT, "This list has the newest first and no other order; use sort=-created_at.");
        }
        return after(call, list);
    }

    /// The position named by the parameter `after`.
    ///
    /// @param list name of the list with its filters: a cursor of another one is refused
    /// @return null at the beginning
    public @Nullable UUID after(Call call, String list) {
        String text = call.query("after").orElse(null);
        if (text == null) {
            return null;
        }
        byte[] bytes;
        try {
            bytes = Base64.getUrlDecoder().decode(text);
        } catch (IllegalArgumentException e) {
            throw unusable();
        }
        // Written again and compared: the last character has bits that a decoder passes over.
        if (bytes.length != 16 + MAC_LENGTH
                || !encode(bytes).equals(text)
                || !MessageDigest.isEqual(bytes, sign(list, Arrays.copyOf(bytes, 16)))) {
            throw unusable();
        }
        var in = ByteBuffer.wrap(bytes);
        return new UUID(in.getLong(), in.getLong());
    }

    private static ProblemException unusable() {
        return new ProblemException(
                Code.BAD_CURSOR, "The cursor is not one of this list with these filters; start without after.");
    }

    /// A page and the cursor behind it.
    ///
    /// @param rows  up to `limit` + 1 of them: the last one only tells that there is more
    public <T> Map<String, Object> page(List<T> rows, int limit, String list, View<T> view) {
        Map<String, Object> body = new LinkedHashMap<>();
        List<T> shown = rows.subList(0, Math.min(limit, rows.size()));
        body.put("items", shown.stream().filter(view.visible).map(view.json).toList());
        body.put("next", rows.size() > limit ? text(list, view.id.apply(shown.getLast())) : null);
        return body;
    }

    /// How a row is shown and where it lies.
    ///
    /// @param visible rows that are left out, so that a page may be shorter than asked for, with more behind it
    public record View<T>(Function<T, UUID> id, Function<T, Object> json, Predicate<T> visible) {
        public View(Function<T, UUID> id, Function<T, Object> json) {
            this(id, json, row -> true);
        }
    }

    private String text(String list, UUID id) {
        byte[] bytes = ByteBuffer.allocate(16)
                .putLong(id.getMostSignificantBits())
                .putLong(id.getLeastSignificantBits())
                .array();
        return encode(sign(list, bytes));
    }

    private static String encode(byte[] cursor) {
        return Base64.getUrlEncoder().withoutPadding().encodeToString(cursor);
    }

    private byte[] sign(String list, byte[] id) {
        byte[] tag = mac.of("cursor/" + list, id);
        return ByteBuffer.allocate(16 + MAC_LENGTH)
                .put(id)
                .put(tag, 0, MAC_LENGTH)
                .array();
    }
}
