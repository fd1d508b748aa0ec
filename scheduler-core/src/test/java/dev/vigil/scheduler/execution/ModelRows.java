package dev.vigil.scheduler.execution;

import dev.vigil.scheduler.execution.OwnerReads.InboxRow;
import dev.vigil.scheduler.execution.OwnerWrites.Line;
import dev.vigil.scheduler.task.Limited;
import dev.vigil.scheduler.task.Schedule.Interval;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/// The rows of the model of PostgreSQL.
final class ModelRows {
    final List<Shard> shards = new ArrayList<>();
    final Map<UUID, Long> cores = new LinkedHashMap<>();
    final Map<UUID, Execution> executions = new LinkedHashMap<>();
    final Map<UUID, Schedule> schedules = new LinkedHashMap<>();
    final Map<UUID, Ended> history = new LinkedHashMap<>();
    final Map<String, UUID> keys = new HashMap<>();
    final Map<UUID, TaskFacts> tasks = new LinkedHashMap<>();
    final List<InboxRow> inbox = new ArrayList<>();
    /// The lane of each task that was changed.
    final Map<UUID, Integer> lanes = new HashMap<>();
    final List<Dependency> dependencies = new ArrayList<>();
    /// In the order they were set, as all that a run iterates over: an enum's hash is another in each process.
    final Map<Limited, Limit> limits = new LinkedHashMap<>();
    long transaction = 100;
    Duration ahead = Duration.ZERO;

    /// Where a task lies; empty when nothing of it is open any more.
    Optional<Integer> shardOf(UUID task) {
        Schedule schedule = schedules.get(task);
        return schedule != null
                ? Optional.of(schedule.shard)
                : Optional.ofNullable(executions.get(task)).map(Execution::shard);
    }

    /// A task that comes after another.
    ///
    /// @param shard    of the dependent
    /// @param storedAt monotonic
    record Dependency(UUID predecessor, UUID dependent, int shard, long storedAt) {}

    static final class Shard {
        final int id;
        final List<Listed> log = new ArrayList<>();

        @Nullable UUID owner;

        long epoch;
        long changeSeq;
        boolean orphaned;

        Shard(int id) {
            this.id = id;
        }
    }

    /// A line of the recovery log.
    record Listed(long epoch, Line line, Instant at) {
        long fence() {
            return Fence.of(epoch, line.n());
        }
    }

    static final class Execution {
        final Due first;
        /// Of the version that it runs under.
        TaskFacts facts;
        int lane;
        Instant dueAt;
        int attempt;
        int losses;
        long fenceMin;

        Execution(Due first) {
            this.first = first;
            this.facts = first.task();
            this.lane = first.lane();
            this.dueAt = first.dueAt();
        }

        UUID id() {
            return first.id();
        }

        int shard() {
            return first.shard();
        }

        Due row(boolean limited) {
            TaskFacts task = facts;
            TaskFacts now = new TaskFacts(
                    task.namespace(),
                    task.id(),
                    task.version(),
                    task.owner(),
                    task.handler(),
                    task.keyId(),
                    task.payloadVersion(),
                    task.timeout(),
                    task.retry(),
                    limited,
                    task.once());
            return new Due(
                    shard(), id(), lane, dueAt, first.scheduledFor(), attempt, losses, fenceMin, now, new byte[1], 1);
        }
    }

    static final class Schedule {
        final int shard;
        final TaskFacts task;
        final FirePlan.Rules rules;
        final int lane;
        final Instant first;
        Instant nextAt;
        boolean paused;
        /// Occurrences that a pause has swallowed.
        final Set<Instant> swallowed = new HashSet<>();
        List<UUID> open = new ArrayList<>();

        Schedule(int shard, TaskFacts task, FirePlan.Rules rules, Instant first) {
            this.shard = shard;
            this.task = task;
            this.rules = rules;
            this.lane = ModelDatabase.LANE;
            this.first = first;
            this.nextAt = first;
        }

        /// Its pause is over: what it would have fired meanwhile is not made up for.
        void goOn(@Nullable Instant at) {
            if (at != null && at.isAfter(nextAt)) {
                Duration every = ((Interval) rules.schedule()).every();
                for (Instant gone = nextAt; gone.isBefore(at); gone = gone.plus(every)) {
                    swallowed.add(gone);
                }
                nextAt = at;
            }
        }
    }

    /// A history row.
    record Ended(
            UUID task,
            Instant scheduledFor,
            ExecutionView.State state,
            @Nullable String code) {}

    /// A limit of running executions.
    static final class Limit {
        int most;
        int taken;
        Instant deniedAt = Instant.EPOCH;
        final Map<Integer, Integer> permits = new HashMap<>();

        Limit(int most) {
            this.most = most;
        }
    }
}
