package dev.vigil.scheduler.worker;

import dev.vigil.protocol.link.AckRecord;
import dev.vigil.protocol.link.Bodies;
import dev.vigil.protocol.link.Body;
import dev.vigil.protocol.link.CancelRecord;
import dev.vigil.protocol.link.DispatchRecord;
import dev.vigil.protocol.link.Frame;
import dev.vigil.protocol.link.FrameException;
import dev.vigil.protocol.link.FrameType;
import dev.vigil.protocol.link.Handshake;
import dev.vigil.protocol.link.Heartbeat;
import dev.vigil.protocol.link.HeartbeatAnswer;
import dev.vigil.protocol.link.ResultRecord;
import dev.vigil.protocol.link.SettledRecord;
import dev.vigil.scheduler.execution.Dispatch;
import dev.vigil.scheduler.execution.Link.Running;
import dev.vigil.scheduler.execution.LinkEvents;
import dev.vigil.scheduler.execution.LinkEvents.Declined;
import dev.vigil.scheduler.execution.LinkEvents.Ownership;
import dev.vigil.scheduler.execution.WorkerBoot;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.function.IntFunction;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Everything that is said on the link, on the core's side: who speaks on which connection, what is taken in,
/// what is sent. Belongs to the ROUTER's thread.
final class Connections implements RouterLoop.Traffic {
    private static final Logger LOG = LoggerFactory.getLogger(Connections.class);
    private static final long SILENT_NANOS =
            WorkerLinkSettings.HEARTBEAT.multipliedBy(3).plusMillis(500).toNanos();
    private static final long CLONE_NANOS = Duration.ofSeconds(5).toNanos();
    private static final int CANCEL_GRACE_MILLIS = 10_000;

    private final Ties ties;
    private final IntFunction<Optional<Carrier>> carriers;
    private final Sender sender;
    private final Map<Integer, Connection> connections = new HashMap<>();
    private final Map<WorkerBoot, Attendance> present = new HashMap<>();

    /// Whom the connections talk to.
    record Ties(LinkEvents engine, Sessions sessions, Seats seats, LinkContext context) {}

    /// Puts a frame on the wire.
    @FunctionalInterface
    interface Sender {
        boolean send(byte[] routingId, byte[] frame);
    }

    Connections(Ties ties, IntFunction<Optional<Carrier>> carriers, Sender sender) {
        this.ties = ties;
        this.carriers = carriers;
        this.sender = sender;
    }

    @Override
    public void message(int port, byte[] routingId, byte[] frame) {
        Carrier carrier = carriers.apply(port).orElse(null);
        if (carrier == null) {
            return;
        }
        carrier.taken(frame.length);
        Connection connection = connections.get(port);
        if (connection == null || connection.carrier() != carrier) {
            if (connection != null) {
                ended(connection);
            }
            if (!Connection.givenByRouter(routingId)) {
                carrier.cut();
                return;
            }
            connection = new Connection(carrier, routingId);
            connections.put(port, connection);
        }
        try {
            if (!connection.from(routingId)) {
                throw new FrameException("two routing ids on one connection");
            }
            take(connection, frame);
        } catch (FrameException e) {
            cut(connection, e.getMessage());
        }
    }

    private void take(Connection connection, byte[] bytes) throws FrameException {
        if (!connection.greeted()) {
            greet(connection, bytes);
            return;
        }
        Frame frame = connection.open(bytes);
        WorkerBoot boot = connection.session().boot();
        if (!connection.active()) {
            join(connection, frame);
        } else {
            Attendance attendance = present.get(boot);
            if (attendance == null || !attendance.spokenForBy(connection)) {
                throw new FrameException("another connection speaks for this boot");
            }
            react(attendance, connection, frame);
        }
        Seats.Granted granted = ties.seats().grant(boot, frame.header().credit());
        connection.credit(granted.inForce());
        if (granted.more()) {
            ties.engine().capacityChanged();
        }
    }

