package dev.vigil.scheduler.task;

/// What happens to an occurrence while an earlier one of its task is still open.
public enum Overlap implements Coded {
    ALLOW(0),
    SKIP(1),
    QUEUE(2),
    REPLACE(3);

    private final int code;

    Overlap(int code) {
        this.code = code;
    }

    @Override
    public int code() {
        return code;
    }
}
