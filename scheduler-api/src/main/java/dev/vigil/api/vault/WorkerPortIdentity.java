package dev.vigil.api.vault;

import dev.vigil.protocol.identity.Peers;
import dev.vigil.protocol.identity.SpiffeId;
import dev.vigil.protocol.identity.TlsContexts;
import java.io.IOException;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.cert.Certificate;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.stream.Stream;
import javax.net.ssl.SSLContext;

/// The certificate of this node of the API, `service/api`: it serves the worker port with it and shows it to the cores.
/// Issued at start and again at half of its life; the private key never leaves the memory.
public final class WorkerPortIdentity {
    private static final String ALIAS = "api";
    /// A key store wants one; its content is in the memory of this process only.
    private static final char[] PASSWORD = "memory-only".toCharArray();

    private final Authority authority;
    private final InstantSource time;
    private final Duration life;
    private final List<String> hosts;
    private Issued issued;

    WorkerPortIdentity(Authority authority, InstantSource time, VaultSettings settings) {
        this.authority = authority;
        this.time = time;
        this.life = settings.serverCertificateLife();
        this.hosts = settings.workerPortHosts();
        this.issued = issue(1);
    }

    private record Issued(int generation, KeyStore keys, Instant renewAfter) {}

    /// Key and chain of the worker port: the leaf, then the CA. A new one once half of the old one's life is over.
    public synchronized KeyStore keyStore() {
        if (!time.instant().isBefore(issued.renewAfter())) {
            issued = issue(issued.generation() + 1);
        }
        return issued.keys();
    }

    /// The password of [#keyStore].
    public String password() {
        return new String(PASSWORD);
    }

    /// When the key store should be taken anew.
    public synchronized Instant renewAfter() {
        return issued.renewAfter();
    }

    /// The CA that peers must chain to, and nothing else.
    public KeyStore trustStore() {
        try {
            KeyStore store = empty();
            store.setCertificateEntry("ca", authority.certificate());
            return store;
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("PKCS12 is part of every JDK", e);
        }
    }

    /// For calls to other services: shows this certificate, and speaks to that service of this installation only.
    public SSLContext clientTls(Peers expected) {
        try {
            KeyStore store = keyStore();
            var key = (PrivateKey) store.getKey(ALIAS, PASSWORD);
            List<X509Certificate> chain = Stream.of(store.getCertificateChain(ALIAS))
                    .map(X509Certificate.class::cast)
                    .toList();
            return TlsContexts.client(key, chain, expected);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("this node's own certificate cannot be used", e);
        }
    }

    private Issued issue(int generation) {
        var holder = new SpiffeId(authority.domain(), SpiffeId.SERVICE, "api");
        KeyPair pair = Authority.newKeyPair();
        Authority.Issued certificate =
                authority.issue(new Authority.Subject("api", generation, holder, hosts), pair.getPublic(), life);
        try {
            KeyStore store = empty();
            store.setKeyEntry(
                    ALIAS, pair.getPrivate(), PASSWORD, new Certificate[] {certificate.leaf(), certificate.authority()
                    });
            return new Issued(generation, store, certificate.renewAfter());
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("PKCS12 is part of every JDK", e);
        }
    }

    private static KeyStore empty() throws GeneralSecurityException {
        var store = KeyStore.getInstance("PKCS12");
        try {
            store.load(null, PASSWORD);
        } catch (IOException e) {
            throw new IllegalStateException("an empty key store needs no input", e);
        }
        return store;
    }
}
