package dev.vigil.agent.handler;

import java.util.UUID;

/// What a running attempt reports before its outcome. Called on threads of the attempt, which wait meanwhile: hand
/// over, do not work. Secrets are hidden in the texts by then, but else they are the handler's: they are sealed
/// before they leave the worker.
public interface RunListener {
    /// Hears nothing.
    RunListener NONE = new RunListener() {};

    /// The handler's process has been given the execution.
    default void started(UUID execution) {}

    /// At most ten a second; of those that come faster only the last is heard.
    ///
    /// @param fraction from 0 to 1
    /// @param message  at most 1,000 characters
    default void progress(UUID execution, double fraction, String message) {}

    /// A line that the handler wrote to stdout or stderr, without its line break, at most 4 KiB; at most 256 KiB
    /// and 10,000 lines per attempt. Text for people: nothing in the agent ever parses it.
    default void log(UUID execution, LogStream stream, byte[] line) {}

    /// Where a line came from.
    enum LogStream {
        STDOUT,
        STDERR,
        /// Not the handler: the agent says what is missing.
        AGENT
    }
}
