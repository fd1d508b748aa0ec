package dev.vigil.protocol.identity;

import java.net.Socket;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.util.Arrays;
import java.util.List;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509ExtendedTrustManager;
import javax.net.ssl.X509TrustManager;
import org.jspecify.annotations.Nullable;

/// Trusts peers whose certificate comes from this installation's CA and whose SPIFFE id is the expected one. Host names
/// play no part: cores and workers move between addresses, and an address is no identity.
final class PeerTrust extends X509ExtendedTrustManager {
    private final X509TrustManager authority;
    private final Peers expected;
    private final @Nullable String domain;

    /// @param anchors the CA certificates
    /// @param domain  the only trust domain; null while it is not known, which is before the first certificate
    PeerTrust(List<X509Certificate> anchors, Peers expected, @Nullable String domain) throws GeneralSecurityException {
        this.authority = authority(anchors);
        this.expected = expected;
        this.domain = domain;
    }

    private static X509TrustManager authority(List<X509Certificate> anchors) throws GeneralSecurityException {
        var store = KeyStore.getInstance("PKCS12");
        try {
            store.load(null, null);
        } catch (java.io.IOException e) {
            throw new GeneralSecurityException("an empty key store cannot be made", e);
        }
        for (int i = 0; i < anchors.size(); i++) {
            store.setCertificateEntry("ca-" + i, anchors.get(i));
        }
        var factory = TrustManagerFactory.getInstance("PKIX");
        factory.init(store);
        return (X509TrustManager) factory.getTrustManagers()[0];
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String authType) throws CertificateException {
        authority.checkClientTrusted(chain, authType);
        checkName(chain[0]);
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String authType) throws CertificateException {
        authority.checkServerTrusted(chain, authType);
        checkName(chain[0]);
    }

    private void checkName(X509Certificate leaf) throws CertificateException {
        SpiffeId id = SpiffeId.of(leaf)
                .orElseThrow(() -> new CertificateException("the peer's certificate has no spiffe:// name"));
        if (!expected.allow(id) || (domain != null && !domain.equals(id.domain()))) {
            throw new CertificateException("the peer is " + id + "; expected " + expected + " of domain " + domain);
        }
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String authType, Socket socket)
            throws CertificateException {
        checkClientTrusted(chain, authType);
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String authType, Socket socket)
            throws CertificateException {
        checkServerTrusted(chain, authType);
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String authType, SSLEngine engine)
            throws CertificateException {
        checkClientTrusted(chain, authType);
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String authType, SSLEngine engine)
            throws CertificateException {
        checkServerTrusted(chain, authType);
    }

    @Override
    public X509Certificate[] getAcceptedIssuers() {
        X509Certificate[] issuers = authority.getAcceptedIssuers();
        return Arrays.copyOf(issuers, issuers.length);
    }
}
