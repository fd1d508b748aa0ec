package dev.vigil.scheduler.execution;

import dev.vigil.scheduler.execution.Adoption.Claim;
import dev.vigil.scheduler.execution.ShardRows.Beat;
import dev.vigil.scheduler.execution.ShardRows.Cluster;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/// The cores in the model.
record ModelCores(ModelServer server, Wire wire) implements Cores {
    @Override
    public void close() {
        wire.close();
    }

    @Override
    public Beat enter(UUID incarnation, String sessionUrl) {
        return wire.ask(() -> server.enter(incarnation));
    }

    @Override
    public Optional<Beat> beat(UUID incarnation, @Nullable Snapshot told) {
        return wire.ask(() -> server.beat(incarnation, told));
    }

    @Override
    public boolean recognise(Cluster cluster) {
        return wire.ask(() -> false);
    }

    @Override
    public List<Claim> claim(UUID incarnation, int atMost) {
        return wire.ask(() -> server.claim(incarnation, atMost));
    }

    @Override
    public void endSessions(UUID dead) {
        wire.ask(() -> server.endSessions(dead));
    }

    @Override
    public int bury(UUID dead, long beat) {
        return wire.ask(() -> server.bury(dead, beat));
    }

    @Override
    public void leave(UUID incarnation) {
        wire.ask(() -> server.leave(incarnation));
    }
}
