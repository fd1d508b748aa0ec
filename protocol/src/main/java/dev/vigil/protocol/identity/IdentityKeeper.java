package dev.vigil.protocol.identity;

import java.io.IOException;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLContext;
import org.jspecify.annotations.Nullable;

/// Holds the certificate of a worker or service, gets it by join token when there is none, and renews it at half its
/// life for as long as it is open.
public final class IdentityKeeper implements AutoCloseable {
    private static final System.Logger LOG = System.getLogger(IdentityKeeper.class.getName());
    private static final Duration WAIT_MIN = Duration.ofMillis(200);
    private static final Duration WAIT_MAX = Duration.ofSeconds(30);
    private static final Duration API_PAUSE = Duration.ofSeconds(1);
    private static final SecureRandom JITTER = new SecureRandom();

    private final IdentitySettings settings;
    private final InstantSource clock;
    private final IdentityFolder folder;
    private final CertificateCalls calls;
    private final List<Runnable> listeners = new CopyOnWriteArrayList<>();
    private final CountDownLatch closed = new CountDownLatch(1);
    private volatile Held held;

    private record Held(Identity identity, List<X509Certificate> authorities) {}

    private IdentityKeeper(IdentitySettings settings, InstantSource clock, IdentityFolder folder)
            throws IOException, IdentityException, InterruptedException {
        this.settings = settings;
        this.clock = clock;
        this.folder = folder;
        this.calls = new CertificateCalls(settings.api());
        Held stored = stored();
        this.held = stored != null ? stored : enrolled();
    }

    /// Takes the stored identity, or enrols with token and CA pin; then keeps it fresh.
    ///
    /// @throws IOException       the API cannot be reached or is not ready; worth another try
    /// @throws IdentityException the API refused, or the settings cannot work; another try does not help
    public static IdentityKeeper open(IdentitySettings settings, InstantSource clock)
            throws IOException, IdentityException, InterruptedException {
        IdentityFolder folder = IdentityFolder.open(settings.folder());
        try {
            var keeper = new IdentityKeeper(settings, clock, folder);
            Thread.ofPlatform().daemon().name("certificate-renewal").start(keeper::renewUntilClosed);
            return keeper;
        } catch (IOException | IdentityException | InterruptedException | RuntimeException e) {
            folder.close();
            throw e;
        }
    }

    /// The same, and waits for an API that cannot be reached yet.
    ///
    /// @throws IdentityException the API refused, or the settings cannot work; another try does not help
    public static IdentityKeeper await(IdentitySettings settings, InstantSource clock)
            throws IdentityException, InterruptedException {
        while (true) {
            try {
                return open(settings, clock);
            } catch (IOException e) {
                LOG.log(
                        System.Logger.Level.WARNING,
                        () -> "event=api_unreachable url=" + settings.api() + " tried_again=true reason=\""
                                + e.getMessage() + "\"");
                TimeUnit.MILLISECONDS.sleep(API_PAUSE.toMillis());
            }
        }
    }

    private @Nullable Held stored() throws IOException, IdentityException {
        Identity identity = folder.identity().orElse(null);
        if (identity == null) {
            return null;
        }
        if (clock.instant().isBefore(identity.notAfter())) {
            return new Held(identity, folder.authorities());
        }
        if (settings.token() == null) {
            throw new IdentityException(
                    "setup",
                    "the certificate of " + identity.id() + " ended " + identity.notAfter()
                            + "; enrol again with a new join token and --ca-pin");
        }
        return null;
    }

    private Held enrolled() throws IOException, IdentityException, InterruptedException {
        String token = settings.token();
        String caPin = settings.caPin();
        if (token == null || caPin == null) {
            throw new IdentityException(
                    "setup",
                    "no certificate in " + settings.folder() + " and no join token with CA pin; make one with"
                            + " POST /api/v1/workers/join-tokens and pass both");
        }
        var trust = new PinTrust(caPin);
        KeyPair keys = folder.nextKeys();
        List<X509Certificate> chain = calls.enrol(TlsContexts.pinned(trust), keys, settings.name(), token);
        return accept(keys, chain, List.of(trust.authority()));
    }

