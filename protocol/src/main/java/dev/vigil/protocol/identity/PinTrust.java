package dev.vigil.protocol.identity;

import java.net.Socket;
import java.security.GeneralSecurityException;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicReference;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.X509ExtendedTrustManager;
import org.jspecify.annotations.Nullable;

/// Trust for the very first call: the server must present a chain that ends in the CA whose pin the operator gave, and
/// be the API. Only then is the join token sent.
final class PinTrust extends X509ExtendedTrustManager {
    private final String pin;
    private final AtomicReference<@Nullable X509Certificate> authority = new AtomicReference<>();

    PinTrust(String pin) {
        this.pin = pin.strip().toLowerCase(Locale.ROOT);
        if (!this.pin.matches("sha256:[0-9a-f]{64}")) {
            throw new IllegalArgumentException(
                    "ca-pin is not sha256: and 64 hexadecimal digits; copy it from the join command");
        }
    }

    /// The CA certificate that carried the pin, once a handshake succeeded.
    X509Certificate authority() {
        X509Certificate found = authority.get();
        if (found == null) {
            throw new IllegalStateException("no server was trusted yet");
        }
        return found;
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String authType) throws CertificateException {
        X509Certificate pinned = Arrays.stream(chain)
                .filter(certificate -> Identity.pin(certificate.getPublicKey()).equals(pin))
                .findFirst()
                .orElseThrow(() -> new CertificateException(
                        "the server's CA does not have the pin " + pin + "; wrong address, or somebody in between"));
        if (pinned.getBasicConstraints() < 0) {
            throw new CertificateException("the pinned certificate is not a CA");
        }
        try {
            new PeerTrust(List.of(pinned), Peers.service("api"), null).checkServerTrusted(chain, authType);
        } catch (CertificateException e) {
            throw e;
        } catch (GeneralSecurityException e) {
            throw new CertificateException("the server's chain cannot be checked", e);
        }
        authority.set(pinned);
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String authType, Socket socket)
            throws CertificateException {
        checkServerTrusted(chain, authType);
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String authType, SSLEngine engine)
            throws CertificateException {
        checkServerTrusted(chain, authType);
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String authType) throws CertificateException {
        throw new CertificateException("a pin is for servers only");
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String authType, Socket socket)
            throws CertificateException {
        checkClientTrusted(chain, authType);
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String authType, SSLEngine engine)
            throws CertificateException {
        checkClientTrusted(chain, authType);
    }

    @Override
    public X509Certificate[] getAcceptedIssuers() {
        return new X509Certificate[0];
    }
}
