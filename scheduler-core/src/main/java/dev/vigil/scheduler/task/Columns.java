package dev.vigil.scheduler.task;

import java.time.Instant;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// Turns rows into one array per column, for `unnest` in a multi-row statement.
///
/// @param <T> a row
public final class Columns<T> {
    private final List<T> rows;
    private final Map<String, Object> arrays = new HashMap<>();

    /// Columns of these rows.
    public Columns(List<T> rows) {
        this.rows = rows;
    }

    /// Adds a column.
    ///
    /// @param type an empty array of the element type
    public <E> Columns<T> add(String name, E[] type, Function<T, @Nullable E> value) {
        E[] array = Arrays.copyOf(type, rows.size());
        for (int i = 0; i < array.length; i++) {
            E element = value.apply(rows.get(i));
            if (element != null) {
                array[i] = element;
            }
        }
        arrays.put(name, encoded(array));
        return this;
    }

    private static Object encoded(Object[] array) {
        return switch (array) {
            case UUID[] ids -> BinaryArray.of(ids);
            case Instant[] times -> BinaryArray.of(times);
            default -> array;
        };
    }

    /// Parameters of the statement by name.
    public Map<String, Object> arrays() {
        return arrays;
    }
}
