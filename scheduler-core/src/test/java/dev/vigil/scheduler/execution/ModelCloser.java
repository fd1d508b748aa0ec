package dev.vigil.scheduler.execution;

import dev.vigil.scheduler.execution.EndingRows.Ending;
import dev.vigil.scheduler.execution.EndingRows.Reached;
import dev.vigil.scheduler.execution.World.Host;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// A closer on the model. What it has begun runs at the server and is answered while its loop goes on.
final class ModelCloser implements Closer {
    private final ModelServer server;
    private final Wire wire;
    private final Host host;
    private final Runnable wake;
    private boolean over = true;
    private Reached reached = Reached.NOTHING;
    private @Nullable RuntimeException failure;

    /// @param wake its loop
    ModelCloser(ModelServer server, Wire wire, Host host, Runnable wake) {
        this.server = server;
        this.wire = wire;
        this.host = host;
        this.wake = wake;
    }

    @Override
    public void begin(Owned owned, List<Ending> endings, Runnable told) {
        if (!over) {
            throw new AssertionError("two batches at once");
        }
        over = false;
        wire.begin(() -> server.database.close(owned, endings), (answer, broken) -> {
            over = true;
            reached = answer == null ? Reached.NOTHING : answer;
            failure = broken;
            told.run();
            wake.run();
        });
    }

    @Override
    public boolean isOver() {
        return over;
    }

    @Override
    public Reached await() {
        while (!over) {
            server.world.pass(host, World.MILLI / 10);
        }
        if (failure != null) {
            throw failure;
        }
        return reached;
    }

    @Override
    public void renew() {
        if (!over) {
            throw new AssertionError("it may still commit");
        }
        if (failure != null) {
            wire.close();
            wire.ask(() -> true);
            failure = null;
        }
    }

    @Override
    public void close() {
        wire.close();
    }
}
