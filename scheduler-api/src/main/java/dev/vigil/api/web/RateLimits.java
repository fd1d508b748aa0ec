package dev.vigil.api.web;

import java.net.Inet6Address;
import java.net.InetAddress;
import java.util.HexFormat;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.LongSupplier;

/// How often a principal, or an address without one, may call this node. Kept in memory: a limit is per node, and a
/// restart forgets it.
public final class RateLimits {
    private static final int WINDOWS_MAX = 100_000;
    private static final long MINUTE = 60_000_000_000L;
    private static final long SECOND = 1_000_000_000L;
    private static final int HEALTH_PER_SECOND = 10;

    private final Map<String, RateWindow> windows = new ConcurrentHashMap<>();
    private final int unauthenticatedPerMinute;
    private final LongSupplier nanos;

    /// @param unauthenticatedPerMinute calls of one address without, or with bad, credentials
    /// @param nanos                    a monotonic clock in nanoseconds
    public RateLimits(int unauthenticatedPerMinute, LongSupplier nanos) {
        this.unauthenticatedPerMinute = unauthenticatedPerMinute;
        this.nanos = nanos;
    }

    /// What became of one call.
    ///
    /// @param allowed        whether it may go on
    /// @param quota          calls in a window
    /// @param remaining      calls left
    /// @param windowSeconds  length of the window
    /// @param retrySeconds   when the next one is possible; 0 when it may go on
    record Verdict(boolean allowed, int quota, int remaining, int windowSeconds, long retrySeconds) {
        /// The fields of draft-ietf-httpapi-ratelimit-headers-10.
        String policyHeader() {
            return "\"default\";q=" + quota + ";w=" + windowSeconds;
        }

        String limitHeader() {
            return "\"default\";r=" + remaining + ";t=" + (allowed ? windowSeconds : retrySeconds);
        }
    }

    /// Counts a call of a principal.
    Verdict ofPrincipal(Caller caller) {
        return count("p:" + caller.id(), caller.requestsPerMinute(), MINUTE);
    }

    /// Counts a call without credentials, or with bad ones.
    Verdict ofStranger(String address) {
        return count("a:" + network(address), unauthenticatedPerMinute, MINUTE);
    }

    /// Counts a health check.
    Verdict ofHealth(String address) {
        return count("h:" + network(address), HEALTH_PER_SECOND, SECOND);
    }

    private Verdict count(String key, int quota, long windowNanos) {
        long now = nanos.getAsLong();
        if (windows.size() > WINDOWS_MAX) {
            forgetIdle(now);
        }
        // A flood of addresses shares one window rather than the memory of this process.
        String bounded = windows.size() > WINDOWS_MAX && !windows.containsKey(key) ? "overflow" : key;
        RateWindow window = windows.computeIfAbsent(bounded, k -> new RateWindow(windowNanos, now));
        synchronized (window) {
            int remaining = window.take(quota, now);
            int seconds = (int) (windowNanos / SECOND);
            return remaining >= 0
                    ? new Verdict(true, quota, remaining, seconds, 0)
                    : new Verdict(false, quota, 0, seconds, window.secondsUntilFree(now));
        }
    }

    private void forgetIdle(long now) {
        windows.values().removeIf(window -> {
            synchronized (window) {
                return window.isIdle(now);
            }
        });
    }

    /// An IPv4 address, or the /64 of an IPv6 one: a single customer has a whole /64.
    static String network(String address) {
        try {
            InetAddress parsed = InetAddress.ofLiteral(address);
            return parsed instanceof Inet6Address
                    ? HexFormat.of().formatHex(parsed.getAddress(), 0, 8)
                    : parsed.getHostAddress();
        } catch (IllegalArgumentException e) {
            return address;
        }
    }
}
