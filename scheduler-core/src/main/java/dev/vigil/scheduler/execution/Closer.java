package dev.vigil.scheduler.execution;

import dev.vigil.scheduler.execution.EndingRows.Ending;
import dev.vigil.scheduler.execution.EndingRows.Reached;
import java.util.List;

/// Ends executions beside a loop, by a connection of its own, so that nothing starts later because an end is being
/// stored. One batch is under way at most.
///
/// Used by the loop's thread.
interface Closer extends AutoCloseable {
    /// Begins to end executions.
    ///
    /// @param told runs once the batch is over, in any thread
    void begin(Owned owned, List<Ending> endings, Runnable told);

    /// Whether the batch is over.
    boolean isOver();

    /// What became of the batch; waits until it is over. Throws when the database failed: then it is unknown whether
    /// the batch has committed, until [#renew] and a read.
    Reached await();

    /// Once a batch that failed is over: nothing of it commits after this. Throws when the database cannot be asked.
    void renew();

    /// Ends once the batch is over.
    @Override
    void close();
}
