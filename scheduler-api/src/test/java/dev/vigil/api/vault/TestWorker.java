package dev.vigil.api.vault;

import dev.vigil.api.Api;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.StringWriter;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.List;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import org.bouncycastle.asn1.pkcs.PKCSObjectIdentifiers;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.ExtensionsGenerator;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.openssl.jcajce.JcaPEMWriter;
import org.bouncycastle.operator.OperatorCreationException;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.bouncycastle.pkcs.jcajce.JcaPKCS10CertificationRequestBuilder;
import org.jspecify.annotations.Nullable;

/// The worker's end of the worker port, written by hand so that it can also misbehave.
final class TestWorker {
    private static final char[] PASSWORD = "test".toCharArray();

    private final URI url;
    private final X509Certificate authority;
    private final HttpClient http;

    /// @param key   null to show no certificate
    /// @param chain what it shows
    TestWorker(Api api, @Nullable KeyPair key, List<X509Certificate> chain) {
        this.url = api.context().getBean(WorkerAddress.class).url();
        this.authority = api.context().getBean(Authority.class).certificate();
        this.http = HttpClient.newBuilder()
                .version(HttpClient.Version.HTTP_1_1)
                .connectTimeout(Duration.ofSeconds(5))
                .sslContext(tls(key, chain))
                .build();
    }

    static TestWorker stranger(Api api) {
        return new TestWorker(api, null, List.of());
    }

    /// One that was admitted with this answer.
    static TestWorker of(Api api, KeyPair key, Api.Reply admitted) {
        return new TestWorker(api, key, chain(admitted));
    }

    Api.Reply enrol(String token, KeyPair key) {
        return enrol(token, csr(key, key));
    }

    Api.Reply enrol(String token, String csr) {
        return post(
                "/worker/v1/enrol",
                "{\"token\":\"%s\",\"csr\":\"%s\",\"name\":\"eu-7\"}".formatted(token, csr.replace("\n", "\\n")));
    }

    Api.Reply renew(KeyPair key) {
        return post(
                "/worker/v1/renew", "{\"csr\":\"%s\"}".formatted(csr(key, key).replace("\n", "\\n")));
    }

    /// Asks whether a token stands.
    Api.Reply standing(String token) {
        return send(request("/internal/v1/standing")
                .header("Authorization", "Bearer " + token)
                .GET());
    }

    Api.Reply cores() {
        return get("/worker/v1/cores");
    }

    Api.Reply get(String path) {
        return send(request(path).GET());
    }

    Api.Reply post(String path, String json) {
        return send(request(path)
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(json)));
    }

    HttpResponse<byte[]> exchange(String method, String path, byte[] body) {
        try {
            return http.send(
                    request(path)
                            .method(method, HttpRequest.BodyPublishers.ofByteArray(body))
                            .build(),
                    HttpResponse.BodyHandlers.ofByteArray());
        } catch (IOException | InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private HttpRequest.Builder request(String path) {
        return HttpRequest.newBuilder(url.resolve(path)).timeout(Duration.ofSeconds(20));
    }

    private Api.Reply send(HttpRequest.Builder request) {
        try {
            return new Api.Reply(http.send(request.build(), HttpResponse.BodyHandlers.ofString()));
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    /// The certificates of an enrolment's or renewal's answer.
    static List<X509Certificate> chain(Api.Reply reply) {
        String pem = reply.json().path("certificate").asString();
        try {
            return CertificateFactory.getInstance("X.509")
                    .generateCertificates(new ByteArrayInputStream(pem.getBytes(StandardCharsets.US_ASCII)))
                    .stream()
                    .map(X509Certificate.class::cast)
                    .toList();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(reply.text(), e);
        }
    }

    /// A request that asks for far more than it gets: a CA for everybody's names.
    static String csr(KeyPair named, KeyPair signer) {
        try {
            var extensions = new ExtensionsGenerator();
            extensions.addExtension(Extension.basicConstraints, true, new BasicConstraints(true));
            extensions.addExtension(
                    Extension.subjectAlternativeName,
                    false,
                    new GeneralNames(new GeneralName(
                            GeneralName.uniformResourceIdentifier, "spiffe://vigil.local/service/gdpr")));
            String algorithm = signer.getPrivate().getAlgorithm().equals("RSA") ? "SHA256withRSA" : "SHA256withECDSA";
            var request = new JcaPKCS10CertificationRequestBuilder(new X500Name("CN=admin"), named.getPublic())
                    .addAttribute(PKCSObjectIdentifiers.pkcs_9_at_extensionRequest, extensions.generate())
                    .build(new JcaContentSignerBuilder(algorithm).build(signer.getPrivate()));
            var text = new StringWriter();
            try (var writer = new JcaPEMWriter(text)) {
                writer.writeObject(request);
            }
            return text.toString();
        } catch (IOException | OperatorCreationException e) {
            throw new IllegalStateException(e);
        }
    }

    private SSLContext tls(@Nullable KeyPair key, List<X509Certificate> chain) {
        try {
            var trusted = KeyStore.getInstance("PKCS12");
            trusted.load(null, PASSWORD);
            trusted.setCertificateEntry("ca", authority);
            var trust = TrustManagerFactory.getInstance("PKIX");
            trust.init(trusted);
            var own = KeyStore.getInstance("PKCS12");
            own.load(null, PASSWORD);
            if (key != null) {
                own.setKeyEntry("own", key.getPrivate(), PASSWORD, chain.toArray(Certificate[]::new));
            }
            // The old key manager shows what it is given; the newer one hides certificates it thinks will be refused.
            var keys = KeyManagerFactory.getInstance("SunX509");
            keys.init(own, PASSWORD);
            var context = SSLContext.getInstance("TLSv1.3");
            context.init(keys.getKeyManagers(), trust.getTrustManagers(), null);
            return context;
        } catch (GeneralSecurityException | IOException e) {
            throw new IllegalStateException(e);
        }
    }
}
