package dev.vigil.scheduler.worker;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.time.Duration;

/// How the core listens for workers.
///
/// @param host                     address to bind
/// @param advertised               `host:port` of the link that workers are told, where it differs from the bound one
///                                 (containers, NAT, proxies); empty for host and bound port
/// @param sessionsPort             HTTPS port for sessions and hints; 0 for a free one
/// @param linkPort                 TLS port of the link; 0 for a free one
/// @param connectionsMax           link connections in all; each may hold one frame cap of memory before it is known
/// @param connectionsPerAddressMax link connections of one address
/// @param sessionLife              longest life of a session; it also ends with the worker's certificate
public record WorkerLinkSettings(
        String host,
        String advertised,
        int sessionsPort,
        int linkPort,
        int connectionsMax,
        int connectionsPerAddressMax,
        Duration sessionLife) {
    /// A worker's heartbeats come this often.
    static final Duration HEARTBEAT = Duration.ofSeconds(1);

    public WorkerLinkSettings {
        positive("connections-max", connectionsMax);
        positive("connections-per-address-max", connectionsPerAddressMax);
        if (sessionLife.compareTo(Duration.ofSeconds(1)) < 0 || sessionLife.compareTo(Duration.ofHours(1)) > 0) {
            throw new IllegalArgumentException("vigil.core.link.session-life is " + sessionLife + "; use 1s to 1h");
        }
    }

    /// Loopback, free ports, usual limits.
    public static WorkerLinkSettings onLoopback() {
        return new WorkerLinkSettings("127.0.0.1", "", 0, 0, 4_096, 1_024, Duration.ofHours(1));
    }

    /// The same behind another address.
    public WorkerLinkSettings advertisedAs(String endpoint) {
        return new WorkerLinkSettings(
                host, endpoint, sessionsPort, linkPort, connectionsMax, connectionsPerAddressMax, sessionLife);
    }

    String endpoint(int boundPort) {
        return advertised.isEmpty() ? host + ":" + boundPort : advertised;
    }

    InetAddress address() throws UnknownHostException {
        return InetAddress.getByName(host);
    }

    private static void positive(String name, int value) {
        if (value < 1) {
            throw new IllegalArgumentException("vigil.core.link." + name + " is " + value + "; use 1 or more");
        }
    }
}
