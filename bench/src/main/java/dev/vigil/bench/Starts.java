package dev.vigil.bench;

import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/// When tasks started, since the last reset: how many, the first, the last, and how late each was.
///
/// For use by many threads at once; a reset while tasks start may count one of them on either side.
public final class Starts implements Contestant.StartListener {
    /// Most delays that are kept; later ones are counted only.
    private static final int KEPT_MAX = 2_000_000;

    private static final int WINDOWS = 3;

    private final long[] delays = new long[KEPT_MAX];
    private final AtomicInteger done = new AtomicInteger();
    private final AtomicLong first = new AtomicLong();
    private final AtomicLong last = new AtomicLong();

    /// Microseconds of the epoch.
    ///
    /// @param at a time after 1970
    public static long micros(Instant at) {
        return at.getEpochSecond() * 1_000_000 + at.getNano() / 1_000;
    }

    /// The time of so many microseconds of the epoch.
    public static Instant instant(long micros) {
        return Instant.ofEpochSecond(micros / 1_000_000, micros % 1_000_000 * 1_000);
    }

    @Override
    public void started(long t0Micros, long atMicros) {
        int place = done.getAndIncrement();
        if (place < KEPT_MAX) {
            delays[place] = atMicros - t0Micros;
        }
        first.accumulateAndGet(atMicros, (known, at) -> known == 0 ? at : Math.min(known, at));
        last.accumulateAndGet(atMicros, Math::max);
    }

    void reset() {
        done.set(0);
        first.set(0);
        last.set(0);
    }

    /// How many have started since the last reset.
    int count() {
        return done.get();
    }

    Map<String, Object> progress() {
        return Map.of("done", done.get(), "firstUs", first.get(), "lastUs", last.get());
    }

    /// Over all starts, and over each third of them in their order.
    Map<String, Object> latency() {
        int n = Math.min(done.get(), KEPT_MAX);
        var windows = new ArrayList<Map<String, Object>>();
        for (int i = 0; i < WINDOWS; i++) {
            windows.add(quantiles(
                    Arrays.copyOfRange(delays, (int) ((long) n * i / WINDOWS), (int) ((long) n * (i + 1) / WINDOWS))));
        }
        Map<String, Object> all = quantiles(Arrays.copyOf(delays, n));
        all.put("windows", List.copyOf(windows));
        return all;
    }

    /// By the nearest rank; -1 where there is nothing.
    static Map<String, Object> quantiles(long[] micros) {
        long[] sorted = micros.clone();
        Arrays.sort(sorted);
        var named = new LinkedHashMap<String, Object>();
        named.put("n", sorted.length);
        named.put("p50us", quantile(sorted, 0.5));
        named.put("p99us", quantile(sorted, 0.99));
        named.put("p999us", quantile(sorted, 0.999));
        named.put("maxus", quantile(sorted, 1));
        return named;
    }

    private static long quantile(long[] sorted, double part) {
        return sorted.length == 0 ? -1 : sorted[Math.max(0, (int) Math.ceil(part * sorted.length) - 1)];
    }
}
