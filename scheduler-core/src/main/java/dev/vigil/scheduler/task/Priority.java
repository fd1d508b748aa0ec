package dev.vigil.scheduler.task;

/// Which due executions go first.
public enum Priority implements Coded {
    LOW(0),
    MEDIUM(1),
    HIGH(2),
    CRITICAL(3);

    private final int code;

    Priority(int code) {
        this.code = code;
    }

    @Override
    public int code() {
        return code;
    }
}
