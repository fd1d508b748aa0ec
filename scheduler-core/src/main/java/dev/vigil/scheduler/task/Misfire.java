package dev.vigil.scheduler.task;

/// What happens to occurrences that were missed while nothing could fire.
public enum Misfire implements Coded {
    NONE(0),
    LATEST(1),
    ALL(2);

    private final int code;

    Misfire(int code) {
        this.code = code;
    }

    @Override
    public int code() {
        return code;
    }
}
