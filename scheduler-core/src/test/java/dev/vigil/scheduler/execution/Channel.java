package dev.vigil.scheduler.execution;

import dev.vigil.scheduler.execution.World.Host;

/// One direction of a connection between a core and a worker. Messages may be lost, late or doubled; each is numbered,
/// and one that was overtaken or came before is refused, as the seal of the link does. Without a fault none overtakes
/// another, as in a connection of TCP: or of what is sent at once some would be lost in a sound network.
final class Channel {
    /// [WorkersSeen#CERTAIN] takes a list for newer than a question after 2.5 s: the network is held to that.
    private static final long LATEST = 2_400;

    private final World world;
    private final ModelServer server;
    private final Host to;
    private long sent;
    private long seen;
    private long partedUntil;
    private long latest;

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
        arrive(number, arrival);
        if (world.happens(faults.doubled())) {
            arrive(number, arrival);
        }
    }

    /// When the next one arrives. One that is late is overtaken; any other comes after those before it.
    private long arrival() {
        if (world.happens(server.faults.delayed())) {
            return world.now() + world.millis(1, LATEST);
        }
        latest = Math.max(latest, world.now() + world.chance.nextLong(World.MILLI / 10, 2 * World.MILLI));
        return latest;
    }

    private void arrive(long number, Runnable arrival) {
        world.after(arrival() - world.now(), to, () -> {
            if (number > seen) {
                seen = number;
                arrival.run();
            }
        });
    }
}
