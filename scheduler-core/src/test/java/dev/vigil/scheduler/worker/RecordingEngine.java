package dev.vigil.scheduler.worker;

import dev.vigil.scheduler.execution.AttemptEnd;
import dev.vigil.scheduler.execution.Dispatch;
import dev.vigil.scheduler.execution.Link;
import dev.vigil.scheduler.execution.LinkEvents;
import dev.vigil.scheduler.execution.Saying;
import dev.vigil.scheduler.execution.WorkerBoot;
import dev.vigil.scheduler.task.ShardHints.ShardHint;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.BiConsumer;

/// An engine that owns nothing and remembers what the link told it.
public final class RecordingEngine implements LinkEvents {
    public final List<WorkerBoot> joined = new CopyOnWriteArrayList<>();
    public final List<WorkerBoot> silent = new CopyOnWriteArrayList<>();
    public final List<WorkerBoot> goodbye = new CopyOnWriteArrayList<>();
    public final List<Link.Running> held = new CopyOnWriteArrayList<>();
    public final List<Link.Running> started = new CopyOnWriteArrayList<>();
    public final List<Declined> declined = new CopyOnWriteArrayList<>();
    public final List<AttemptEnd> ended = new CopyOnWriteArrayList<>();
    public final List<Dispatch> undelivered = new CopyOnWriteArrayList<>();
    public final List<ShardHint> hinted = new CopyOnWriteArrayList<>();
    public final List<Saying> said = new CopyOnWriteArrayList<>();
    public final Set<Link.Running> owned = ConcurrentHashMap.newKeySet();
    public volatile boolean mayAct = true;
    public volatile boolean ownsAll;
    public volatile BiConsumer<WorkerBoot, List<AttemptEnd>> onEnded = (worker, ends) -> {};
    public volatile boolean databaseDown;

    @Override
    public boolean mayAct() {
        return mayAct;
    }

    @Override
    public void joined(WorkerBoot worker, List<Link.Running> running) {
        held.addAll(running);
        joined.add(worker);
    }

    @Override
    public void started(WorkerBoot worker, List<Link.Running> executions) {
        started.addAll(executions);
    }

    @Override
    public void declined(WorkerBoot worker, List<Declined> executions) {
        declined.addAll(executions);
    }

    @Override
    public void said(WorkerBoot worker, List<Saying> sayings) {
        said.addAll(sayings);
    }

    @Override
    public void ended(WorkerBoot worker, List<AttemptEnd> ends) {
        ended.addAll(ends);
        onEnded.accept(worker, ends);
    }

    @Override
    public void undelivered(WorkerBoot worker, List<Dispatch> dispatches) {
        undelivered.addAll(dispatches);
    }

    @Override
    public void goodbye(WorkerBoot worker) {
        goodbye.add(worker);
    }

    @Override
    public void silent(WorkerBoot worker, Duration since) {
        silent.add(worker);
    }

    @Override
    public void capacityChanged() {}

    @Override
    public Ownership ownership(WorkerBoot worker, List<Link.Running> running) {
        return new Ownership(
                databaseDown,
                running.stream().filter(one -> ownsAll || owned.contains(one)).toList(),
                List.of());
    }

    @Override
    public void shardsHinted(Collection<ShardHint> hints) {
        hinted.addAll(hints);
    }
}
