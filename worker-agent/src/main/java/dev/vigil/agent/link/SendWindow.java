package dev.vigil.agent.link;

import java.util.ArrayDeque;
import java.util.Deque;

/// How much of what may be lost is under way on one connection: frames that were sent and that the core has not
/// counted in its `ack` yet. Belongs to the link's thread.
final class SendWindow {
    /// Bytes under way at most. A core that takes in slowly gets less, and heartbeats never queue behind more.
    static final int BYTES_MAX = 512 << 10;

    private final Deque<Sent> underWay = new ArrayDeque<>();
    private int bytes;

    private record Sent(long seq, int bytes) {}

    /// How much more may be sent now.
    int room() {
        return Math.max(0, BYTES_MAX - bytes);
    }

    /// A frame left.
    void sent(long seq, int length) {
        underWay.addLast(new Sent(seq, length));
        bytes += length;
    }

    /// The core has taken in this many frames.
    void acknowledged(long count) {
        while (!underWay.isEmpty() && underWay.getFirst().seq() < count) {
            bytes -= underWay.removeFirst().bytes();
        }
    }
}