    /// Checks what the CA sent before it replaces anything: our key, a name, a chain that ends in the CA we trust.
    private Held accept(KeyPair keys, List<X509Certificate> chain, List<X509Certificate> authorities)
            throws IOException, IdentityException {
        X509Certificate leaf = chain.getFirst();
        if (!Arrays.equals(leaf.getPublicKey().getEncoded(), keys.getPublic().getEncoded())) {
            throw new IdentityException("answer", "the API sent a certificate for another key");
        }
        try {
            var identity = new Identity(keys.getPrivate(), chain);
            new PeerTrust(
                            authorities,
                            new Peers(identity.id().kind(), identity.id().name()),
                            null)
                    .checkClientTrusted(chain.toArray(new X509Certificate[0]), "EC");
            folder.store(keys, chain, authorities);
            return new Held(identity, authorities);
        } catch (GeneralSecurityException e) {
            throw new IdentityException("answer", "the API sent a certificate that does not come from its CA", e);
        }
    }

    /// The identity in force.
    public Identity current() {
        return held.identity();
    }

    /// TLS 1.3 context for calls and links that this process opens, with the certificate in force now. Ask again
    /// after a renewal: a context never resumes a session that was made with an older certificate.
    public SSLContext clientTls(Peers expected) {
        Held now = held;
        return TlsContexts.of(now::identity, now.authorities(), expected);
    }

    /// The same with one certificate in particular: for calls that belong together and must not change it in between.
    public SSLContext clientTls(Identity identity, Peers expected) {
        return TlsContexts.of(() -> identity, held.authorities(), expected);
    }

    /// TLS 1.3 context for a server socket that lives as long as the process: every handshake takes the newest
    /// certificate. The caller asks for client certificates (`needClientAuth`).
    public SSLContext serverTls(Peers expected) {
        return TlsContexts.of(() -> held.identity(), held.authorities(), expected);
    }

    /// The same in its parts.
    public ServerTls server(Peers expected) {
        return TlsContexts.server(() -> held.identity(), held.authorities(), expected);
    }

    /// Calls back after each renewal, on the renewal thread.
    public void onRenewal(Runnable listener) {
        listeners.add(listener);
    }

    private void renewUntilClosed() {
        int failures = 0;
        try {
            while (!closed.await(untilNextTry(failures).toNanos(), TimeUnit.NANOSECONDS)) {
                failures = renew() ? 0 : failures + 1;
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private Duration untilNextTry(int failures) {
        Identity identity = held.identity();
        Instant now = clock.instant();
        if (failures == 0) {
            return Duration.between(now, identity.renewAfter());
        }
        // A twentieth of the life, doubled with every failure and jittered, so that a long outage ends without a storm.
        Duration life = Duration.between(identity.renewAfter(), identity.notAfter());
        long base = Math.max(WAIT_MIN.toMillis(), life.toMillis() / 20) << Math.min(failures - 1, 6);
        long capped = Math.min(base, WAIT_MAX.toMillis());
        return Duration.ofMillis(capped / 2 + JITTER.nextLong(capped / 2 + 1));
    }

    private boolean renew() throws InterruptedException {
        try {
            KeyPair keys = folder.nextKeys();
            List<X509Certificate> chain = calls.renew(clientTls(Peers.service("api")), keys, settings.name());
            held = accept(keys, chain, held.authorities());
            LOG.log(
                    System.Logger.Level.DEBUG,
                    () -> "event=certificate_renewed id=" + current().id() + " until="
                            + current().notAfter());
        } catch (IOException e) {
            LOG.log(
                    System.Logger.Level.WARNING,
                    () -> "event=certificate_not_renewed id=" + current().id() + " until="
                            + current().notAfter() + " tried_again=true reason=\"" + e.getMessage() + "\"");
            return false;
        } catch (IdentityException | RuntimeException e) {
            LOG.log(
                    System.Logger.Level.ERROR,
                    () -> "event=certificate_refused id=" + current().id() + " until="
                            + current().notAfter() + " reason=\"" + e.getMessage() + "\"");
            return false;
        }
        listeners.forEach(Runnable::run);
        return true;
    }

    /// Stops renewing and frees the state folder.
    @Override
    public void close() {
        closed.countDown();
        try {
            folder.close();
        } catch (IOException e) {
            LOG.log(System.Logger.Level.WARNING, "event=state_folder_lock_not_freed", e);
        }
    }
}
