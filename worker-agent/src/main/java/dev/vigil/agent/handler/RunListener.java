package dev.vigil.agent.handler;

import java.util.UUID;

/// What a running attempt reports before its outcome. Called on the attempt's own thread, which waits meanwhile:
/// hand over, do not work. The texts come from the handler; they are sealed before they leave the worker.
public interface RunListener {
    /// Hears nothing.
    RunListener NONE = new RunListener() {};

    /// The handler's process has been given the execution.
    default void started(UUID execution) {}

    /// At most ten a second; what comes faster is dropped.
    ///
    /// @param fraction from 0 to 1
    /// @param message  at most 1,000 characters
    default void progress(UUID execution, double fraction, String message) {}

    /// Bytes that the handler wrote to stdout or stderr, in pieces of at most 8 KiB, at most 256 KiB per attempt.
    /// Text for people: nothing in the agent ever parses it.
    default void log(UUID execution, LogStream stream, byte[] bytes) {}

    /// Where a piece of log came from.
    enum LogStream {
        STDOUT,
        STDERR
    }
}
