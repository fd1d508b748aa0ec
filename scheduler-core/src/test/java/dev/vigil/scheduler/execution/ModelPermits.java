package dev.vigil.scheduler.execution;

import dev.vigil.scheduler.execution.ModelRows.Limit;
import dev.vigil.scheduler.execution.PermitRows.Moved;
import dev.vigil.scheduler.execution.PermitRows.Standing;
import dev.vigil.scheduler.execution.PermitRows.Taken;
import dev.vigil.scheduler.task.Limited;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// The model of permits: who holds how many of a limit.
final class ModelPermits {
    private final ModelDatabase database;

    ModelPermits(ModelDatabase database) {
        this.database = database;
    }

    private Map<Limited, Limit> limits() {
        return database.rows.limits;
    }

    List<Moved> held(Collection<Integer> shards) {
        var held = new ArrayList<Moved>();
        limits().forEach((key, limit) -> limit.permits.forEach((shard, n) -> {
            if (shards.contains(shard)) {
                held.add(new Moved(shard, key, n));
            }
        }));
        return held;
    }

    Taken take(Owned owned, List<Moved> moves, boolean beyond) {
        Set<Integer> passed = database.passed(owned);
        Limit limit = limits().get(moves.getFirst().key());
        var came = new HashMap<Integer, Integer>();
        passed.forEach(shard -> came.put(shard, 0));
        boolean denied = false;
        for (Moved move : moves) {
            if (limit != null && passed.contains(move.shard())) {
                int n = beyond ? move.n() : Math.min(move.n(), Math.max(0, limit.most - limit.taken));
                denied |= n < move.n();
                limit.taken += n;
                limit.permits.merge(move.shard(), n, Integer::sum);
                came.put(move.shard(), n);
            }
        }
        if (limit == null || !denied) {
            return new Taken(came, null);
        }
        limit.deniedAt = database.clock();
        return new Taken(came, limit.deniedAt);
    }

    Set<Integer> move(Owned owned, List<Moved> moves) {
        Set<Integer> passed = database.passed(owned);
        Limit limit = limits().get(moves.getFirst().key());
        if (limit != null && passed.size() == moves.size()) {
            for (Moved move : moves) {
                int n = limit.permits.merge(move.shard(), move.n(), Integer::sum);
                if (n < 0) {
                    throw new AssertionError("shard " + move.shard() + " has given away what it had not");
                }
            }
        }
        return passed;
    }

    Set<Integer> giveBack(Owned owned, List<Moved> moves) {
        Set<Integer> passed = database.passed(owned);
        Limit limit = limits().get(moves.getFirst().key());
        for (Moved move : moves) {
            if (limit != null && passed.contains(move.shard()) && limit.permits.containsKey(move.shard())) {
                limit.permits.merge(move.shard(), -move.n(), Integer::sum);
                limit.taken = Math.max(0, limit.taken - move.n());
            }
        }
        return passed;
    }

    Map<Limited, Standing> standings(Collection<Limited> keys) {
        var standings = new HashMap<Limited, Standing>();
        for (Limited key : keys) {
            Limit limit = limits().get(key);
            if (limit != null) {
                standings.put(key, new Standing(limit.most, limit.taken, fresh(limit.deniedAt)));
            }
        }
        return standings;
    }

    private @Nullable Instant fresh(Instant deniedAt) {
        return deniedAt.isAfter(database.clock().minusSeconds(3)) ? deniedAt : null;
    }
}
