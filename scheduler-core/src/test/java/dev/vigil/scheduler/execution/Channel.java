package dev.vigil.scheduler.execution;

import dev.vigil.scheduler.execution.World.Host;

/// One direction of a connection between a core and a worker. Messages may be lost, late or doubled; each is numbered,
/// and one that was overtaken or came before is refused, as the seal of the link does.
final class Channel {
    /// [WorkersSeen#CERTAIN] takes a list for newer than a question after 2.5 s: the network is held to that.
    private static final long LATEST = 2_400;

    private final World world;
    private final ModelServer server;
    private final Host to;
    private long sent;
    private long seen;
    private long partedUntil;

    Channel(ModelServer server, Host to) {
        this.world = server.world;
        this.server = server;
        this.to = to;
    }

    /// Nothing gets through for a while.
    void part(long until) {
        partedUntil = until;
    }

    /// The connection is cut: what is on its way does not arrive any more.
    void cut() {
        seen = sent;
    }

    void send(Runnable arrival) {
        sent++;
        long number = sent;
        Faults faults = server.faults;
        if (world.now() < partedUntil || world.happens(faults.lost())) {
            return;
        }
        arrive(number, delay(), arrival);
        if (world.happens(faults.doubled())) {
            arrive(number, delay(), arrival);
        }
    }

    private long delay() {
        return world.happens(server.faults.delayed())
                ? world.millis(1, LATEST)
                : world.chance.nextLong(World.MILLI / 10, 2 * World.MILLI);
    }

    private void arrive(long number, long in, Runnable arrival) {
        world.after(in, to, () -> {
            if (number > seen) {
                seen = number;
                arrival.run();
            }
        });
    }
}
