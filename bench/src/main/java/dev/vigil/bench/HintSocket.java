package dev.vigil.bench;

import dev.vigil.scheduler.execution.LiveCores;
import dev.vigil.scheduler.task.ShardHints;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Hints between the processes of a run, as datagrams on the loopback interface where an installation has a call
/// between services. What is lost, the owner of a shard finds by itself.
final class HintSocket implements ShardHints, AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(HintSocket.class);
    private static final int HINT_BYTES = Integer.BYTES + 2 * Long.BYTES + 1;
    private static final int DATAGRAM_MAX = 64 * HINT_BYTES;
    private static final long NOTHING = -1;

    private final LiveCores cores;
    private final DatagramSocket socket;

    HintSocket(LiveCores cores) {
        this.cores = cores;
        try {
            this.socket = new DatagramSocket(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
        } catch (IOException failure) {
            throw new UncheckedIOException("no datagram socket on the loopback interface", failure);
        }
    }

    /// Where others reach this one.
    String url() {
        return "udp://127.0.0.1:" + socket.getLocalPort();
    }

    /// Tells the cores of other processes.
    @Override
    public void changed(Collection<ShardHint> hints) {
        ByteBuffer text = ByteBuffer.allocate(Math.min(DATAGRAM_MAX, hints.size() * HINT_BYTES));
        hints.stream()
                .limit(DATAGRAM_MAX / HINT_BYTES)
                .forEach(hint -> text.putInt(hint.shard())
                        .putLong(hint.lanes())
                        .putLong(hint.due() == null ? NOTHING : Starts.micros(hint.due()))
                        .put((byte) (hint.schedules() ? 1 : 0)));
        for (LiveCores.Core core : cores.list()) {
            URI address = URI.create(core.sessionUrl());
            if (address.getPort() != socket.getLocalPort()) {
                try {
                    socket.send(new DatagramPacket(
                            text.array(),
                            text.position(),
                            new InetSocketAddress(InetAddress.getLoopbackAddress(), address.getPort())));
                } catch (IOException failure) {
                    LOG.debug("event=hint_lost core={}", core.incarnation(), failure);
                }
            }
        }
    }

    /// Listens until it is closed.
    ///
    /// @param hints takes what somebody says
    void listen(Consumer<List<ShardHint>> hints) {
        Thread.ofPlatform().daemon().name("bench-hints").start(() -> {
            var packet = new DatagramPacket(new byte[DATAGRAM_MAX], DATAGRAM_MAX);
            while (!socket.isClosed()) {
                try {
                    socket.receive(packet);
                    ByteBuffer text = ByteBuffer.wrap(packet.getData(), 0, packet.getLength());
                    var hinted = new ArrayList<ShardHint>();
                    while (text.remaining() >= HINT_BYTES) {
                        hinted.add(hint(text));
                    }
                    hints.accept(hinted);
                } catch (IOException failure) {
                    LOG.debug("event=hints_end", failure);
                }
            }
        });
    }

    private static ShardHint hint(ByteBuffer text) {
        int shard = text.getInt();
        long lanes = text.getLong();
        long due = text.getLong();
        boolean schedules = text.get() != 0;
        return due == NOTHING
                ? ShardHint.command(shard)
                : new ShardHint(shard, lanes, Starts.instant(due), schedules, false);
    }

    @Override
    public void close() {
        socket.close();
    }
}
