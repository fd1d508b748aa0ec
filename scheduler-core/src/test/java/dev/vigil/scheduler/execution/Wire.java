package dev.vigil.scheduler.execution;

import dev.vigil.scheduler.execution.World.Host;
import java.util.UUID;
import java.util.function.BiConsumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
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
    private boolean closed;

    Wire(ModelServer server, Host host, UUID incarnation) {
        this.world = server.world;
        this.server = server;
        this.host = host;
        this.incarnation = incarnation;
    }

    <T> T ask(Supplier<T> statement) {
        if (!server.reaches(host)) {
            world.pass(host, noConnection());
            throw failure("no connection");
        }
        connect();
        long mine = session;
        long ended = server.sessionsEnded(incarnation);
        Faults faults = server.faults;
        if (world.happens(faults.slow())) {
            world.pass(host, slow());
            if (server.sessionsEnded(incarnation) != ended || !server.reaches(host)) {
                throw failure("terminated before it ran");
            }
        }
        if (world.happens(faults.cut())) {
            return cut(statement, mine, ended);
        }
        T answer = statement.get();
        if (world.happens(faults.slow())) {
            world.pass(host, slow());
            if (!server.reaches(host)) {
                throw failure("its answer was lost");
            }
        }
        return answer;
    }

    /// As [#ask], while whoever asks goes on.
    ///
    /// @param then is told the answer, or the failure
    <T> void begin(Supplier<T> statement, BiConsumer<@Nullable T, @Nullable RuntimeException> then) {
        if (!server.reaches(host)) {
            world.after(noConnection(), host, () -> then.accept(null, failure("no connection")));
            return;
        }
        connect();
        long mine = session;
        long ended = server.sessionsEnded(incarnation);
        world.after(way(), server.host, () -> {
            if (server.sessionsEnded(incarnation) != ended || !server.reaches(host)) {
                world.after(0, host, () -> then.accept(null, failure("terminated before it ran")));
                return;
            }
            try {
                T answer = world.happens(server.faults.cut()) ? cut(statement, mine, ended) : statement.get();
                world.after(way(), host, () -> {
                    boolean heard = server.reaches(host);
                    then.accept(heard ? answer : null, heard ? null : failure("its answer was lost"));
                });
            } catch (DataAccessResourceFailureException failure) {
                world.after(0, host, () -> then.accept(null, failure));
            }
        });
    }

    private void connect() {
        if (closed) {
            session++;
            closed = false;
        }
    }

    private long noConnection() {
        return world.happens(0.7) ? World.MILLI : 5 * World.SECOND;
    }

    private long slow() {
        return world.happens(0.05) ? world.millis(100, 6_000) : world.millis(0, 40);
    }

    /// Of a statement or its answer, when others go on meanwhile.
    private long way() {
        return world.happens(server.faults.slow()) ? slow() : world.chance.nextLong(2 * World.MILLI);
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
        closed = true;
    }

    private static DataAccessResourceFailureException failure(String what) {
        return new DataAccessResourceFailureException(what);
    }
}