    private void greet(Connection connection, byte[] hello) throws FrameException {
        WorkerSession session = ties.sessions()
                .find(Handshake.sessionOf(hello))
                .filter(found -> found.fits(connection.carrier()))
                .orElseThrow(() -> new FrameException("no such session under this certificate"));
        byte[] welcome = connection.greet(session, hello, ties.context().witness());
        if (!sender.send(connection.routingId(), welcome)) {
            throw new FrameException("the worker left before WELCOME");
        }
    }

    /// The first sealed frame: only now does this connection take the place of an older one.
    private void join(Connection connection, Frame frame) throws FrameException {
        if (frame.header().type() != FrameType.READY || !ties.sessions().alive(connection.session())) {
            throw new FrameException("the first sealed frame is READY, in a session that is in force");
        }
        Bodies.Ready ready = Bodies.readReady(frame.body());
        WorkerSession session = connection.session();
        Attendance attendance = present.computeIfAbsent(session.boot(), Attendance::new);
        attendance.connection().ifPresent(older -> {
            connections.remove(older.carrier().port(), older);
            older.carrier().cut();
        });
        connection.activate();
        attendance.connected(connection);
        attendance.heard();
        ties.sessions().retireOlder(session);
        ties.seats().connected(session.boot(), session.abilities());
        List<Dispatch> missed = attendance.missedBy(ready.held());
        if (!missed.isEmpty()) {
            ties.engine().undelivered(session.boot(), missed);
        }
        LOG.info(
                "event=worker_joined worker={} boot={} held={}",
                session.worker(),
                session.boot().boot(),
                ready.held().size());
        ties.engine().joined(session.boot(), Records.running(ready.held()));
    }

    private void react(Attendance attendance, Connection connection, Frame frame) throws FrameException {
        WorkerBoot boot = attendance.boot();
        switch (frame.header().type()) {
            case READY -> Bodies.readReady(frame.body());
            case HEARTBEAT -> heartbeat(attendance, connection, Bodies.readHeartbeat(frame.body()));
            case ACK -> acks(attendance, Bodies.readAcks(frame));
            case RESULT -> {
                List<ResultRecord> results = Bodies.readResults(frame);
                results.forEach(result -> attendance.answered(result.execution(), result.fence()));
                ties.engine().ended(boot, Records.ends(results));
            }
            case PROGRESS -> ties.engine().said(boot, Records.progress(Bodies.readProgress(frame)));
            case LOG -> ties.engine().said(boot, Records.lines(Bodies.readLogs(frame)));
            case GOODBYE -> goodbye(attendance, connection, Bodies.readGoodbye(frame.body()));
            case ERROR ->
                throw new FrameException(
                        "the worker gave up: " + Bodies.readError(frame.body()).code());
            case HELLO, WELCOME, DISPATCH, RESULT_ACK, CANCEL ->
                throw new FrameException(
                        "a worker does not send " + frame.header().type() + " here");
        }
    }

    private void acks(Attendance attendance, List<AckRecord> acks) throws FrameException {
        List<Running> started = Records.started(acks);
        List<Declined> declined = Records.declined(acks);
        started.forEach(one -> attendance.answered(one.execution(), one.fence()));
        for (Declined one : declined) {
            Optional<Dispatch> sent =
                    attendance.answered(one.running().execution(), one.running().fence());
            if (one.code().equals("not_allowed")) {
                sent.ifPresent(dispatch ->
                        ties.seats().refused(attendance.boot().worker(), dispatch.namespace(), dispatch.handler()));
            }
        }
        if (!started.isEmpty()) {
            ties.engine().started(attendance.boot(), started);
        }
        if (!declined.isEmpty()) {
            ties.engine().declined(attendance.boot(), declined);
        }
    }

    private void heartbeat(Attendance attendance, Connection connection, Heartbeat heartbeat) throws FrameException {
        WorkerBoot boot = attendance.boot();
        boolean before = connection.suspended();
        connection.hear(heartbeat);
        attendance.heard();
        if (connection.suspended() && !before) {
            LOG.warn("event=worker_suspended worker={} boot={} reason=heartbeat_signature", boot.worker(), boot.boot());
        }
        ties.seats().open(boot, !connection.suspended());
        List<Running> running = Records.running(heartbeat.held());
        ties.context().presence().put(boot, presence(connection.session(), running.size()));
        Ownership ownership = ties.engine().ownership(boot, running);
        var answer = new HeartbeatAnswer(
                heartbeat.number(),
                ownership.databaseDown(),
                connection.suspended(),
                ties.seats().backlog(boot),
                Records.verdicts(running, ownership));
        send(connection, FrameType.HEARTBEAT, Bodies.answer(answer));
    }

