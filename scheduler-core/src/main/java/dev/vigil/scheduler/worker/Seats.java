package dev.vigil.scheduler.worker;

import dev.vigil.scheduler.execution.Link.Credits;
import dev.vigil.scheduler.execution.WorkerBoot;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/// The free places on all workers that are connected: who may be given what, and how much more each can take.
///
/// Safe for use by several threads: the engine takes, the ROUTER's thread grants.
final class Seats {
    private static final long BACKLOG_NANOS = 2_000_000_000L;
    private static final long BACK_OFF_NANOS = 30_000_000_000L;

    private final Map<WorkerBoot, Seat> seats = new HashMap<>();
    private final Map<Wanted, Unmet> unmet = new HashMap<>();
    private final Map<Refusal, Long> refusals = new HashMap<>();
    private final Workers workers;

    /// What the engine looks for a worker for.
    private record Wanted(int namespace, String handler) {}

    private record Unmet(int count, long at) {}

    private record Refusal(UUID worker, Wanted wanted) {}

    private static final class Seat {
        private final WorkerSession.Abilities abilities;
        private boolean open;
        private int granted;
        private int used;
        private int reserved;

        Seat(WorkerSession.Abilities abilities) {
            this.abilities = abilities;
        }

        int free() {
            return open ? Math.max(0, granted - used - reserved) : 0;
        }
    }

    Seats(Workers workers) {
        this.workers = workers;
    }

    /// A boot has a new connection: its grant starts anew, what the engine has taken and not sent yet stays taken.
    synchronized void connected(WorkerBoot boot, WorkerSession.Abilities abilities) {
        var seat = new Seat(abilities);
        Seat old = seats.put(boot, seat);
        seat.reserved = old == null ? 0 : old.reserved;
    }

    /// Takes dispatches for this boot or not: suspended, draining and unheard workers get none.
    synchronized void open(WorkerBoot boot, boolean open) {
        Seat seat = seats.get(boot);
        if (seat != null) {
            seat.open = open;
        }
    }

    synchronized void gone(WorkerBoot boot) {
        seats.remove(boot);
    }

    /// The worker's grant, in all since its connection began. A lowered one is followed as far as it is not used.
    ///
    /// @return the grant in force, and whether there is more free than before
    synchronized Granted grant(WorkerBoot boot, int granted) {
        Seat seat = seats.get(boot);
        if (seat == null) {
            return new Granted(0, false);
        }
        int before = seat.free();
        // The counter is a 32-bit number that may wrap: compare by difference.
        int taken = seat.used + seat.reserved;
        seat.granted = granted - taken < 0 ? taken : granted;
        return new Granted(seat.granted, seat.free() > before);
    }

    /// @param inForce what the worker is told
    /// @param more    whether waiting executions may fit now
    record Granted(int inForce, boolean more) {}

    synchronized Optional<Credits> take(int namespace, String handler, int atMost) {
        var wanted = new Wanted(namespace, handler);
        @Nullable WorkerBoot best = null;
        int most = 0;
        for (var entry : seats.entrySet()) {
            int free = entry.getValue().free();
            if (free > most && eligible(entry.getKey(), entry.getValue(), wanted)) {
                most = free;
                best = entry.getKey();
            }
        }
        int count = Math.min(most, atMost);
        if (count < atMost) {
            unmet.put(wanted, new Unmet(atMost - count, System.nanoTime()));
        } else {
            unmet.remove(wanted);
        }
        if (best == null) {
            return Optional.empty();
        }
        java.util.Objects.requireNonNull(seats.get(best)).reserved += count;
        return Optional.of(new Credits(best, count));
    }

    /// Whether a worker is connected that may run it, with or without room.
    synchronized boolean isServed(int namespace, String handler) {
        var wanted = new Wanted(namespace, handler);
        return seats.entrySet().stream().anyMatch(seat -> eligible(seat.getKey(), seat.getValue(), wanted));
    }

    private boolean eligible(WorkerBoot boot, Seat seat, Wanted wanted) {
        if (!seat.abilities.handlers().contains(wanted.handler())
                || !workers.mayRun(boot.worker(), wanted.namespace(), wanted.handler())) {
            return false;
        }
        Long until = refusals.get(new Refusal(boot.worker(), wanted));
        return until == null || System.nanoTime() - until > 0;
    }

    synchronized void giveBack(WorkerBoot boot, int count) {
        Seat seat = seats.get(boot);
        if (seat != null) {
            seat.reserved = Math.max(0, seat.reserved - count);
        }
    }

    /// Taken credits left in a frame.
    synchronized void used(WorkerBoot boot, int count) {
        Seat seat = seats.get(boot);
        if (seat != null) {
            seat.reserved = Math.max(0, seat.reserved - count);
            seat.used += count;
        }
    }

    /// The API did not let this worker have the materials: leave it alone with that for a while.
    synchronized void refused(UUID worker, int namespace, String handler) {
        long now = System.nanoTime();
        refusals.values().removeIf(until -> now - until > 0);
        refusals.put(new Refusal(worker, new Wanted(namespace, handler)), now + BACK_OFF_NANOS);
    }

    /// How much more this worker would be given now, if it had credits.
    synchronized int backlog(WorkerBoot boot) {
        Seat seat = seats.get(boot);
        if (seat == null) {
            return 0;
        }
        long now = System.nanoTime();
        unmet.values().removeIf(wish -> now - wish.at() > BACKLOG_NANOS);
        long sum = 0;
        for (var wish : unmet.entrySet()) {
            if (eligible(boot, seat, wish.getKey())) {
                sum += wish.getValue().count();
            }
        }
        return (int) Math.min(sum, Integer.MAX_VALUE);
    }
}
