package dev.vigil.scheduler.execution;

import org.jspecify.annotations.Nullable;

/// What a running execution says, as its worker sealed it.
public sealed interface Saying {
    /// Who says it, and under which fence.
    Link.Running running();

    /// Lines of its log.
    ///
    /// @param line   number of the first within the attempt, from 1
    /// @param lines  how many
    /// @param sealed the sealed record
    record Lines(Link.Running running, int line, int lines, byte[] sealed) implements Saying {
        @Override
        public String toString() {
            return "Lines[" + running + ", " + line + " + " + lines + "]";
        }
    }

    /// How far it is.
    ///
    /// @param millionths from 0 to 1,000,000
    /// @param message    the sealed sentence; null when there is none
    record Progress(Link.Running running, int millionths, byte @Nullable [] message) implements Saying {
        @Override
        public String toString() {
            return "Progress[" + running + ", " + millionths + "]";
        }
    }
}
