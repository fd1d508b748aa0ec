package dev.vigil.scheduler.worker;

import dev.vigil.protocol.identity.Identity;
import dev.vigil.protocol.identity.Peers;
import dev.vigil.protocol.identity.TestAuthority;
import dev.vigil.protocol.link.NonceWitness;
import dev.vigil.scheduler.execution.Dispatch;
import dev.vigil.scheduler.execution.WorkerBoot;
import java.io.IOException;
import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;

/// A core's end of the link with its certificates, an engine and a registry of the test's own.
public final class TestCore implements AutoCloseable {
    public final TestAuthority authority;
    public final RecordingEngine engine = new RecordingEngine();
    public final TestRegistry registry = new TestRegistry();
    public final List<UUID> cloned = new CopyOnWriteArrayList<>();
    public final UUID incarnation = UUID.randomUUID();
    public final WorkerLink link;

    public TestCore(TestAuthority authority) throws IOException {
        this(authority, WorkerLinkSettings.onLoopback(), NonceWitness.NONE);
    }

    public TestCore(TestAuthority authority, WorkerLinkSettings settings, NonceWitness witness) throws IOException {
        this.authority = authority;
        Identity identity = authority.service("core");
        var trust = new WorkerLink.Trust(
                authority.tls(identity, Peers.workers()), authority.tls(identity, Peers.everybody()));
        var context = new LinkContext(
                InstantSource.system(),
                registry,
                (worker, older, newer) -> cloned.add(worker),
                witness,
                new ConcurrentHashMap<>());
        link = new WorkerLink(settings, trust, new WorkerLink.Engine(incarnation, engine), context);
        link.start();
    }

    public URI sessions() {
        return URI.create("https://127.0.0.1:" + link.sessionsPort());
    }

    /// Takes one credit and sends one dispatch for it.
    public Dispatch dispatch(byte[] payload) {
        var credits = link.take(1, "demo.echo", 1).orElseThrow(() -> new AssertionError("no worker has a credit"));
        Dispatch dispatch = newDispatch(payload);
        link.send(credits.worker(), List.of(dispatch));
        return dispatch;
    }

    public void dispatchTo(WorkerBoot boot, Dispatch dispatch) {
        link.send(boot, List.of(dispatch));
    }

    public static Dispatch newDispatch(byte[] payload) {
        return new Dispatch(
                UUID.randomUUID(),
                UUID.randomUUID(),
                1,
                1,
                UUID.randomUUID(),
                "demo.echo",
                (7L << 32) + 1,
                1,
                Duration.ofMinutes(1),
                Instant.now(),
                payload);
    }

    @Override
    public void close() {
        link.close();
    }
}
