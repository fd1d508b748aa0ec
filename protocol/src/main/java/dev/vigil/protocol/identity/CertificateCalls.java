package dev.vigil.protocol.identity;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import javax.net.ssl.SSLContext;

/// The two calls to the CA: `POST /worker/v1/enrol` with a join token, `POST /worker/v1/renew` with the certificate.
final class CertificateCalls {
    private static final Duration CONNECT = Duration.ofSeconds(5);
    private static final Duration ANSWER = Duration.ofSeconds(10);
    private static final int ANSWER_BYTES_MAX = 64 * 1024;

    private final URI api;

    CertificateCalls(URI api) {
        this.api = api;
    }

    List<X509Certificate> enrol(SSLContext tls, KeyPair keys, String name, String token)
            throws IOException, IdentityException, InterruptedException {
        Map<String, String> body = new TreeMap<>();
        body.put("token", token);
        body.put("csr", CertificateRequest.pem(keys, name));
        body.put("name", name);
        return post(tls, "/worker/v1/enrol", body);
    }

    List<X509Certificate> renew(SSLContext tls, KeyPair keys, String name)
            throws IOException, IdentityException, InterruptedException {
        return post(tls, "/worker/v1/renew", Map.of("csr", CertificateRequest.pem(keys, name)));
    }

    private List<X509Certificate> post(SSLContext tls, String path, Map<String, String> body)
            throws IOException, IdentityException, InterruptedException {
        var request = HttpRequest.newBuilder(api.resolve(path))
                .timeout(ANSWER)
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(FlatJson.write(body)))
                .build();
        try (HttpClient client = HttpClient.newBuilder()
                .version(HttpClient.Version.HTTP_1_1)
                .connectTimeout(CONNECT)
                .sslContext(tls)
                .sslParameters(TlsContexts.parameters())
                .build()) {
            HttpResponse<String> answer = client.send(
                    request,
                    HttpResponse.BodyHandlers.limiting(HttpResponse.BodyHandlers.ofString(), ANSWER_BYTES_MAX));
            return chain(path, answer);
        }
    }

    private static List<X509Certificate> chain(String path, HttpResponse<String> answer)
            throws IOException, IdentityException {
        int status = answer.statusCode();
        Map<String, String> members;
        try {
            members = FlatJson.strings(answer.body());
        } catch (IllegalArgumentException e) {
            throw new IOException(path + " answered " + status + " without a JSON body", e);
        }
        if (status >= 500 || status == 429) {
            throw new IOException(path + " answered " + status + " " + members.getOrDefault("code", ""));
        }
        if (status != 200 && status != 201) {
            String code = members.getOrDefault("code", "refused");
            String detail = members.getOrDefault("detail", members.getOrDefault("title", ""));
            throw new IdentityException(code, path + " answered " + status + " " + code + ": " + detail);
        }
        try {
            List<X509Certificate> chain = Pem.certificates(members.getOrDefault("certificate", ""));
            if (chain.size() < 2) {
                throw new IdentityException("answer", path + " answered without certificate and issuer");
            }
            return chain;
        } catch (GeneralSecurityException e) {
            throw new IdentityException("answer", path + " answered with a certificate that cannot be read", e);
        }
    }
}
