package dev.vigil.protocol.identity;

import java.net.Socket;
import java.security.GeneralSecurityException;
import java.security.Principal;
import java.security.PrivateKey;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import java.util.function.Supplier;
import javax.net.ssl.KeyManager;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509ExtendedKeyManager;
import org.jspecify.annotations.Nullable;

/// TLS contexts of our own CA. A JDK context offers older versions beside 1.3, so whoever opens a socket from one also
/// applies [#parameters()].
public final class TlsContexts {
    private TlsContexts() {}

    /// TLS 1.3 only, with the suites of RFC 8446 that every AES-capable machine runs fast.
    public static SSLParameters parameters() {
        return new SSLParameters(
                new String[] {"TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"},
                new String[] {"TLSv1.3"});
    }

    /// A context for calls of a process that issues its own certificate: the CA itself.
    ///
    /// @param chain the leaf first, the CA last
    public static SSLContext client(PrivateKey key, List<X509Certificate> chain, Peers expected)
            throws GeneralSecurityException {
        var identity = new Identity(key, chain);
        return of(() -> identity, List.of(chain.getLast()), expected);
    }

    static SSLContext of(Supplier<Identity> identity, List<X509Certificate> authorities, Peers expected) {
        return server(identity, authorities, expected).context();
    }

    static ServerTls server(Supplier<Identity> identity, List<X509Certificate> authorities, Peers expected) {
        try {
            var trust = new PeerTrust(authorities, expected, identity.get().id().domain());
            var keys = new NewestKey(identity);
            return new ServerTls(context(new KeyManager[] {keys}, trust), keys, trust);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("TLS 1.3 is part of every JDK", e);
        }
    }

    static SSLContext pinned(PinTrust trust) {
        try {
            return context(new KeyManager[0], trust);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("TLS 1.3 is part of every JDK", e);
        }
    }

    private static SSLContext context(KeyManager[] keys, TrustManager trust) throws GeneralSecurityException {
        var context = SSLContext.getInstance("TLSv1.3");
        context.init(keys, new TrustManager[] {trust}, new SecureRandom());
        return context;
    }

    /// Presents whatever certificate is in force at the moment of the handshake. The alias names one certificate, so a
    /// renewal between the two questions for key and chain does not mix them.
    private static final class NewestKey extends X509ExtendedKeyManager {
        private static final int KEPT = 4;

        private final Supplier<Identity> newest;
        private final SequencedMap<String, Identity> presented = new LinkedHashMap<>();

        NewestKey(Supplier<Identity> newest) {
            this.newest = newest;
        }

        private synchronized String alias() {
            Identity identity = newest.get();
            String alias = identity.certificate().getSerialNumber().toString(16);
            presented.putLast(alias, identity);
            if (presented.size() > KEPT) {
                presented.pollFirstEntry();
            }
            return alias;
        }

        private synchronized Identity presented(String alias) {
            Identity identity = presented.get(alias);
            return identity != null ? identity : newest.get();
        }

        @Override
        public String[] getClientAliases(String keyType, Principal @Nullable [] issuers) {
            return new String[] {alias()};
        }

        @Override
        public String chooseClientAlias(String[] keyType, Principal @Nullable [] issuers, @Nullable Socket socket) {
            return alias();
        }

        @Override
        public String chooseEngineClientAlias(
                String[] keyType, Principal @Nullable [] issuers, @Nullable SSLEngine engine) {
            return alias();
        }

        @Override
        public String[] getServerAliases(String keyType, Principal @Nullable [] issuers) {
            return new String[] {alias()};
        }

        @Override
        public @Nullable String chooseServerAlias(
                String keyType, Principal @Nullable [] issuers, @Nullable Socket socket) {
            return keyType.startsWith("EC") ? alias() : null;
        }

        @Override
        public @Nullable String chooseEngineServerAlias(
                String keyType, Principal @Nullable [] issuers, @Nullable SSLEngine engine) {
            return keyType.startsWith("EC") ? alias() : null;
        }

        @Override
        public X509Certificate[] getCertificateChain(String alias) {
            return presented(alias).chain().toArray(new X509Certificate[0]);
        }

        @Override
        public PrivateKey getPrivateKey(String alias) {
            return presented(alias).key();
        }
    }
}
