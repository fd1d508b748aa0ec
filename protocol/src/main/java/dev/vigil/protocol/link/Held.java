package dev.vigil.protocol.link;

import java.util.UUID;

/// An execution that a worker holds, as it stands in READY and in every heartbeat.
///
/// @param execution the execution
/// @param fence     the dispatch under which it is held
/// @param state     what the worker does with it
public record Held(UUID execution, long fence, State state) {
    /// The most that one worker may hold: their list must fit in one frame.
    public static final int MAX = 2_048;

    /// What a worker does with an execution that it holds.
    public enum State implements Coded {
        /// Taken, waiting for its key or for a slot.
        WAITING(0),
        /// Its handler runs.
        RUNNING(1),
        /// It ended; its result is not acknowledged yet.
        ENDED(2);

        private final int code;

        State(int code) {
            this.code = code;
        }

        @Override
        public int code() {
            return code;
        }
    }
}
