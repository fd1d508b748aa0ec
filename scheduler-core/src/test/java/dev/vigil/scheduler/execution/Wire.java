package dev.vigil.scheduler.execution;

import dev.vigil.scheduler.execution.World.Host;
import java.util.UUID;
import java.util.function.Supplier;
import org.springframework.dao.DataAccessResourceFailureException;

/// A core's connection to the model of PostgreSQL. A statement may take its time before it runs or before its answer
/// comes, and everybody else goes on meanwhile; the connection may break before it, after it, or so that the server
/// runs it a while later, unless its session is ended first.
final class Wire {
    private final World world;
    private final ModelServer server;
    private final Host host;
    private final UUID incarnation;
    private long session;

    Wire(ModelServer server, Host host, UUID incarnation) {
        this.world = server.world;
        this.server = server;
        this.host = host;
        this.incarnation = incarnation;
    }

    <T> T ask(Supplier<T> statement) {
        if (!server.reaches(host)) {
            world.pass(host, world.happens(0.7) ? World.MILLI : 5 * World.SECOND);
            throw failure("no connection");
        }
        long mine = session;
        long ended = server.sessionsEnded(incarnation);
        Faults faults = server.faults;
        if (world.happens(faults.slow())) {
            world.pass(host, world.happens(0.05) ? world.millis(100, 6_000) : world.millis(0, 40));
            if (server.sessionsEnded(incarnation) != ended || !server.reaches(host)) {
                throw failure("terminated before it ran");
            }
        }
        if (world.happens(faults.cut())) {
            return cut(statement, mine, ended);
        }
        T answer = statement.get();
        if (world.happens(faults.slow())) {
            world.pass(host, world.happens(0.05) ? world.millis(100, 6_000) : world.millis(0, 40));
            if (!server.reaches(host)) {
                throw failure("its answer was lost");
            }
        }
        return answer;
    }

    private <T> T cut(Supplier<T> statement, long mine, long ended) {
        switch (world.chance.nextInt(3)) {
            case 0 -> {
                // It never came there.
            }
            case 1 -> run(statement);
            default ->
                world.after(world.millis(0, 3_000), server.host, () -> {
                    if (session == mine && server.sessionsEnded(incarnation) == ended) {
                        run(statement);
                    }
                });
        }
        throw failure("it broke");
    }

    /// Nobody hears its answer.
    private static void run(Supplier<?> statement) {
        var _ = statement.get();
    }

    /// The backend before is ended by the next use, so nothing of it commits after that.
    void close() {
        session++;
    }

    private static DataAccessResourceFailureException failure(String what) {
        return new DataAccessResourceFailureException(what);
    }
}
