package dev.vigil.protocol.identity;

import org.jspecify.annotations.Nullable;

/// Which holders of a certificate may be at the other end of a connection.
///
/// @param kind `worker` or `service`; null for either
/// @param name the one allowed name; null for any of that kind
public record Peers(@Nullable String kind, @Nullable String name) {
    /// Only the service of that name: `api`, `core`, `gdpr`, `audit`.
    public static Peers service(String name) {
        return new Peers(SpiffeId.SERVICE, name);
    }

    /// Any service.
    public static Peers anyService() {
        return new Peers(SpiffeId.SERVICE, null);
    }

    /// Any worker.
    public static Peers workers() {
        return new Peers(SpiffeId.WORKER, null);
    }

    /// Everybody with a certificate of this installation.
    public static Peers everybody() {
        return new Peers(null, null);
    }

    boolean allow(SpiffeId id) {
        return (kind == null || kind.equals(id.kind())) && (name == null || name.equals(id.name()));
    }
}
