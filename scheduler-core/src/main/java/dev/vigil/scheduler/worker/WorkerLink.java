package dev.vigil.scheduler.worker;

import dev.vigil.protocol.link.FrameHeader;
import dev.vigil.protocol.link.SettledRecord;
import dev.vigil.scheduler.execution.Dispatch;
import dev.vigil.scheduler.execution.Link;
import dev.vigil.scheduler.execution.LinkEvents;
import dev.vigil.scheduler.execution.WorkerBoot;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import javax.net.ssl.SSLContext;

/// The core's end of the worker link: HTTPS for sessions and hints, TLS terminator, ROUTER.
public final class WorkerLink implements Link, AutoCloseable {
    private final Sessions sessions;
    private final Seats seats;
    private final LinkContext context;
    private final Terminator terminator;
    private final RouterLoop router;
    private final Connections connections;
    private final SessionEndpoint endpoint;

    /// How the core shows itself and whom it lets in.
    ///
    /// @param workers   for the link: only workers
    /// @param everybody for sessions and hints: workers and services
    public record Trust(SSLContext workers, SSLContext everybody) {}

    /// Who calls whom.
    ///
    /// @param incarnation this life of the core
    /// @param events      hears what workers say
    public record Engine(UUID incarnation, LinkEvents events) {}

    /// Binds the ports; nothing is served before [#start()].
    public WorkerLink(WorkerLinkSettings settings, Trust trust, Engine engine, LinkContext context) throws IOException {
        this.context = context;
        this.sessions = new Sessions(engine.incarnation(), settings.sessionLife(), context.clock());
        this.seats = new Seats(context.workers());
        // The ROUTER admits what the terminator made and the terminator connects to the ROUTER: each asks the other
        // only once both exist.
        this.connections = new Connections(
                new Connections.Ties(engine.events(), sessions, seats, context), this::carrier, this::put);
        this.router = new RouterLoop(connections, port -> carrier(port).isPresent(), FrameHeader.FRAME_BYTES_MAX);
        this.terminator = new Terminator(
                settings,
                trust.workers(),
                context.clock(),
                new Terminator.Doors(router::port, sessions::anyFits, this::ended));
        this.endpoint = new SessionEndpoint(
                settings,
                trust.everybody(),
                context,
                new SessionEndpoint.Desk(sessions, terminator.port(), engine.events(), this::reviewWorker));
    }

    private Optional<Carrier> carrier(int port) {
        return terminator.carrier(port);
    }

    private void ended(Carrier carrier) {
        router.execute(() -> connections.gone(carrier));
    }

    private boolean put(byte[] routingId, byte[] frame) {
        return router.send(routingId, frame);
    }

    /// Serves workers from now on.
    public void start() {
        router.start();
        terminator.start();
        endpoint.start();
    }

    /// Port of `POST /worker/v1/sessions` and `POST /internal/v1/hints`.
    public int sessionsPort() {
        return endpoint.port();
    }

    /// Port of the link.
    public int linkPort() {
        return terminator.port();
    }

    /// Loopback port of the ROUTER, for tests that try to get around the terminator.
    int routerPort() {
        return router.port();
    }

    /// Whether workers can connect and are heard.
    public boolean ready() {
        return router.healthy() && terminator.listening();
    }

    /// The workers that are connected now.
    public List<WorkerPresence> presence() {
        return List.copyOf(context.presence().values());
    }

    /// Drops the sessions of a worker that the registry no longer admits; its connections end at once.
    public void revoke(UUID worker) {
        sessions.endAll(worker);
        terminator.cut(worker);
        router.execute(() -> connections.revoked(worker));
    }

    /// Somebody says that the registry changed about this worker: look, and revoke it if so.
    private void reviewWorker(UUID worker) {
        if (context.workers().admission(worker) == Workers.Admission.REFUSED) {
            revoke(worker);
        }
    }

    @Override
    public Optional<Credits> take(int namespace, String handler, int atMost) {
        return atMost < 1 ? Optional.empty() : seats.take(namespace, handler, atMost);
    }

    @Override
    public Lack lack(int namespace, String handler) {
        return seats.isServed(namespace, handler) ? Lack.NO_CREDIT : Lack.NO_WORKER;
    }

    @Override
    public void giveBack(Credits credits) {
        seats.giveBack(credits.worker(), credits.count());
    }

    @Override
    public void send(WorkerBoot worker, List<Dispatch> dispatches) {
        router.execute(() -> connections.dispatch(worker, dispatches));
    }

    @Override
    public void cancel(WorkerBoot worker, List<Running> executions) {
        router.execute(() -> connections.cancel(worker, executions));
    }

    @Override
    public void settle(WorkerBoot worker, List<Settled> results) {
        List<SettledRecord> records = results.stream()
                .map(one -> new SettledRecord(one.execution(), one.fence(), one.committed()))
                .toList();
        router.execute(() -> connections.settle(worker, records));
    }

    /// Ends every connection. Workers go to another core, or come back to the next life of this one.
    @Override
    public void close() {
        endpoint.close();
        terminator.close();
        router.close();
    }
}
