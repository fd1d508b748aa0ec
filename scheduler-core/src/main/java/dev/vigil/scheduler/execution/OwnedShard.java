package dev.vigil.scheduler.execution;

import dev.vigil.scheduler.execution.OwnerReads.InboxRow;
import dev.vigil.scheduler.execution.TaskFacts.WorkerNeed;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/// A shard that this core owns, as its loop holds it in memory.
///
/// Not for use by several threads.
final class OwnedShard {
    final int id;
    final long epoch;
    final Lanes lanes;
    final Map<UUID, Open> open = new HashMap<>();

    /// Its last owner vanished instead of releasing it.
    boolean orphaned;

    /// When that owner was last seen to live, monotonic; null when nobody knows. Of what is read anew later it tells
    /// nothing: that may be this core's own.
    @Nullable Long vanishedAt;

    /// The last command that is carried out, and the last one known of.
    long applied;
    long announced;

    /// Tasks to remove and executions to cancel, with the command that asked for it.
    final Map<UUID, InboxRow> removals = new HashMap<>();
    final Map<UUID, InboxRow> cancels = new HashMap<>();

    /// Keys that a limit leaves no room for here.
    final Set<WorkerNeed> starved = new HashSet<>();

    /// Tasks of which executions wait for the one before, and those of them whose turn it may be.
    final Set<UUID> waiting = new HashSet<>();
    final Set<UUID> turns = new HashSet<>();

    /// Executions of a dispatch statement whose answer has not come: they may be dispatched, and are not sent.
    final Set<UUID> committing = new HashSet<>();

    /// How often workers declined an execution.
    final Map<UUID, Integer> declines = new HashMap<>();

    /// News of those transactions that were over then has been read.
    Snapshot newsFrom = Snapshot.START;
    /// News of creation of those that were over then has been removed.
    Snapshot newsGone = Snapshot.START;
    /// News of others that has been read.
    final Set<Long> newsSeen = new HashSet<>();

    /// When its schedules are to be looked at, which is at once for a new owner; null when none fires.
    @Nullable Instant lookAt = Instant.EPOCH;

    /// How long what runs may take to end before the shard goes to another core, which adopts the rest.
    private static final Duration LEAVE_WITHIN = Duration.ofSeconds(1);

    private @Nullable Long leavingSince;
    private long lastN;
    private final TreeMap<Long, Integer> openLines = new TreeMap<>();

    OwnedShard(int id, long epoch, long lastN) {
        this.id = id;
        this.epoch = epoch;
        this.lastN = lastN;
        this.lanes = new Lanes(id);
    }

    /// It is to go to another core.
    void leave(long now) {
        if (leavingSince == null) {
            leavingSince = now;
        }
    }

    boolean isLeaving() {
        return leavingSince != null;
    }

    /// Whether it is to go and nothing is open in it, or what is open has had its time.
    boolean mayGo(long now) {
        return leavingSince != null && (open.isEmpty() || now - leavingSince >= LEAVE_WITHIN.toNanos());
    }

    Owned.Shard identity() {
        return new Owned.Shard(id, epoch, applied);
    }

    /// A number for a new line of the recovery log. A number that is not used leaves a gap, which does no harm.
    long nextN() {
        lastN++;
        return lastN;
    }

    /// Oldest line that still has something open, or `n` when none has.
    long low(long n) {
        return openLines.isEmpty() ? n : Math.min(n, openLines.firstKey());
    }

    void add(Open added, long line) {
        added.line = line;
        open.put(added.id(), added);
        openLines.merge(line, 1, Integer::sum);
    }

    /// Takes it out, and says whether it was there.
    boolean remove(Open removed) {
        boolean there = open.remove(removed.id(), removed);
        if (there) {
            closeLine(removed.line);
        }
        return there;
    }

    /// It is listed again under a newer line.
    void moveTo(Open moved, long line) {
        closeLine(moved.line);
        moved.line = line;
        moved.listedAgain(Fence.of(epoch, line));
        openLines.merge(line, 1, Integer::sum);
    }

    private void closeLine(long line) {
        openLines.computeIfPresent(line, (n, count) -> count == 1 ? null : count - 1);
    }

    /// An execution of a task waits for the one before.
    void waits(UUID task) {
        waiting.add(task);
        turns.add(task);
    }

    /// An execution of a task is over.
    void ended(UUID task) {
        if (waiting.contains(task)) {
            turns.add(task);
        }
    }

    /// Whether something of an owner that vanished is open here, and may run on by its word.
    boolean isOrphaned(long now) {
        return open.values().stream().anyMatch(one -> one.word != null && one.word - now > 0);
    }

    /// Until when its last owner may vouch for what is open here, monotonic; null when it did not vanish.
    @Nullable Long word(long now) {
        long last = vanishedAt == null ? now : vanishedAt;
        return orphaned ? last + Orphans.allowance(true).toNanos() : null;
    }

    boolean hasCommands() {
        return announced > applied;
    }

    /// Whether executions of a task are to end instead of running.
    boolean isDoomed(Due due) {
        return removals.containsKey(due.task().id()) || cancels.containsKey(due.id());
    }
}
