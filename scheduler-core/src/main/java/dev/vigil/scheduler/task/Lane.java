package dev.vigil.scheduler.task;

/// The lane of an execution inside its shard: its priority and a slot of its namespace. Lanes are read one by
/// one, so that neither a higher priority nor a big namespace hides the others.
public final class Lane {
    /// Lanes of a shard: one bit each in a `bigint`.
    public static final int COUNT = 64;

    private static final int SLOTS = 16;
    private static final int WAITING = -101;
    private static final int DEPENDENT = -201;

    private Lane() {}

    /// The lane of a dispatchable execution, 0 to 63.
    public static int of(Priority priority, int namespace) {
        return priority.code() * SLOTS + Math.floorMod(namespace, SLOTS);
    }

    /// The priority of a lane.
    public static Priority priority(int lane) {
        return Coded.of(Priority.class, lane / SLOTS);
    }

    /// Where an execution of this lane lies while its task is paused, and back.
    public static int held(int lane) {
        return -1 - lane;
    }

    /// Where an execution of this lane lies while its predecessor is open, and back.
    public static int waiting(int lane) {
        return WAITING - lane;
    }

    /// Where an execution of this lane lies while what it comes after is open, and back.
    public static int dependent(int lane) {
        return DEPENDENT - lane;
    }

    /// Whether executions of it are dispatched.
    public static boolean isDispatchable(int lane) {
        return lane >= 0;
    }

    /// Whether it holds executions of paused tasks.
    public static boolean isHeld(int lane) {
        return lane < 0 && lane > WAITING;
    }

    /// Whether it holds executions that wait for their predecessor.
    public static boolean isWaiting(int lane) {
        return lane <= WAITING;
    }
}
