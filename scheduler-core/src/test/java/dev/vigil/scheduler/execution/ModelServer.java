package dev.vigil.scheduler.execution;

import dev.vigil.scheduler.execution.Adoption.Claim;
import dev.vigil.scheduler.execution.ModelRows.Shard;
import dev.vigil.scheduler.execution.ShardRows.Beat;
import dev.vigil.scheduler.execution.ShardRows.Cluster;
import dev.vigil.scheduler.execution.ShardRows.Polled;
import dev.vigil.scheduler.execution.World.Host;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/// The server process of the model: who can reach it, whose sessions it has ended, and the tables of cores and shards.
final class ModelServer {
    private static final Cluster CLUSTER = new Cluster("model", "00000001");

    final World world;
    final ModelDatabase database;
    final ModelSchedules schedules;
    final SchedulePromises promises;
    final Host host = new Host("database", null);
    Faults faults;
    private final Map<UUID, Long> ended = new HashMap<>();
    private final Set<Host> unreachable = new HashSet<>();
    private long downUntil;

    ModelServer(ModelDatabase database, Faults faults) {
        this.world = database.world;
        this.database = database;
        this.promises = new SchedulePromises(database, faults.slow() == 0 && faults.incidents() == 0);
        this.schedules = new ModelSchedules(database, promises);
        this.faults = faults;
    }

    boolean reaches(Host from) {
        return world.now() >= downUntil && !unreachable.contains(from);
    }

    void downFor(long nanos) {
        downUntil = Math.max(downUntil, world.now() + nanos);
    }

    void part(Host from, boolean parted) {
        if (parted) {
            unreachable.add(from);
        } else {
            unreachable.remove(from);
        }
    }

    void heal() {
        downUntil = 0;
        unreachable.clear();
        faults = Faults.NONE;
    }

    long sessionsEnded(UUID incarnation) {
        return ended.getOrDefault(incarnation, 0L);
    }

    private List<Shard> shards() {
        return database.rows.shards;
    }

    Beat enter(UUID incarnation) {
        database.rows.cores.merge(incarnation, 0L, (beat, zero) -> beat + 1);
        return new Beat(database.clock(), CLUSTER, null, List.of());
    }

    Optional<Beat> beat(UUID incarnation, @Nullable Snapshot told) {
        Long beat = database.rows.cores.computeIfPresent(incarnation, (id, before) -> before + 1);
        if (beat == null) {
            return Optional.empty();
        }
        var polled = new ArrayList<Polled>();
        database.rows.cores.forEach((id, number) -> polled.add(new Polled(null, id, 0, number, false, false)));
        for (Shard shard : shards()) {
            boolean news = told == null
                    || database.rows.inbox.stream()
                            .anyMatch(row -> row.shard() == shard.id && row.changeSeq() == 0 && !told.sees(row.xid()));
            polled.add(new Polled(shard.id, shard.owner, shard.epoch, shard.changeSeq, shard.orphaned, news));
        }
        return Optional.of(new Beat(database.clock(), CLUSTER, database.snapshot(), polled));
    }

    List<Claim> claim(UUID incarnation, int atMost) {
        var claims = new ArrayList<Claim>();
        for (Shard shard : shards()) {
            if (shard.owner == null && claims.size() < atMost && database.rows.cores.containsKey(incarnation)) {
                shard.owner = incarnation;
                shard.epoch++;
                claims.add(new Claim(shard.id, shard.epoch, shard.changeSeq, shard.orphaned));
            }
        }
        return claims;
    }

    boolean endSessions(UUID dead) {
        ended.merge(dead, 1L, Long::sum);
        return true;
    }

    int bury(UUID dead, long beat) {
        Long there = database.rows.cores.get(dead);
        if (there != null && there != beat) {
            return 0;
        }
        database.rows.cores.remove(dead);
        int freed = 0;
        for (Shard shard : shards()) {
            if (dead.equals(shard.owner)) {
                shard.owner = null;
                shard.epoch++;
                shard.orphaned = true;
                freed++;
            }
        }
        return freed;
    }

    boolean leave(UUID incarnation) {
        return database.rows.cores.remove(incarnation) != null;
    }
}
