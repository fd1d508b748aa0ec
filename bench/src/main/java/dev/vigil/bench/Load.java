package dev.vigil.bench;

import dev.vigil.bench.Contestant.NoOp;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Those who store tasks: callers in a closed loop, a bulk, and an open loop at a fixed rate.
final class Load {
    private static final Logger LOG = LoggerFactory.getLogger(Load.class);
    private static final long DAY_MICROS = Duration.ofDays(1).toMillis() * 1_000;
    private static final int FEEDERS = 32;
    private static final long FEED_LEAD_MICROS = 50_000;

    private final Contestant contestant;
    private final InstantSource clock;

    Load(Contestant contestant, InstantSource clock) {
        this.contestant = contestant;
        this.clock = clock;
    }

    private long now() {
        return Starts.micros(clock.instant());
    }

    /// Callers who store one task after the other.
    ///
    /// @param future whether the tasks are due in a day instead of at once
    Map<String, Object> single(int clients, double seconds, boolean future) throws InterruptedException {
        long begin = System.nanoTime();
        long end = begin + (long) (seconds * 1e9);
        var errors = new AtomicInteger();
        var taken = new ArrayList<LongStream>();
        join(clients, i -> {
            long[] micros = loop(end, future, errors);
            synchronized (taken) {
                taken.add(Arrays.stream(micros));
            }
        });
        double elapsed = (System.nanoTime() - begin) / 1e9;
        long[] all = taken.stream().flatMapToLong(each -> each).toArray();
        Map<String, Object> result = Starts.quantiles(all);
        result.put("seconds", elapsed);
        result.put("perSecond", all.length / elapsed);
        result.put("errors", errors.get());
        return result;
    }

    private long[] loop(long end, boolean future, AtomicInteger errors) {
        var micros = LongStream.builder();
        for (long begin = System.nanoTime(); begin < end; begin = System.nanoTime()) {
            long now = now();
            store(new NoOp(future ? now + DAY_MICROS : 0, now), errors);
            micros.add((System.nanoTime() - begin) / 1_000);
        }
        return micros.build().toArray();
    }

    private void store(NoOp task, AtomicInteger errors) {
        try {
            contestant.enqueue(task);
        } catch (Exception failure) {
            if (errors.getAndIncrement() == 0) {
                LOG.error("event=task_not_stored", failure);
            }
        }
    }

    /// A bulk of tasks.
    ///
    /// @param dues when each is due; 0 for at once
    Map<String, Object> bulk(long[] dues) throws Exception {
        long now = now();
        List<NoOp> tasks = Arrays.stream(dues)
                .mapToObj(due -> new NoOp(due, due == 0 ? now : due))
                .toList();
        long begin = System.nanoTime();
        contestant.enqueueAll(tasks);
        return Map.of("n", dues.length, "seconds", (System.nanoTime() - begin) / 1e9);
    }

    /// Due times of a bulk: `now`, `future`, or from `startInMs` on at a rate.
    long[] dues(int n, String due, double rate, long startInMs) {
        long base = now() + startInMs * 1_000;
        return switch (due) {
            case "now" -> new long[n];
            case "future" ->
                IntStream.range(0, n).mapToLong(i -> base + DAY_MICROS).toArray();
            case "spread" ->
                IntStream.range(0, n)
                        .mapToLong(i -> base + (long) (i * 1e6 / rate))
                        .toArray();
            default -> throw new IllegalArgumentException("due is " + due + "; use now, future or spread");
        };
    }

    /// An open loop of tasks that are due at once. What each is measured from is when it should have been stored.
    Map<String, Object> feed(int rate, double seconds) throws InterruptedException {
        int n = (int) (rate * seconds);
        long base = now() + FEED_LEAD_MICROS;
        var next = new AtomicInteger();
        var lag = new AtomicLong();
        var errors = new AtomicInteger();
        join(FEEDERS, feeder -> {
            for (int i = next.getAndIncrement(); i < n; i = next.getAndIncrement()) {
                long at = base + (long) (i * 1e6 / rate);
                for (long wait = at - now(); wait > 0; wait = at - now()) {
                    LockSupport.parkNanos(wait * 1_000);
                }
                store(new NoOp(0, at), errors);
                lag.accumulateAndGet(now() - at, Math::max);
            }
        });
        return Map.of("n", n, "maxLagUs", lag.get(), "errors", errors.get(), "seconds", (now() - base) / 1e6);
    }

    private static void join(int threads, java.util.function.IntConsumer work) throws InterruptedException {
        List<Thread> started = IntStream.range(0, threads)
                .mapToObj(i -> Thread.ofPlatform().start(() -> work.accept(i)))
                .toList();
        for (Thread thread : started) {
            thread.join();
        }
    }
}
