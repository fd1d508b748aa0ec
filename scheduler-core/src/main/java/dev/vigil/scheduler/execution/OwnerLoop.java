package dev.vigil.scheduler.execution;

import dev.vigil.scheduler.execution.Adoption.Claim;
import dev.vigil.scheduler.execution.Open.Phase;
import dev.vigil.scheduler.task.ShardHints.ShardHint;
import java.io.ByteArrayOutputStream;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.core.NestedExceptionUtils;

/// One thread that owns the memory of some shards and one database connection. It takes what others tell it
/// from a queue and then does all that waits, in batches: commands first, then what has ended, then what fires,
/// then what is due. Ends are stored beside it ([Closer]).
final class OwnerLoop implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(OwnerLoop.class);
    /// Between two looks at everything that is open.
    static final Duration HOUSEKEEPING = Duration.ofSeconds(1);
    private static final Duration RETRY = Duration.ofMillis(250);

    /// Between two turns while this core may not act.
    private static final Duration NO_RIGHT = Duration.ofMillis(50);

    /// How long shards are tried to be released at the end.
    private static final Duration FAREWELL = Duration.ofSeconds(3);

    /// How long a `start` event waits for the end of its attempt, to be stored with it.
    private static final Duration START_EVENT = Duration.ofMillis(400);

    private final LinkedBlockingQueue<Runnable> inbox = new LinkedBlockingQueue<>();
    private final AtomicBoolean capacity = new AtomicBoolean();
    private final CountDownLatch ended = new CountDownLatch(1);
    private final LoopState state;
    private final Endings endings;
    private final Dispatching dispatching;
    private final Adoption adoption;
    private final FireWork fires;
    private final CommandWork commands;
    private final Succession succession;
    private final Dependencies dependencies;
    private final News news;
    private final Thread thread;
    private volatile boolean stopping;
    private final ArrayDeque<Runnable> mail = new ArrayDeque<>();
    private final List<Claim> claimed = new ArrayList<>();
    /// Shards of which somebody says that there is a command.
    private final Set<Integer> hinted = new HashSet<>();
    private volatile boolean abandoned;
    private boolean failed;
    private long failedAt;
    private long housekeptAt;

    OwnerLoop(String name, LoopState state) {
        this.state = state;
        this.endings = new Endings(state, () -> post(() -> {}));
        this.dispatching = new Dispatching(state);
        this.adoption = new Adoption(state, endings);
        this.fires = new FireWork(state);
        this.dependencies = new Dependencies(state, endings);
        this.news = new News(state, dependencies);
        this.commands = new CommandWork(state, endings, fires, dependencies);
        this.succession = new Succession(state, endings);
        this.thread = Thread.ofPlatform().name(name).daemon(true).unstarted(this::run);
    }

    void start() {
        thread.start();
    }

    /// Releases all shards and ends.
    @Override
    public void close() {
        stopping = true;
        post(() -> {});
        try {
            if (!ended.await(10, TimeUnit.SECONDS)) {
                LOG.warn("event=loop_not_ended name={}", thread.getName());
            }
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /// Ends as a crash would.
    void abandon() {
        abandoned = true;
        close();
    }

    private void post(Runnable work) {
        inbox.add(work);
    }

    void adopt(List<Claim> claims) {
        post(() -> claimed.addAll(claims));
    }

    /// The shard belongs to somebody else.
    void lose(int shard, long epoch) {
        post(() -> {
            if (state.owns(shard) && state.shard(shard).epoch <= epoch) {
                state.lose(shard);
            }
        });
    }

    /// All of its shards belong to somebody else.
    ///
    /// @param then is told when the last of them is forgotten
    void loseAll(Runnable then) {
        post(() -> {
            List.copyOf(state.shards.keySet()).forEach(state::lose);
            then.run();
        });
    }

    /// Gives a shard back: nothing more is dispatched in it, and once what runs is over, or has had its time, it goes.
    void release(int shard) {
        post(() -> {
            if (state.owns(shard)) {
                state.shard(shard).leave(state.core.nanos());
            }
        });
    }

    /// There is a command up to this number, and perhaps news.
    void announce(int shard, long changeSeq, boolean there) {
        post(() -> {
            if (state.owns(shard)) {
                OwnedShard owned = state.shard(shard);
                owned.announced = Math.max(owned.announced, changeSeq);
                if (there) {
                    news.come();
                }
            }
        });
    }

    /// Something was commanded in a shard, by hearsay. However many say so, it is looked for once a turn.
    void hinted(int shard) {
        post(() -> hinted.add(shard));
    }

    /// Something was created in a shard.
    void created(ShardHint hint) {
        Instant due = hint.due();
        if (due != null) {
            post(() -> {
                if (state.owns(hint.shard())) {
                    OwnedShard shard = state.shard(hint.shard());
                    shard.lanes.rewindAll(hint.lanes(), due);
                    if (hint.schedules()) {
                        FireWork.lookBy(shard, due.minus(Lanes.LOOK_AHEAD));
                    }
                }
            });
        }
    }

    void ended(WorkerBoot worker, List<AttemptEnd> ends) {
        post(() -> ends.forEach(end -> endings.reported(worker, end)));
    }

    void started(List<Open> opens) {
        Instant at = state.core.clock().now();
        post(() -> state.current(opens).forEach(open -> {
            if (open.startedAt == null) {
                open.startedAt = at;
                open.startEvent = ExecutionEvents.start(open, at);
            }
        }));
    }

    /// These dispatches came back without having run.
    void cameBack(List<Open> opens, String code) {
        post(() -> state.current(opens).forEach(open -> endings.neverRan(open, code)));
    }

    /// A worker would not have these.
    void declined(List<Open> opens, String code) {
        post(() -> state.current(opens).forEach(open -> endings.declined(open, code)));
    }

    void silent(WorkerBoot worker, Duration since) {
        long at = state.core.nanos();
        post(() -> adoption.workerSilent(worker, at, since));
    }

    void left(WorkerBoot worker) {
        post(() -> adoption.workerLeft(worker));
    }

    void joined(WorkerBoot worker) {
        post(() -> adoption.workerJoined(worker));
    }

    /// Workers have room again.
    void capacityChanged() {
        if (capacity.compareAndSet(false, true)) {
            post(() -> {
                capacity.set(false);
                state.blocked.clear();
            });
        }
    }

    private void run() {
        boolean more = false;
        while (!stopping) {
            try {
                Runnable next = more ? inbox.poll() : inbox.poll(waitNanos(), TimeUnit.NANOSECONDS);
                if (next != null) {
                    mail.add(next);
                }
                more = turn();
            } catch (InterruptedException interrupted) {
                break;
            } catch (RuntimeException failure) { // its shards would stay its own, and stand still
                more = fail(failure);
            }
        }
        finish();
        ended.countDown();
    }

    /// One turn: takes what was told, then does what waits. After a failure nothing is done, and nothing that was told
    /// is forgotten, until the truth has been read anew.
    ///
    /// @return whether there is more to do at once
    boolean turn() {
        inbox.drainTo(mail);
        if (failed && state.core.nanos() - failedAt < RETRY.toNanos()) {
            return false;
        }
        try {
            if (failed) {
                recover();
            }
            read();
            return step();
        } catch (RuntimeException failure) {
            return fail(failure);
        }
    }

    private boolean fail(RuntimeException failure) {
        LOG.warn(
                "event=loop_failed name={} reason={} next=read_anew_in_{}",
                thread.getName(),
                NestedExceptionUtils.getMostSpecificCause(failure).toString(),
                RETRY);
        failed = true;
        failedAt = state.core.nanos();
        state.truth.close();
        return false;
    }

    private void read() {
        for (Runnable next = mail.poll(); next != null; next = mail.poll()) {
            next.run();
        }
        List<Integer> asked = hinted.stream().filter(state::owns).toList();
        hinted.clear();
        if (!asked.isEmpty()) {
            state.examine(asked);
            news.read();
        }
    }

    private void recover() {
        dispatching.reload();
        endings.setAside();
        adoption.reload();
        dependencies.adopt(List.copyOf(state.shards.keySet()));
        adoption.recall();
        endings.takeUp();
        failed = false;
    }

    /// @return whether there is more to do at once
    private boolean step() {
        endings.take();
        if (!claimed.isEmpty()) {
            endings.await();
            List<Claim> fresh = adoption.fresh(claimed);
            adoption.adopt(fresh);
            dependencies.adopt(fresh.stream().map(Claim::shard).toList());
            claimed.clear();
        }
        if (state.hasCommands()) {
            endings.await();
        }
        commands.apply();
        dependencies.step();
        endings.flush();
        commands.complete();
        // What is due does not wait for all that a turn stores and reads.
        dispatching.send();
        boolean more = fires.fire();
        succession.step();
        endings.flush(); // so that what is replaced is not read as due
        more |= !endings.isEmpty();
        more |= dispatching.read();
        dispatching.send();
        more |= dispatching.dispatch();
        dispatching.send();
        dispatching.readClock();
        long now = state.core.nanos();
        List<Integer> leaving = state.shards.values().stream()
                .filter(shard -> shard.mayGo(now))
                .map(shard -> shard.id)
                .toList();
        if (!leaving.isEmpty()) {
            release(leaving);
        }
        if (now - housekeptAt >= HOUSEKEEPING.toNanos()) {
            housekeptAt = now;
            housekeep();
        } else if (adoption.nanosToDecision() <= 0) {
            adoption.watch();
        }
        return more;
    }

    private void housekeep() {
        state.blocked.clear();
        state.permits.settle();
        adoption.watch();
        endings.retryUndecided();
        if (news.isUnread()) {
            news.read();
        }
        storeStarts();
        state.truth.publish(
                state.core.shortages(),
                state.core.incarnation(),
                state.core.clock().now());
        news.prune();
    }

    /// How long nothing is to be done, unless something is told.
    long waitNanos() {
        if (failed) {
            return RETRY.toNanos();
        }
        long now = state.core.nanos();
        long wait = Math.min(housekeptAt + HOUSEKEEPING.toNanos() - now, adoption.nanosToDecision());
        wait = Math.min(wait, state.permits.nanosToLook());
        Instant next = state.nextWake(dispatching.nextSend());
        // What lies behind the next housekeeping may lie so far ahead that its nanoseconds are no number.
        Duration left = next == null
                ? HOUSEKEEPING
                : Duration.between(state.core.clock().at(now), next);
        if (left.compareTo(HOUSEKEEPING) < 0) {
            wait = left.isNegative() ? 0 : Math.min(wait, left.toNanos());
        }
        // What is due waits for the right to act, and does not keep the processor busy meanwhile.
        return Math.max(state.core.mayAct() ? 0 : NO_RIGHT.toNanos(), wait);
    }

    private void storeStarts() {
        Instant before = state.core.clock().now().minus(START_EVENT);
        var told = new ArrayList<Open>();
        var framed = new ByteArrayOutputStream();
        for (OwnedShard shard : state.shards.values()) {
            for (Open open : shard.open.values()) {
                // One that is ending goes with its end, which may be on its way.
                if (open.phase != Phase.ENDING
                        && open.startEvent != null
                        && open.startedAt != null
                        && open.startedAt.isBefore(before)) {
                    told.add(open);
                    framed.writeBytes(open.startEvent);
                }
            }
        }
        if (!told.isEmpty()) {
            Set<Integer> shards = new HashSet<>();
            told.forEach(open -> shards.add(open.due.shard()));
            state.truth.tell(state.owned(shards), told.size(), framed.toByteArray());
            told.forEach(open -> open.startEvent = null);
        }
    }

    /// Lets shards go in order: nothing new leaves, what has ended is stored, what was not sent goes back.
    private void release(List<Integer> ids) {
        for (int id : ids) {
            OwnedShard shard = state.shards.get(id);
            if (shard != null) {
                dispatching.takeBack(shard).forEach(open -> endings.neverRan(open, "released"));
            }
        }
        endings.flushAll();
        state.release(ids);
    }

    /// Shards that were given to this loop and that it has not taken up.
    private void releaseClaimed() {
        List<Claim> left =
                claimed.stream().filter(claim -> !state.owns(claim.shard())).toList();
        if (!left.isEmpty()) {
            List<Owned.Shard> shards = left.stream()
                    .map(claim -> new Owned.Shard(claim.shard(), claim.epoch(), claim.changeSeq()))
                    .toList();
            List<Integer> orphaned =
                    left.stream().filter(Claim::orphaned).map(Claim::shard).toList();
            state.truth.release(new Owned(state.core.incarnation(), shards), orphaned);
        }
        claimed.clear();
    }

    /// Stores what has ended and lets all shards go.
    void farewell() {
        if (failed) {
            recover();
        }
        inbox.drainTo(mail);
        read();
        releaseClaimed();
        release(List.copyOf(state.shards.keySet()));
    }

    /// A failure just before the end does not keep the shards: the truth is read anew, and then they are released.
    private void finish() {
        long until = state.core.nanos() + FAREWELL.toNanos();
        boolean over = abandoned;
        while (!over) {
            try {
                farewell();
                over = true;
            } catch (RuntimeException failure) {
                failed = true;
                state.truth.close();
                over = state.core.nanos() - until > 0;
                if (over) {
                    LOG.warn(
                            "event=shards_not_released name={} reason={} next=another_core_takes_them_after_{}",
                            thread.getName(),
                            NestedExceptionUtils.getMostSpecificCause(failure).toString(),
                            BeatWatch.PATIENCE);
                } else {
                    LockSupport.parkNanos(RETRY.toNanos());
                }
            }
        }
        state.truth.close();
        state.closer.close();
    }
}
