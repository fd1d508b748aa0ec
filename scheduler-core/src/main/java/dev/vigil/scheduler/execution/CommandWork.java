package dev.vigil.scheduler.execution;

import dev.vigil.scheduler.execution.CommandWrites.Admission;
import dev.vigil.scheduler.execution.CommandWrites.Released;
import dev.vigil.scheduler.execution.Open.Phase;
import dev.vigil.scheduler.execution.OwnerReads.InboxRow;
import dev.vigil.scheduler.execution.ScheduleRows.Siblings;
import dev.vigil.scheduler.task.Commands.Kind;
import dev.vigil.scheduler.task.Overlap;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.UUID;

/// Carries out commands in their order. From the moment a command is applied here nothing is dispatched against
/// it; its inbox row goes when its effect is complete, so a successor begins where this owner stopped.
///
/// Not for use by several threads.
final class CommandWork {
    private final LoopState state;
    private final Endings endings;
    private final FireWork fires;
    private final Dependencies dependencies;

    CommandWork(LoopState state, Endings endings, FireWork fires, Dependencies dependencies) {
        this.state = state;
        this.endings = endings;
        this.fires = fires;
        this.dependencies = dependencies;
    }

    /// Applies what is pending.
    void apply() {
        List<Integer> waiting = state.shards.values().stream()
                .filter(OwnedShard::hasCommands)
                .map(shard -> shard.id)
                .toList();
        if (waiting.isEmpty()) {
            return;
        }
        List<InboxRow> commands = state.truth.commands(waiting);
        for (InboxRow command : commands) {
            OwnedShard shard = state.shards.get(command.shard());
            if (shard != null && !isKnown(shard, command)) {
                shard.announced = Math.max(shard.announced, command.changeSeq());
                apply(shard, command);
            }
        }
        for (int id : waiting) {
            OwnedShard shard = state.shards.get(id);
            if (shard != null) {
                shard.applied = shard.announced;
            }
        }
    }

    private static boolean isKnown(OwnedShard shard, InboxRow command) {
        return command.equals(shard.removals.get(ref(command))) || command.equals(shard.cancels.get(ref(command)));
    }

    private void apply(OwnedShard shard, InboxRow command) {
        boolean owned = switch (command.kind()) {
            case PAUSE -> pause(shard, command);
            case RESUME -> resume(shard, command);
            case CANCEL -> cancel(shard, command);
            case DELETE, ERASE -> remove(shard, command);
            case PATCH -> patch(shard, command);
            case TRIGGER, RETRY -> admit(shard, command);
            case CREATED, RELEASE -> true;
        };
        if (!owned) {
            state.examine(List.of(shard.id));
        }
    }

    private boolean pause(OwnedShard shard, InboxRow command) {
        boolean owned = state.truth.hold(fence(shard), command);
        shard.lanes.ofTask(ref(command)).forEach(due -> shard.lanes.remove(due.id()));
        openOf(shard, ref(command)).stream()
                .filter(open -> open.phase == Phase.COMMITTED)
                .forEach(open -> endings.neverRan(open, "paused"));
        return owned;
    }

    private boolean resume(OwnedShard shard, InboxRow command) {
        List<Released> released = state.truth.resume(
                fence(shard), command, fires.resumeAt(command).orElse(null));
        FireWork.look(shard);
        dependencies.look(shard, ref(command));
        return queue(shard, released);
    }

    /// What a statement has moved is read anew from where it lies now.
    ///
    /// @return whether the statement passed
    private static boolean queue(OwnedShard shard, List<Released> released) {
        for (Released row : released) {
            if (row.id() != null) {
                shard.lanes.remove(row.id());
            }
            if (row.lane() != null && row.dueAt() != null) {
                shard.lanes.rewind(row.lane(), row.dueAt());
            }
        }
        return !released.isEmpty();
    }

    private boolean patch(OwnedShard shard, InboxRow command) {
        List<UUID> dispatched =
                openOf(shard, ref(command)).stream().map(Open::id).toList();
        FireWork.look(shard);
        shard.ended(ref(command));
        return queue(shard, state.truth.renew(fence(shard), command, dispatched));
    }

    /// An execution that somebody asked for finds its place as an occurrence of its schedule would. One that is tried
    /// again is passed over by no policy.
    private boolean admit(OwnedShard shard, InboxRow command) {
        Optional<Due> found =
                state.truth.byId(shard.id, List.of(ref(command))).stream().findFirst();
        if (found.isEmpty()) {
            return state.truth.done(fence(shard), command);
        }
        Due due = found.get();
        if (due.task().once() && command.kind() == Kind.TRIGGER) {
            List<UUID> dispatched = shard.open.containsKey(due.id()) ? List.of(due.id()) : List.of();
            return queue(shard, state.truth.bringForward(fence(shard), command, dispatched));
        }
        Siblings siblings = state.truth.siblings(shard.id, due);
        if (siblings.overlap() == Overlap.SKIP && siblings.open() > 0 && command.kind() == Kind.TRIGGER) {
            endings.skipped(due, "overlap");
            shard.cancels.put(ref(command), command);
            return true;
        }
        UUID task = due.task().id();
        boolean waits = siblings.overlap() != Overlap.ALLOW && siblings.open() > 0;
        if (waits) {
            shard.waits(task);
        }
        return queue(shard, state.truth.admit(fence(shard), new Admission(command, task, waits)));
    }

    private boolean cancel(OwnedShard shard, InboxRow command) {
        if (shard.cancels.putIfAbsent(ref(command), command) != null) {
            // It is being ended already.
            return state.truth.done(fence(shard), command);
        }
        endings.stop(shard, List.of(ref(command)), false);
        return true;
    }

    private boolean remove(OwnedShard shard, InboxRow command) {
        List<UUID> executions = state.truth.stop(fence(shard), command);
        // An erasure does more than a deletion, in whichever order they were asked for.
        shard.removals.merge(ref(command), command, (before, now) -> before.kind() == Kind.ERASE ? before : now);
        endings.stop(shard, executions, false);
        return !executions.isEmpty();
    }

    /// Completes commands whose executions have ended.
    void complete() {
        for (OwnedShard shard : List.copyOf(state.shards.values())) {
            for (InboxRow command : List.copyOf(shard.cancels.values())) {
                if (!shard.open.containsKey(ref(command)) && state.owns(shard.id)) {
                    shard.cancels.remove(ref(command));
                    check(shard, state.truth.done(fence(shard), command));
                }
            }
            for (InboxRow command : List.copyOf(shard.removals.values())) {
                if (openOf(shard, ref(command)).isEmpty() && state.owns(shard.id)) {
                    boolean owned = command.kind() != Kind.ERASE || state.truth.anonymise(fence(shard), command);
                    check(shard, owned && state.truth.remove(fence(shard), command));
                    shard.removals.remove(ref(command));
                }
            }
        }
    }

    private void check(OwnedShard shard, boolean owned) {
        if (!owned) {
            state.examine(List.of(shard.id));
        }
    }

    private Owned fence(OwnedShard shard) {
        return new Owned(state.core.incarnation(), List.of(shard.identity()));
    }

    private static List<Open> openOf(OwnedShard shard, UUID task) {
        return shard.open.values().stream()
                .filter(open -> open.due.task().id().equals(task))
                .toList();
    }

    private static UUID ref(InboxRow command) {
        return Objects.requireNonNull(command.ref(), "a command names whom it means");
    }
}
