package dev.vigil.agent.link;

import dev.vigil.agent.handler.Attempt;
import dev.vigil.agent.handler.Outcome;
import dev.vigil.agent.handler.Ownership;
import dev.vigil.agent.handler.RunListener;
import dev.vigil.agent.handler.Runner;
import dev.vigil.protocol.link.AckRecord;
import dev.vigil.protocol.link.CancelRecord;
import dev.vigil.protocol.link.DispatchRecord;
import dev.vigil.protocol.link.HeartbeatAnswer;
import dev.vigil.protocol.link.HeartbeatAnswer.Verdict;
import dev.vigil.protocol.link.Held;
import dev.vigil.protocol.link.Inbox;
import dev.vigil.protocol.link.ResultRecord;
import dev.vigil.protocol.link.SettledRecord;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.Set;
import java.util.UUID;
import java.util.function.BiConsumer;
import java.util.function.Predicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Everything that this worker holds, in the order it came: waiting for keys or a slot, running, ended and not yet
/// acknowledged. Belongs to the link's thread; what other threads find out comes in through the inbox.
final class Holdings {
    private static final Logger LOG = LoggerFactory.getLogger(Holdings.class);
    private static final long SLOT_PATIENCE_NANOS = Duration.ofSeconds(2).toNanos();
    private static final long ACK_PATIENCE_NANOS = Duration.ofSeconds(5).toNanos();
    private static final long RESULT_KEPT_NANOS = Duration.ofMinutes(10).toNanos();
    private static final long LOOK_NANOS = Duration.ofMillis(500).toNanos();

    private final Runner runner;
    private final Workbench bench;
    private final Inbox inbox;
    private final Sayings sayings;
    private final Predicate<UUID> speaks;
    private final BiConsumer<UUID, AckRecord> acks;
    private final SequencedMap<UUID, Holding> held = new LinkedHashMap<>();
    /// Of those that are held: ready to run, in the order they became so.
    private final Set<Holding> ready = new LinkedHashSet<>();
    /// Ended, and not said so since.
    private final Set<Holding> untold = new LinkedHashSet<>();
    private int running;
    private int over;
    private long lookedAt = System.nanoTime();

    /// @param acks told what to tell which core about a dispatch
    Holdings(Means means, BiConsumer<UUID, AckRecord> acks) {
        this.runner = means.runner();
        this.bench = means.bench();
        this.inbox = means.inbox();
        this.sayings = means.sayings();
        this.speaks = means.speaks();
        this.acks = acks;
    }

    /// What it works with.
    ///
    /// @param inbox  of the link's thread
    /// @param speaks whether a core is connected
    record Means(Runner runner, Workbench bench, Inbox inbox, Sayings sayings, Predicate<UUID> speaks) {}

    /// The list for READY and heartbeats.
    List<Held> list() {
        return held.values().stream().map(Holding::held).toList();
    }

    /// Whether nothing is held, not even an end that a core has yet to acknowledge.
    boolean isEmpty() {
        return held.isEmpty();
    }

    /// Places that are taken: waiting or running.
    int busy() {
        return held.size() - over;
    }

    /// Takes the dispatches of one frame.
    void take(UUID core, List<DispatchRecord> records) {
        var taken = new ArrayList<DispatchRecord>();
        for (DispatchRecord record : records) {
            Holding known = held.get(record.execution());
            if (known != null && known.fence() == record.fence()) {
                continue;
            }
            if (known != null && known.state() == Held.State.ENDED && known.fence() < record.fence()) {
                // The newer dispatch makes its result stale, which the core it was for may not live to say.
                remove(known);
                known = null;
            }
            if (known != null || held.size() >= Held.MAX) {
                // An older attempt of it is still here; its end is a matter of seconds, not of this dispatch.
                acks.accept(core, new AckRecord(record.execution(), record.fence(), "no_slot"));
                continue;
            }
            held.put(record.execution(), new Holding(record, core));
            taken.add(record);
        }
        if (!taken.isEmpty()) {
            Thread.ofVirtual().name("prepare").start(() -> prepare(taken));
        }
    }

