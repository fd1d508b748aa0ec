package dev.vigil.scheduler.execution;

import dev.vigil.scheduler.execution.ExecutionView.State;
import dev.vigil.scheduler.execution.ModelRows.Execution;
import dev.vigil.scheduler.task.Commands.Kind;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.UUID;

/// What commands and dependencies promise, counted apart from the code that keeps it: once a command is answered, no
/// dispatch ignores it, and every command is carried out; nothing is dispatched before what it comes after has
/// succeeded.
final class CommandPromises {
    private final ModelRows rows;
    private final List<String> broken = new ArrayList<>();
    private final Set<UUID> paused = new HashSet<>();
    private final Set<UUID> cancelled = new HashSet<>();
    private final Set<UUID> mustNotRun = new HashSet<>();
    /// The payload's version under which each execution was dispatched first.
    private final Map<UUID, Integer> versions = new HashMap<>();
    private final Map<UUID, Collection<UUID>> predecessors = new HashMap<>();

    CommandPromises(ModelRows rows) {
        this.rows = rows;
    }

    List<String> broken() {
        return broken;
    }

    boolean isPaused(UUID task) {
        return paused.contains(task);
    }

    Set<UUID> paused() {
        return Set.copyOf(paused);
    }

    void commanded(Kind kind, UUID ref) {
        switch (kind) {
            case PAUSE -> paused.add(ref);
            case RESUME -> paused.remove(ref);
            case CANCEL -> {
                cancelled.add(ref);
                if (!versions.containsKey(ref)) {
                    mustNotRun.add(ref);
                }
            }
            default -> {
                // What a change promises is asked of the dispatch.
            }
        }
    }

    void depends(UUID dependent, Collection<UUID> on) {
        predecessors.put(dependent, List.copyOf(on));
    }

    boolean succeeded(UUID execution) {
        ModelRows.Ended end = rows.history.get(execution);
        return end != null && end.state() == State.SUCCEEDED;
    }

    /// A dispatch commits.
    void dispatched(Execution execution) {
        UUID task = execution.first.task().id();
        if (paused.contains(task)) {
            broken.add(execution.id() + " was dispatched while its task is paused");
        }
        if (cancelled.contains(execution.id())) {
            broken.add(execution.id() + " was dispatched after it was cancelled");
        }
        int newest = Objects.requireNonNull(rows.tasks.get(task)).version();
        if (versions.putIfAbsent(execution.id(), execution.facts.payloadVersion()) == null
                && execution.facts.version() != newest) {
            broken.add(execution.id() + " was dispatched first under version " + execution.facts.version() + " of "
                    + newest);
        }
        for (UUID one : predecessors.getOrDefault(execution.id(), List.of())) {
            if (!succeeded(one)) {
                broken.add(execution.id() + " was dispatched before " + one + " succeeded");
            }
        }
    }

    /// A frame leaves for a worker.
    void sent(Dispatch dispatch) {
        Integer version = versions.get(dispatch.execution());
        if (version == null || version != dispatch.payloadVersion()) {
            broken.add(dispatch.execution() + " leaves with version " + dispatch.payloadVersion() + " of its payload, "
                    + version + " was dispatched");
        }
    }

    /// At the end.
    void check() {
        rows.inbox.stream().filter(row -> row.changeSeq() > 0).forEach(row -> broken.add("never carried out: " + row));
        for (UUID execution : cancelled) {
            if (rows.executions.containsKey(execution)) {
                broken.add(execution + " was cancelled and never ended");
            }
        }
        for (UUID execution : mustNotRun) {
            ModelRows.Ended end = rows.history.get(execution);
            if (end != null && end.state() != State.CANCELLED && end.state() != State.SKIPPED) {
                broken.add(execution + " ended as " + end + " though it was cancelled before it was ever dispatched");
            }
        }
        predecessors.forEach((dependent, on) -> {
            boolean all = on.stream().allMatch(this::succeeded);
            ModelRows.Ended end = rows.history.get(dependent);
            if (end == null) {
                broken.add(dependent + " comes after " + on + " and never ended");
            } else if (!all && end.state() != State.SKIPPED && end.state() != State.CANCELLED) {
                broken.add(dependent + " ended as " + end + " though what it comes after has not succeeded");
            } else if (all && end.state() == State.SKIPPED) {
                broken.add(dependent + " was passed over though all that it comes after has succeeded");
            }
        });
    }
}
