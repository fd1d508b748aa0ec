package dev.vigil.scheduler.task;

/// An enum whose constants are stored as numbers, which never change.
public interface Coded {
    /// Its number in the database.
    int code();

    /// The constant of a stored number.
    static <E extends Enum<E> & Coded> E of(Class<E> type, int code) {
        for (E constant : type.getEnumConstants()) {
            if (constant.code() == code) {
                return constant;
            }
        }
        throw new IllegalStateException(type.getSimpleName() + " " + code
                + " stands in the database and is unknown here; was it written by a newer version?");
    }
}