    private WorkerPresence presence(WorkerSession session, int running) {
        WorkerSession.Abilities can = session.abilities();
        return new WorkerPresence(
                session.boot(),
                can.version(),
                can.slots(),
                running,
                can.sandbox(),
                can.limits(),
                ties.context().clock().instant());
    }

    private void goodbye(Attendance attendance, Connection connection, boolean done) {
        if (!done) {
            return; // The worker grants no credits any more; it still runs what it has.
        }
        send(connection, FrameType.GOODBYE, Bodies.goodbye(true));
        leave(attendance);
        ties.sessions().end(attendance.boot());
        ties.engine().goodbye(attendance.boot());
        LOG.info(
                "event=worker_left worker={} boot={}",
                attendance.boot().worker(),
                attendance.boot().boot());
    }

    /// Sends dispatches that are committed. Whatever does not leave comes back as undelivered.
    void dispatch(WorkerBoot boot, List<Dispatch> dispatches) {
        Connection connection = speaker(boot).filter(c -> !c.suspended()).orElse(null);
        if (connection == null || connection.heartbeat() == 0) {
            ties.seats().giveBack(boot, dispatches.size());
            ties.engine().undelivered(boot, dispatches);
            return;
        }
        Map<UUID, Dispatch> waiting = new HashMap<>();
        dispatches.forEach(dispatch -> waiting.put(dispatch.execution(), dispatch));
        List<DispatchRecord> records = dispatches.stream().map(Records::of).toList();
        for (var packed : Bodies.dispatches(connection.heartbeat(), records)) {
            // Asked again for every frame, immediately before it is sealed: an owner whose right to act ran out while
            // this waited in the queue must not send it (see docs/explanation/engine.md).
            if (!ties.engine().mayAct() || !send(connection, FrameType.DISPATCH, packed.body())) {
                break;
            }
            ties.seats().used(boot, packed.records().size());
            Attendance attendance = java.util.Objects.requireNonNull(present.get(boot));
            for (DispatchRecord left : packed.records()) {
                attendance.sent(java.util.Objects.requireNonNull(waiting.remove(left.execution())));
            }
        }
        if (!waiting.isEmpty()) {
            ties.seats().giveBack(boot, waiting.size());
            ties.engine().undelivered(boot, new ArrayList<>(waiting.values()));
        }
    }

    void cancel(WorkerBoot boot, List<Running> executions) {
        List<CancelRecord> records = executions.stream()
                .map(one -> new CancelRecord(one.execution(), one.fence(), CANCEL_GRACE_MILLIS))
                .toList();
        sendAll(
                boot,
                FrameType.CANCEL,
                Bodies.cancels(records).stream().map(Bodies.Packed::body).toList());
    }

    void settle(WorkerBoot boot, List<SettledRecord> results) {
        sendAll(
                boot,
                FrameType.RESULT_ACK,
                Bodies.settled(results).stream().map(Bodies.Packed::body).toList());
    }

    private void sendAll(WorkerBoot boot, FrameType type, List<Body> bodies) {
        for (Body body : bodies) {
            Connection connection = speaker(boot).orElse(null);
            if (connection == null || !send(connection, type, body)) {
                return;
            }
        }
    }

    private Optional<Connection> speaker(WorkerBoot boot) {
        return Optional.ofNullable(present.get(boot)).flatMap(Attendance::connection);
    }

    private boolean send(Connection connection, FrameType type, Body body) {
        if (sender.send(connection.routingId(), connection.seal(type, body))) {
            return true;
        }
        cut(connection, "it takes no more frames");
        return false;
    }

    private void cut(Connection connection, String reason) {
        LOG.warn("event=link_cut worker={} reason=\"{}\"", connection.carrier().worker(), reason);
        connection.carrier().cut();
        ended(connection);
    }

