package dev.vigil.scheduler.worker;

import dev.vigil.protocol.link.Held;
import dev.vigil.scheduler.execution.Dispatch;
import dev.vigil.scheduler.execution.Link.Running;
import dev.vigil.scheduler.execution.WorkerBoot;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/// One boot of one worker for as long as it is heard, across its connections. Belongs to the ROUTER's thread.
final class Attendance {
    private final WorkerBoot boot;
    private final long boundAt = System.nanoTime();
    private final Map<UUID, Dispatch> unanswered = new HashMap<>();
    private @Nullable Connection connection;
    private long lostAt = boundAt;
    private long heardAt = boundAt;

    Attendance(WorkerBoot boot) {
        this.boot = boot;
    }

    WorkerBoot boot() {
        return boot;
    }

    Optional<Connection> connection() {
        return Optional.ofNullable(connection);
    }

    /// Whether this connection speaks for the boot now.
    boolean spokenForBy(Connection candidate) {
        return connection == candidate;
    }

    void connected(Connection fresh) {
        connection = fresh;
    }

    void lost() {
        connection = null;
        lostAt = System.nanoTime();
    }

    void heard() {
        heardAt = System.nanoTime();
    }

    /// How long nobody has spoken for this boot; zero while somebody does.
    long nanosAlone() {
        return connection != null ? 0 : System.nanoTime() - lostAt;
    }

    long boundAt() {
        return boundAt;
    }

    long heardAt() {
        return heardAt;
    }

    void sent(Dispatch dispatch) {
        unanswered.put(dispatch.execution(), dispatch);
    }

    /// The worker said something about this execution, so it did reach it.
    Optional<Dispatch> answered(UUID execution, long fence) {
        Dispatch sent = unanswered.get(execution);
        return sent != null && sent.fence() == fence
                ? Optional.ofNullable(unanswered.remove(execution))
                : Optional.empty();
    }

    /// A new connection reports what the worker holds. What was sent on the old one, was never answered and is not
    /// held has not reached the worker, and never will: it stopped reading the old connection before it wrote its
    /// report.
    List<Dispatch> missedBy(List<Held> report) {
        Set<Running> held = new HashSet<>();
        report.forEach(one -> held.add(new Running(one.execution(), one.fence())));
        var missed = new ArrayList<Dispatch>();
        for (Dispatch dispatch : unanswered.values()) {
            if (!held.contains(new Running(dispatch.execution(), dispatch.fence()))) {
                missed.add(dispatch);
            }
        }
        unanswered.clear();
        return missed;
    }
}