    private void prepare(List<DispatchRecord> records) {
        try {
            bench.prepare(records, (record, preparation) -> inbox.add(() -> prepared(record, preparation)));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void prepared(DispatchRecord record, Workbench.Preparation preparation) {
        Holding holding = find(record.execution(), record.fence()).orElse(null);
        if (holding == null || holding.state() != Held.State.WAITING) {
            // Cancelled meanwhile: its result says so, and the plaintext is let go.
            return;
        }
        switch (preparation) {
            case Workbench.Preparation.Ready one -> {
                holding.prepared(one.prepared());
                ready.add(holding);
            }
            case Workbench.Preparation.Declined declined -> decline(holding, declined.code());
        }
    }

    private Optional<Holding> find(UUID execution, long fence) {
        return Optional.ofNullable(held.get(execution)).filter(holding -> holding.fence() == fence);
    }

    private void remove(Holding holding) {
        if (held.remove(holding.execution(), holding)) {
            ready.remove(holding);
            untold.remove(holding);
            over -= holding.state() == Held.State.ENDED ? 1 : 0;
        }
    }

    private void end(Holding holding, ResultRecord result) {
        ready.remove(holding);
        untold.add(holding);
        over++;
        holding.ended(result);
    }

    private void decline(Holding holding, String code) {
        remove(holding);
        acks.accept(holding.core(), new AckRecord(holding.execution(), holding.fence(), code));
    }

    /// Declines everything that has not begun.
    void declineWaiting(String code) {
        for (Holding holding : List.copyOf(held.values())) {
            if (holding.state() == Held.State.WAITING) {
                decline(holding, code);
            }
        }
    }

    /// Starts what is ready while there are slots; hands back what has waited too long for one.
    void startReady() {
        int slots = runner.slots();
        for (var next = ready.iterator(); running < slots && next.hasNext(); ) {
            Holding holding = next.next();
            next.remove();
            running++;
            holding.running();
            holding.takePrepared().ifPresent(prepared -> start(holding, prepared));
        }
        List<Holding> late = ready.stream()
                .filter(holding -> holding.nanosHeld() > SLOT_PATIENCE_NANOS)
                .toList();
        late.forEach(holding -> decline(holding, "no_slot"));
    }

    private void start(Holding holding, Prepared prepared) {
        LogFeed feed = sayings.feed(holding, prepared);
        holding.feed(feed);
        Thread.ofVirtual().name("run").start(() -> run(holding, prepared, feed));
    }

    /// On a thread of its own: waits for the attempt's outcome and seals it.
    private void run(Holding holding, Prepared prepared, LogFeed feed) {
        RunListener listener = sayings.listener(
                feed,
                () -> inbox.add(() -> {
                    holding.started();
                    acks.accept(holding.core(), new AckRecord(holding.execution(), holding.fence(), ""));
                }));
        try {
            Attempt attempt = runner.run(prepared.request(), listener);
            if (!attempt.outcome().isDone()) {
                inbox.add(() -> holding.attempt(attempt));
            }
            Outcome outcome = attempt.outcome().join();
            sayings.end(feed);
            Workbench.Report report = bench.report(prepared, outcome);
            inbox.add(() -> ended(holding, report));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            inbox.add(() -> ended(holding, new Workbench.Report.Nothing()));
        } catch (RuntimeException e) {
            LOG.error("event=attempt_failed_unexpectedly execution={}", holding.execution(), e);
            inbox.add(() -> ended(holding, new Workbench.Report.Declined("internal")));
        }
    }

    private void ended(Holding holding, Workbench.Report report) {
        running--;
        if (holding.isDropped()) {
            remove(holding);
            return;
        }
        switch (report) {
            case Workbench.Report.Ended ended -> end(holding, ended.result());
            case Workbench.Report.Declined declined -> {
                holding.feed().ifPresent(LogFeed::drop);
                decline(holding, declined.code());
            }
            case Workbench.Report.Nothing nothing -> {
                holding.feed().ifPresent(LogFeed::drop);
                remove(holding);
            }
        }
    }

    /// The results that this core must be told now.
    List<ResultRecord> due(UUID core) {
        lookForUnanswered();
        var due = new ArrayList<ResultRecord>();
        for (var next = untold.iterator(); next.hasNext(); ) {
            Holding holding = next.next();
            if (holding.core().equals(core) && holding.sendingDue(ACK_PATIENCE_NANOS)) {
                next.remove();
                holding.sent();
                holding.result().ifPresent(due::add);
            }
        }
        return due;
    }

    /// Now and then: what was told long ago and got no answer is told again, and given up at last.
    private void lookForUnanswered() {
        long now = System.nanoTime();
        if (now - lookedAt < LOOK_NANOS) {
            return;
        }
        lookedAt = now;
        for (Holding holding : List.copyOf(held.values())) {
            if (holding.state() == Held.State.ENDED && holding.nanosHeld() > RESULT_KEPT_NANOS + ACK_PATIENCE_NANOS) {
                dropOld(holding);
            } else if (holding.sendingDue(ACK_PATIENCE_NANOS)) {
                untold.add(holding);
            }
        }
    }

    private void dropOld(Holding holding) {
        if (holding.nanosSinceEnd() > RESULT_KEPT_NANOS) {
            LOG.warn("event=result_unwanted execution={} dropped=true", holding.execution());
            remove(holding);
        }
    }

    void settled(List<SettledRecord> records) {
        for (SettledRecord record : records) {
            find(record.execution(), record.fence())
                    .filter(holding -> holding.state() == Held.State.ENDED)
                    .ifPresent(this::remove);
        }
    }

    void cancel(CancelRecord record) {
        find(record.execution(), record.fence()).ifPresent(holding -> {
            switch (holding.state()) {
                case WAITING -> {
                    var cancelled = new ResultRecord(
                            record.execution(),
                            record.fence(),
                            ResultRecord.Outcome.CANCELLED,
                            0,
                            "cancelled",
                            false,
                            -1,
                            false,
                            null);
                    end(holding, cancelled);
                }
                case RUNNING -> holding.stop(Duration.ofMillis(record.graceMillis()));
                case ENDED -> {}
            }
        });
    }

    /// What a core said about the executions that a heartbeat listed.
    void judged(UUID core, List<Held> listed, HeartbeatAnswer answer, Duration age) {
        var owned = new ArrayList<UUID>();
        var unsure = new ArrayList<UUID>();
        for (int i = 0; i < listed.size(); i++) {
            Held one = listed.get(i);
            Holding holding = find(one.execution(), one.fence()).orElse(null);
            if (holding == null) {
                continue;
            }
            Verdict verdict = answer.verdicts().get(i);
            if (verdict == Verdict.OWNED && answer.databaseDown()) {
                if (holding.core().equals(core)) {
                    unsure.add(one.execution());
                }
            } else if (verdict == Verdict.OWNED) {
                if (!holding.core().equals(core)) {
                    holding.ownedBy(core);
                    sendAgain(holding);
                }
                owned.add(one.execution());
            } else if (verdict == Verdict.STALE) {
                drop(holding);
            } else if (!answer.databaseDown()) {
                unknown(holding, core);
            }
        }
        Ownership ownership = runner.ownership();
        if (!owned.isEmpty()) {
            ownership.owned(owned, age);
        }
        if (!unsure.isEmpty()) {
            ownership.databaseDown(unsure, age);
        }
    }

    /// A result whose core has gone may be stored already, and then no core knows of the execution any more: any of
    /// them can tell.
    private void unknown(Holding holding, UUID core) {
        if (holding.state() == Held.State.ENDED && !speaks.test(holding.core())) {
            holding.ownedBy(core);
            sendAgain(holding);
        }
    }

    /// Somebody else has it: stop it, and say nothing more about it.
    private void drop(Holding holding) {
        holding.drop();
        if (holding.state() != Held.State.RUNNING) {
            remove(holding);
        }
        LOG.warn("event=execution_stale execution={} stopped=true", holding.execution());
    }

    /// A connection to this core was lost or made: its results go out again.
    void sendAgain(UUID core) {
        held.values().stream().filter(holding -> holding.core().equals(core)).forEach(this::sendAgain);
    }

    private void sendAgain(Holding holding) {
        holding.sendAgain();
        if (holding.state() == Held.State.ENDED) {
            untold.add(holding);
        }
    }

    /// What had started for this core, in case it did not hear it.
    List<AckRecord> startedFor(UUID core) {
        return held.values().stream()
                .filter(holding -> holding.core().equals(core) && holding.hasStarted())
                .map(holding -> new AckRecord(holding.execution(), holding.fence(), ""))
                .toList();
    }
}
