package dev.vigil.platform;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.InstantSource;

/// Whether a worker or service that starts again has a certificate, or must be invited anew.
final class Certificates {
    /// One that is about to end may end before it is renewed.
    private static final Duration LEFT_AT_LEAST = Duration.ofMinutes(2);

    private Certificates() {}

    /// @param folder where the identity lies
    static boolean stillGood(Path folder, InstantSource clock) throws IOException {
        Path file = folder.resolve("identity.pem");
        if (!Files.exists(file)) {
            return false;
        }
        String pem = Files.readString(file);
        int start = pem.indexOf("-----BEGIN CERTIFICATE-----");
        if (start < 0) {
            return false;
        }
        try (InputStream certificate =
                new ByteArrayInputStream(pem.substring(start).getBytes(StandardCharsets.US_ASCII))) {
            var leaf = (X509Certificate) CertificateFactory.getInstance("X.509").generateCertificate(certificate);
            return leaf.getNotAfter().toInstant().isAfter(clock.instant().plus(LEFT_AT_LEAST));
        } catch (GeneralSecurityException unreadable) {
            return false;
        }
    }
}
