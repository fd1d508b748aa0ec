package dev.vigil.protocol.link;

import java.util.List;

/// What a worker says once a second.
///
/// @param number    from 1, one more each time, within one connection
/// @param held      everything it holds
/// @param signature over the running hash of all heartbeats of this connection ([HeartbeatHash]); empty when this one
/// is
///                  not signed
/// @param unsigned  the bytes of this heartbeat without its signature, which is what the running hash takes in
public record Heartbeat(long number, List<Held> held, byte[] signature, byte[] unsigned) {
    public Heartbeat {
        held = List.copyOf(held);
    }
}