    /// The terminator says that a connection has ended.
    void gone(Carrier carrier) {
        Connection connection = connections.get(carrier.port());
        if (connection != null && connection.carrier() == carrier) {
            ended(connection);
        }
    }

    /// A connection is over; its boot stays present for three heartbeats, so that it may come back.
    private void ended(Connection connection) {
        connections.remove(connection.carrier().port(), connection);
        if (connection.active()) {
            WorkerBoot boot = connection.session().boot();
            Attendance attendance = present.get(boot);
            if (attendance != null && attendance.spokenForBy(connection)) {
                attendance.lost();
                ties.seats().open(boot, false);
            }
        }
    }

    private void leave(Attendance attendance) {
        present.remove(attendance.boot());
        ties.seats().gone(attendance.boot());
        ties.context().presence().remove(attendance.boot());
        attendance
                .connection()
                .ifPresent(connection -> connections.remove(connection.carrier().port(), connection));
    }

    @Override
    public void tick() {
        for (Connection connection : List.copyOf(connections.values())) {
            if (carriers.apply(connection.carrier().port()).orElse(null) != connection.carrier()) {
                ended(connection);
            } else {
                overdue(connection).ifPresent(reason -> cut(connection, reason));
            }
        }
        for (Attendance attendance : List.copyOf(present.values())) {
            if (attendance.nanosAlone() > SILENT_NANOS) {
                silence(attendance, "silent");
            }
        }
        clones();
    }

    private Optional<String> overdue(Connection connection) {
        if (!connection.active()) {
            return Optional.empty(); // The terminator cuts those that say nothing.
        }
        if (connection.nanosSinceHeard() > SILENT_NANOS) {
            return Optional.of("three heartbeats are missing");
        }
        if (!ties.sessions().alive(connection.session())) {
            return Optional.of("its session ended");
        }
        return connection.exhausted() ? Optional.of("its key is used up") : Optional.empty();
    }

    private void silence(Attendance attendance, String reason) {
        leave(attendance);
        LOG.warn(
                "event=worker_silent worker={} boot={} reason={}",
                attendance.boot().worker(),
                attendance.boot().boot(),
                reason);
        ties.engine().silent(attendance.boot(), Duration.ofNanos(System.nanoTime() - attendance.heardAt()));
    }

    /// Ends every connection of a worker whose sessions were dropped.
    void revoked(UUID worker) {
        for (Attendance attendance : List.copyOf(present.values())) {
            if (attendance.boot().worker().equals(worker)) {
                attendance
                        .connection()
                        .ifPresent(connection -> connection.carrier().cut());
                silence(attendance, "revoked");
            }
        }
        for (Connection connection : List.copyOf(connections.values())) {
            if (connection.carrier().worker().equals(worker)) {
                cut(connection, "revoked");
            }
        }
    }

    /// Two boots of one worker that are both heard five seconds after the newer one came: one key, two holders.
    private void clones() {
        if (present.size() < 2) {
            return;
        }
        Map<UUID, Attendance> seen = new HashMap<>();
        for (Attendance one : List.copyOf(present.values())) {
            Attendance other = seen.putIfAbsent(one.boot().worker(), one);
            if (other == null) {
                continue;
            }
            Attendance newer = one.boundAt() - other.boundAt() > 0 ? one : other;
            Attendance older = newer == one ? other : one;
            long limit = newer.boundAt() + CLONE_NANOS;
            if (older.heardAt() - limit > 0 && newer.heardAt() - limit > 0) {
                LOG.error(
                        "event=worker_cloned worker={} locked=true", one.boot().worker());
                ties.sessions().endAll(one.boot().worker());
                revoked(one.boot().worker());
                ties.context()
                        .lock()
                        .cloned(
                                one.boot().worker(),
                                older.boot().boot(),
                                newer.boot().boot());
                return;
            }
        }
    }

    @Override
    public void rebuilding() {
        for (Connection connection : List.copyOf(connections.values())) {
            cut(connection, "the ROUTER is made anew");
        }
    }
}
