package dev.vigil.scheduler.execution;

import dev.vigil.scheduler.execution.Adoption.Claim;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/// The cores in PostgreSQL, over one connection.
record PostgresCores(CoreConnection connection) implements Cores {
    @Override
    public void close() {
        connection.close();
    }

    @Override
    public ShardRows.Beat enter(UUID incarnation, String sessionUrl) {
        return ShardRows.enter(connection.db(), incarnation, sessionUrl);
    }

    @Override
    public Optional<ShardRows.Beat> beat(UUID incarnation, @Nullable Snapshot told) {
        return ShardRows.beat(connection.db(), incarnation, told);
    }

    @Override
    public boolean recognise(ShardRows.Cluster cluster) {
        return ShardRows.recognise(connection.db(), cluster);
    }

    @Override
    public List<Claim> claim(UUID incarnation, int atMost) {
        return ShardRows.claim(connection.db(), incarnation, atMost);
    }

    @Override
    public void endSessions(UUID dead) {
        ShardRows.endSessions(connection.db(), dead);
    }

    @Override
    public int bury(UUID dead, long beat) {
        return ShardRows.bury(connection.db(), dead, beat);
    }

    @Override
    public void leave(UUID incarnation) {
        ShardRows.leave(connection.db(), incarnation);
    }
}
