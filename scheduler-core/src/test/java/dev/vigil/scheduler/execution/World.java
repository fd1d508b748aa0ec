package dev.vigil.scheduler.execution;

import dev.vigil.scheduler.history.Event;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/// Virtual time, and what is to happen when. One thread plays everybody. Whoever waits for an answer in the middle of
/// production's code lets the others go on meanwhile ([#pass]), so the same code is interrupted at each of its
/// questions to the database.
final class World {
    static final long MILLI = 1_000_000;
    static final long SECOND = 1_000 * MILLI;
    private static final Instant START = Instant.parse("2026-11-21T12:00:00Z");

    final SplittableRandom chance;
    final List<Event> history = new ArrayList<>();
    private final PriorityQueue<Plan> plans =
            new PriorityQueue<>(Comparator.comparingLong(Plan::at).thenComparingLong(Plan::order));
    private long now = SECOND;
    private long order;

    World(long seed) {
        chance = new SplittableRandom(seed);
    }

    private record Plan(long at, long order, Host host, Runnable work) {}

    /// A process or a machine, which may stand still or be gone.
    static final class Host {
        final String name;
        private final @Nullable Host machine;
        private long awakeAt;
        private boolean gone;

        Host(String name, @Nullable Host machine) {
            this.name = name;
            this.machine = machine;
        }

        long awakeAt() {
            return machine == null ? awakeAt : Math.max(awakeAt, machine.awakeAt());
        }

        void pause(long until) {
            awakeAt = Math.max(awakeAt, until);
        }

        boolean isGone() {
            return gone || (machine != null && machine.isGone());
        }

        void kill() {
            gone = true;
        }
    }

    /// Ends the play of a process that was killed in the middle of a question.
    static final class Killed extends Error {
        private static final long serialVersionUID = 1;

        Killed() {
            super("killed", null, false, false);
        }
    }

    /// Monotonic nanoseconds of every host.
    long now() {
        return now;
    }

    Instant time() {
        return START.plusNanos(now);
    }

    static Instant time(long nanos) {
        return START.plusNanos(nanos);
    }

    void tell(Event event) {
        history.add(event);
    }

    boolean happens(double probability) {
        return chance.nextDouble() < probability;
    }

    /// Between two numbers of milliseconds, in nanoseconds.
    long millis(long from, long to) {
        return chance.nextLong(from * MILLI, to * MILLI + 1);
    }

    /// Something happens to or in a host, unless it is gone by then; later when it stands still.
    void after(long nanos, Host host, Runnable work) {
        order++;
        plans.add(new Plan(now + nanos, order, host, work));
    }

    /// Lets everything happen up to a time.
    void runUntil(long until) {
        while (!plans.isEmpty() && plans.peek().at <= until) {
            Plan plan = plans.remove();
            now = Math.max(now, plan.at);
            if (plan.host.isGone()) {
                continue;
            }
            if (plan.host.awakeAt() > now) {
                order++;
                plans.add(new Plan(plan.host.awakeAt(), order, plan.host, plan.work));
                continue;
            }
            try {
                plan.work.run();
            } catch (Killed killed) {
                // Its process is gone, and what it was about to do with it.
            }
        }
        now = Math.max(now, until);
    }

    /// A host waits, and everybody else goes on. It returns later when the host was stopped, and never when it was
    /// killed.
    void pass(Host host, long nanos) {
        runUntil(now + nanos);
        while (!host.isGone() && host.awakeAt() > now) {
            runUntil(host.awakeAt());
        }
        if (host.isGone()) {
            throw new Killed();
        }
    }
}
