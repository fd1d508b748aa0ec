package dev.vigil.agent.link;

import dev.vigil.agent.handler.Runner;
import dev.vigil.protocol.identity.Identity;
import dev.vigil.protocol.identity.IdentityKeeper;
import dev.vigil.protocol.link.AckRecord;
import dev.vigil.protocol.link.Bodies;
import dev.vigil.protocol.link.Body;
import dev.vigil.protocol.link.CancelRecord;
import dev.vigil.protocol.link.DispatchBatch;
import dev.vigil.protocol.link.Frame;
import dev.vigil.protocol.link.FrameException;
import dev.vigil.protocol.link.FrameType;
import dev.vigil.protocol.link.HeartbeatAnswer;
import dev.vigil.protocol.link.Inbox;
import dev.vigil.protocol.link.ResultRecord;
import java.io.IOException;
import java.net.URI;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.zeromq.ZMQ;

/// The worker's end of the link: one platform thread that owns the DEALERs to all live cores and everything this
/// worker holds. Whatever blocks (calls, TLS, handlers) happens on other threads, which hand their results in.
public final class AgentLink implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(AgentLink.class);
    private static final int BURST = 64;
    /// As much of the inbox as several frames of executions bring, so that what they lead to leaves in few frames.
    private static final int INBOX_BURST = 512;
    private static final long BEAT_NANOS = Duration.ofSeconds(1).toNanos();
    private static final long SILENT_NANOS = Duration.ofMillis(3_500).toNanos();
    private static final long WELCOME_NANOS = Duration.ofSeconds(3).toNanos();
    private static final long FRESH_NANOS = Duration.ofSeconds(5).toNanos();
    private static final Duration SESSION_MARGIN = Duration.ofMinutes(5);
    private static final long CONNECTION_LIFE_NANOS = Duration.ofMinutes(50).toNanos();

    private final Parts parts;
    private final LinkSettings settings;
    private final Dialer dialer;
    private final WorkerApi api;
    private final Keys keys;
    private final Sayings sayings;
    private final Holdings holdings;
    private final Inbox inbox = new Inbox();
    private final RandomGenerator jitter = new SecureRandom();
    private final CoreTable cores = new CoreTable();
    private final CountDownLatch ended = new CountDownLatch(1);
    private final CountDownLatch saidGoodbye = new CountDownLatch(1);
    private volatile boolean stopping;
    private volatile boolean ioThreadDied;
    private volatile long turnedAt = System.nanoTime();
    private boolean draining;
    private boolean hurried;
    private boolean leaving;
    private ZMQ.@Nullable Context context;
    private ZMQ.@Nullable Poller poller;

    /// What the link works with.
    ///
    /// @param api worker port of the API
    public record Parts(IdentityKeeper keeper, URI api, Runner runner, InstantSource clock) {}

    public AgentLink(Parts parts, LinkSettings settings) throws IOException {
        this.parts = parts;
        this.settings = settings;
        UUID boot = UUID.randomUUID();
        this.api = new WorkerApi(parts.api(), boot, parts.keeper());
        this.keys = new Keys(new KeyCalls(api::materials));
        this.dialer = new Dialer(parts.keeper(), boot, parts.runner(), settings.version());
        this.sayings = new Sayings(parts.clock(), inbox);
        var bench = new Workbench(keys, api, parts.clock());
        this.holdings =
                new Holdings(new Holdings.Means(parts.runner(), bench, inbox, sayings, cores::speaks), this::ack);
    }

    /// Starts to look for cores.
    public void start() {
        parts.keeper().onRenewal(() -> inbox.add(() -> cores.all().forEach(CoreState::refresh)));
        Thread.ofPlatform().name("agent-link").start(this::run);
        var finder = new CoreFinder(api, keys, ended, live -> inbox.add(() -> cores.are(live, jitter)));
        Thread.ofPlatform().daemon().name("agent-cores").start(() -> finder.ask(settings.coresAskedEvery()));
    }

    /// Cores that this worker is connected to.
    public int connected() {
        return cores.connected();
    }

    /// Whether the link's thread turns.
    public boolean alive() {
        return !stopping
                && System.nanoTime() - turnedAt < Duration.ofSeconds(10).toNanos();
    }

    /// Takes nothing more, finishes what runs, says goodbye and waits until the cores have heard it.
    ///
    /// @return false when something still ran at the end of the patience
    public boolean drain(Duration patience) throws InterruptedException {
        inbox.add(() -> {
            draining = true;
            parts.runner().drain();
            holdings.declineWaiting("draining");
            cores.each((core, connection) -> connection.lowerTo(0));
            cores.each((core, connection) -> send(core, connection, FrameType.GOODBYE, Bodies.goodbye(false)));
        });
        return saidGoodbye.await(patience.toNanos(), TimeUnit.NANOSECONDS);
    }

    /// After a drain that was not patient enough, once what still ran has been killed: waits until the cores have
    /// heard goodbye, so that they give it to others at once. Results that no core acknowledges within half of that
    /// time are left behind: their executions run again.
    ///
    /// @return false when they have not heard it in time
    public boolean leave(Duration patience) throws InterruptedException {
        if (saidGoodbye.await(patience.toNanos() / 2, TimeUnit.NANOSECONDS)) {
            return true;
        }
        inbox.add(() -> hurried = true);
        return saidGoodbye.await(patience.toNanos() / 2, TimeUnit.NANOSECONDS);
    }

    private void run() {
        try {
            while (!stopping) {
                build();
                turnUntilBroken();
                shut();
            }
        } finally {
            ended.countDown();
        }
    }

    private void build() {
        ioThreadDied = false;
        ZMQ.Context fresh = ZMQ.context(1);
        fresh.setUncaughtExceptionHandler((thread, error) -> {
            LOG.error("event=link_io_thread_died thread={} rebuilt=true", thread.getName(), error);
            ioThreadDied = true;
        });
        fresh.setNotificationExceptionHandler((thread, error) ->
                LOG.debug("event=link_io_exception thread={} reason=\"{}\"", thread.getName(), error.toString()));
        context = fresh;
        poller = fresh.poller(8);
        poller.register(inbox.channel(), ZMQ.Poller.POLLIN);
    }

    private void turnUntilBroken() {
        ZMQ.Poller waiting = java.util.Objects.requireNonNull(poller);
        long nextBeat = System.nanoTime();
        while (!stopping && !ioThreadDied) {
            boolean worked = inbox.drain(INBOX_BURST);
            boolean heard = hear(); // Each message is guarded on its own.
            Inbox.run(this::dialMissing);
            Inbox.run(holdings::startReady);
            Inbox.run(() -> CreditDeal.raise(places(), cores.active()));
            Inbox.run(this::flush);
            Inbox.run(this::leaveWhenDone);
            long now = System.nanoTime();
            turnedAt = now;
            if (now - nextBeat >= 0) {
                nextBeat += BEAT_NANOS * (1 + (now - nextBeat) / BEAT_NANOS);
                Inbox.run(this::tick);
            }
            if (!worked && !heard) {
                long millis = Math.clamp((nextBeat - System.nanoTime()) / 1_000_000, 1, 100);
                inbox.park(() -> waiting.poll(millis));
            }
        }
    }

    private void shut() {
        for (CoreState core : cores.all()) {
            core.next().ifPresent(connection -> close(core, connection));
            core.active().ifPresent(connection -> close(core, connection));
        }
        java.util.Objects.requireNonNull(poller).close();
        ZMQ.Context old = java.util.Objects.requireNonNull(context);
        Thread.ofPlatform().daemon().name("agent-link-end").start(old::term);
    }

    private void dialMissing() {
        for (CoreState core : cores.all()) {
            if (!leaving && core.shouldDial()) {
                core.dialing();
                Thread.ofVirtual().name("link-dial").start(() -> dial(core));
            }
        }
    }

    private void dial(CoreState core) {
        try {
            Dialer.Line line = dialer.dial(core.address());
            inbox.add(() -> connect(core, line));
        } catch (IOException | RuntimeException e) {
            LOG.warn(
                    "event=core_unreachable core={} tried_again=true reason=\"{}\"",
                    core.address().incarnation(),
                    e.toString());
            if (e instanceof Dialer.NotAdmittedException) {
                keys.kept().forget();
            }
            inbox.add(core::failed);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void connect(CoreState core, Dialer.Line line) {
        var outcome = new Bridge.Outcome() {
            private @Nullable CoreConnection connection;

            @Override
            public void stuck() {
                inbox.add(() -> {
                    LOG.debug("event=dealer_made_anew core={}", core.address().incarnation());
                    CoreConnection old = connection;
                    if (old != null && core.next().filter(next -> next == old).isPresent()) {
                        java.util.Objects.requireNonNull(poller).unregister(old.dealer());
                        old.dealer().close();
                        connect(core, line);
                    }
                });
            }

            @Override
            public void ended() {
                inbox.add(() -> {
                    if (connection != null) {
                        close(core, connection);
                    }
                });
            }
        };
        try {
            ZMQ.Context current = java.util.Objects.requireNonNull(context);
            var connection = new CoreConnection(current, line, settings.witness(), outcome);
            outcome.connection = connection;
            java.util.Objects.requireNonNull(poller).register(connection.dealer(), ZMQ.Poller.POLLIN);
            core.dialed(connection);
        } catch (IOException e) {
            LOG.warn("event=loopback_door_failed reason=\"{}\"", e.getMessage());
            core.failed();
        }
    }

    /// Ends one connection. Its core is dialled again unless it was already replaced.
    private void close(CoreState core, CoreConnection connection) {
        if (!CoreTable.known(core, connection)) {
            return;
        }
        boolean wasActive = core.active().filter(c -> c == connection).isPresent();
        java.util.Objects.requireNonNull(poller).unregister(connection.dealer());
        connection.close();
        core.lost(connection);
        if (wasActive) {
            holdings.sendAgain(core.address().incarnation());
            LOG.info("event=core_lost core={} leaving={}", core.address().incarnation(), leaving);
        }
        cores.count();
    }

    private boolean hear() {
        boolean any = false;
        for (CoreState core : cores.all()) {
            for (CoreConnection connection : CoreTable.connections(core)) {
                for (int i = 0; i < BURST && CoreTable.known(core, connection); i++) {
                    byte[] message = connection.poll().orElse(null);
                    if (message == null) {
                        break;
                    }
                    any = true;
                    hear(core, connection, message);
                }
            }
        }
        return any;
    }

    private void hear(CoreState core, CoreConnection connection, byte[] message) {
        try {
            if (!connection.welcomed()) {
                connection.welcome(message);
                activate(core, connection);
                return;
            }
            take(core, connection, connection.open(message));
        } catch (FrameException e) {
            LOG.warn("event=link_cut core={} reason=\"{}\"", core.address().incarnation(), e.getMessage());
            close(core, connection);
        }
    }

    /// A welcomed connection takes over. The old one is closed before the report is written: what it still carried
    /// is not read any more, so the core may take the report as the whole truth.
    private void activate(CoreState core, CoreConnection connection) {
        core.activate(connection).ifPresent(old -> {
            java.util.Objects.requireNonNull(poller).unregister(old.dealer());
            old.close();
        });
        cores.count();
        UUID id = core.address().incarnation();
        LOG.info("event=core_joined core={} held={}", id, holdings.list().size());
        boolean said =
                connection.send(FrameType.READY, Bodies.ready(parts.runner().slots(), holdings.list()))
                        && connection.beat(holdings.list(), parts.keeper().current());
        if (!said) {
            close(core, connection);
            return;
        }
        holdings.sendAgain(id);
        core.acks().clear();
        core.acks().addAll(holdings.startedFor(id));
        if (draining) {
            send(core, connection, FrameType.GOODBYE, Bodies.goodbye(false));
        }
    }

    private void take(CoreState core, CoreConnection connection, Frame frame) throws FrameException {
        switch (frame.header().type()) {
            case DISPATCH -> dispatch(core, connection, Bodies.readDispatches(frame));
            case RESULT_ACK -> holdings.settled(Bodies.readSettled(frame));
            case CANCEL -> {
                for (CancelRecord cancel : Bodies.readCancels(frame)) {
                    holdings.cancel(cancel);
                }
            }
            case HEARTBEAT -> answer(core, connection, Bodies.readAnswer(frame.body()));
            case GOODBYE -> {
                if (leaving && Bodies.readGoodbye(frame.body())) {
                    close(core, connection);
                }
            }
            case ERROR ->
                throw new FrameException(
                        "the core gave up: " + Bodies.readError(frame.body()).code());
            case HELLO, WELCOME, READY, ACK, RESULT, PROGRESS, LOG ->
                throw new FrameException(
                        "a core does not send " + frame.header().type());
        }
    }

    private void dispatch(CoreState core, CoreConnection connection, DispatchBatch batch) {
        connection.took(batch.records().size());
        UUID id = core.address().incarnation();
        Optional<CoreConnection.Beat> named = connection.beat(batch.heartbeat());
        boolean fresh = named.filter(beat -> System.nanoTime() - beat.sentAt() <= FRESH_NANOS)
                .isPresent();
        if (!fresh || draining) {
            String code = draining ? "draining" : "stale_heartbeat";
            LOG.warn(
                    "event=dispatch_declined core={} executions={} code={}",
                    id,
                    batch.records().size(),
                    code);
            batch.records().forEach(record -> core.acks().add(new AckRecord(record.execution(), record.fence(), code)));
            return;
        }
        holdings.take(id, batch.records());
    }

    private void answer(CoreState core, CoreConnection connection, HeartbeatAnswer answer) {
        CoreConnection.Beat beat = connection.beat(answer.number()).orElse(null);
        if (beat == null || answer.verdicts().size() != beat.held().size()) {
            return;
        }
        connection.answered(answer.backlog());
        Duration age = Duration.ofNanos(System.nanoTime() - beat.sentAt());
        holdings.judged(core.address().incarnation(), beat.held(), answer, age);
    }

    /// From the holdings: what to tell a core about a dispatch.
    private void ack(UUID core, AckRecord record) {
        cores.find(core)
                .filter(state -> state.active().isPresent())
                .ifPresent(state -> state.acks().add(record));
    }

    private int places() {
        return draining ? 0 : parts.runner().slots() + settings.prefetch() - holdings.busy();
    }

    private void flush() {
        cores.each((core, connection) -> {
            if (connection.hasLeft()) {
                return;
            }
            List<AckRecord> acks = List.copyOf(core.acks());
            core.acks().clear();
            sendAll(core, connection, FrameType.ACK, Bodies.acks(acks));
            // Before the results: an end is told after everything that was said before it.
            Sayings.Due said = sayings.due(core.address().incarnation(), connection.room());
            sendAll(core, connection, FrameType.PROGRESS, Bodies.progress(said.progress()));
            sendAll(core, connection, FrameType.LOG, Bodies.logs(said.logs()));
            List<ResultRecord> due = holdings.due(core.address().incarnation());
            sendAll(core, connection, FrameType.RESULT, Bodies.results(due));
            if (connection.takeGrantWaits()) {
                // Nothing else carries the new grant, so a READY without a list does.
                send(
                        core,
                        connection,
                        FrameType.READY,
                        Bodies.ready(parts.runner().slots(), List.of()));
            }
        });
    }

    private <R> void sendAll(CoreState core, CoreConnection connection, FrameType type, List<Bodies.Packed<R>> all) {
        for (Bodies.Packed<R> one : all) {
            if (!send(core, connection, type, one.body())) {
                return;
            }
        }
    }

    private boolean send(CoreState core, CoreConnection connection, FrameType type, Body body) {
        boolean current = core.active().filter(active -> active == connection).isPresent();
        if (current && connection.send(type, body)) {
            return true;
        }
        close(core, connection);
        return false;
    }

    /// Once a second.
    private void tick() {
        keys.kept().sweep();
        CreditDeal.lower(places(), cores.active());
        cores.each((core, connection) -> {
            if (connection.nanosSinceAnswer() > SILENT_NANOS) {
                LOG.warn("event=core_silent core={}", core.address().incarnation());
                close(core, connection);
            } else if (!connection.hasLeft()
                    && !connection.beat(holdings.list(), parts.keeper().current())) {
                close(core, connection);
            } else if (endsSoon(connection)) {
                core.refresh();
            }
        });
        for (CoreState core : cores.all()) {
            core.next().filter(next -> next.nanosOpen() > WELCOME_NANOS).ifPresent(late -> close(core, late));
        }
    }

    private boolean endsSoon(CoreConnection connection) {
        CoreSession session = connection.line().session();
        // A session that ends with its certificate gets no longer by being made anew with the same one.
        Identity identity = parts.keeper().current();
        boolean useless = identity.certificate().equals(session.certificate())
                && !session.expiresAt().isBefore(identity.notAfter());
        Duration left = Duration.between(parts.clock().instant(), session.expiresAt());
        boolean ending = left.compareTo(SESSION_MARGIN) < 0 && !useless;
        return ending || connection.nanosOpen() > CONNECTION_LIFE_NANOS || connection.exhausted();
    }

    /// In each turn, so that an end is not put off to the next beat.
    private void leaveWhenDone() {
        if (!draining || !(hurried || holdings.isEmpty())) {
            return;
        }
        if (leaving && cores.connected() == 0) {
            saidGoodbye.countDown();
            return;
        }
        leaving = true;
        // A core that came while this worker was leaving is told as well.
        cores.each((core, connection) -> {
            if (connection.leaves()) {
                send(core, connection, FrameType.GOODBYE, Bodies.goodbye(true));
            }
        });
    }

    /// Ends every connection and the thread. What still runs is the runner's to end.
    @Override
    public void close() {
        stopping = true;
        inbox.add(() -> {});
        try {
            if (!ended.await(5, TimeUnit.SECONDS)) {
                LOG.warn("event=link_thread_still_running");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
