package dev.vigil.bench;

import java.util.List;
import java.util.Map;

/// What takes part in the benchmark. Every process of a run has one.
public interface Contestant extends AutoCloseable {
    /// A task that does nothing.
    ///
    /// @param dueMicros when it is due, in microseconds of the epoch; 0 for at once
    /// @param t0Micros  what its delay is measured from; 0 for the instant it is scheduled for
    record NoOp(long dueMicros, long t0Micros) {}

    /// Hears when tasks start. Called by several threads.
    interface StartListener {
        /// A task has started.
        ///
        /// @param t0Micros what its delay is measured from, in microseconds of the epoch
        /// @param atMicros when it started, by the machine's clock
        void started(long t0Micros, long atMicros);
    }

    /// Name and version, and how it is set up.
    String version();

    /// The settings that a reader of the results wants to know.
    Map<String, Object> config();

    /// Makes the schema in the empty database.
    void install() throws Exception;

    /// Connects; called once in each process.
    void open() throws Exception;

    /// Stores one task, durable on return. Called by many threads at once.
    void enqueue(NoOp task) throws Exception;

    /// Stores many tasks, as fast as it can.
    void enqueueAll(List<NoOp> tasks) throws Exception;

    /// Puts in tasks that are not due for a day; not measured.
    void preload(int n) throws Exception;

    /// Begins to execute what is due.
    ///
    /// @param listener hears of each task when it starts
    void start(StartListener listener) throws Exception;

    /// Ends executing. What was started is durably over on return.
    void stop() throws Exception;

    /// How many tasks are due and not over.
    long remaining() throws Exception;

    /// Puts in recurring tasks whose fires are spread over the period.
    ///
    /// @return the period in seconds
    int recur(int n, int periodSeconds) throws Exception;

    @Override
    void close();
}
