package dev.vigil.api.vault;

import java.sql.Array;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.type.TypeReference;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// Reads columns of the types that JDBC has no word for.
final class Rows {
    private static final TypeReference<TreeMap<String, String>> LABELS = new TypeReference<>() {};

    private Rows() {}

    /// An object of texts, sorted by name.
    static SortedMap<String, String> labels(String json) {
        return JsonMapper.shared().readValue(json, LABELS);
    }

    /// A `text[]` that is never null.
    static List<String> texts(ResultSet row, String column) throws SQLException {
        return List.of((String[]) row.getArray(column).getArray());
    }

    /// An `int[]`; null when the column is.
    static @Nullable List<Integer> numbers(ResultSet row, String column) throws SQLException {
        Array array = row.getArray(column);
        return array == null ? null : List.of((Integer[]) array.getArray());
    }

    /// A time for a `timestamptz`.
    static @Nullable OffsetDateTime at(@Nullable Instant instant) {
        return instant == null ? null : instant.atOffset(ZoneOffset.UTC);
    }

    /// Stored JSON text as a tree, for showing it.
    static JsonNode json(String text) {
        return JsonMapper.shared().readTree(text);
    }
}
