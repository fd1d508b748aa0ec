package dev.vigil.protocol.link;

import java.util.List;

/// What a core answers to a heartbeat.
///
/// @param number       the heartbeat it answers
/// @param databaseDown the core cannot reach the database, so it cannot ask: what it calls owned is what it owned last,
///                     and runs on in its grace
/// @param suspended    the core sends no dispatches, because a signature is missing or wrong
/// @param backlog      how many more executions it would send now if it had credits
/// @param verdicts     one for each execution that the heartbeat listed, in its order
public record HeartbeatAnswer(
        long number, boolean databaseDown, boolean suspended, int backlog, List<Verdict> verdicts) {
    public HeartbeatAnswer {
        verdicts = List.copyOf(verdicts);
    }

    /// What a core knows about an execution that a worker holds.
    public enum Verdict implements Coded {
        /// Another core's, or not known yet.
        UNKNOWN(0),
        /// This core owns it under this fence: it may go on, and its result is welcome here. Of what a core has given
        /// to another one it says so no more, from before it does.
        OWNED(1),
        /// It was given to somebody else, or ended: stop it.
        STALE(2);

        private final int code;

        Verdict(int code) {
            this.code = code;
        }

        @Override
        public int code() {
            return code;
        }
    }
}
