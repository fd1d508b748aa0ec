package dev.vigil.platform;

import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Base64;
import java.util.Map;
import java.util.Optional;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// A REST client as a user would write one: a token, JSON in, status and JSON out. The demo and the end-to-end tests
/// speak to the platform through it and through nothing else.
final class VigilClient {
    private static final JsonMapper JSON = JsonMapper.builder().build();
    private static final Duration TIMEOUT = Duration.ofSeconds(30);
    // HTTP/1.1: a cleartext server answers an upgrade offer on each new connection otherwise.
    private static final HttpClient HTTP = HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(Duration.ofSeconds(5))
            .build();

    private final String url;
    private final String token;

    private VigilClient(String url, String token) {
        this.url = url;
        this.token = token;
    }

    /// A client with a token of the client-credentials grant.
    public static VigilClient ofClient(String url, String clientId, String clientSecret) {
        String basic =
                Base64.getEncoder().encodeToString((clientId + ":" + clientSecret).getBytes(StandardCharsets.US_ASCII));
        HttpRequest request = HttpRequest.newBuilder(URI.create(url + "/oauth2/token"))
                .timeout(TIMEOUT)
                .header("Authorization", "Basic " + basic)
                .header("Content-Type", "application/x-www-form-urlencoded")
                .POST(HttpRequest.BodyPublishers.ofString("grant_type=client_credentials"))
                .build();
        return new VigilClient(url, tokenOf(exchange(request)));
    }

    /// A client with the token of a person's login.
    public static VigilClient ofUser(String url, String username, String password) {
        Reply reply =
                new VigilClient(url, "").post("/api/auth/login", Map.of("username", username, "password", password));
        return new VigilClient(url, tokenOf(reply));
    }

    /// A client without credentials.
    public static VigilClient anonymous(String url) {
        return new VigilClient(url, "");
    }

    /// The same caller at another service.
    public VigilClient at(String service) {
        return new VigilClient(service, token);
    }

    /// The bearer token in use.
    public String token() {
        return token;
    }

    /// GET.
    public Reply get(String path) {
        return exchange(request(path).GET().build());
    }

    /// GET of bytes, such as an export.
    public HttpResponse<byte[]> getBytes(String path) {
        try {
            return HTTP.send(request(path).GET().build(), HttpResponse.BodyHandlers.ofByteArray());
        } catch (IOException e) {
            throw new Unreachable(url + path, e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while waiting for " + path, e);
        }
    }

    /// POST of any value as JSON.
    public Reply post(String path, Object body) {
        return postText(path, JSON.writeValueAsString(body));
    }

    /// POST of JSON text as it is, broken text included.
    public Reply postText(String path, String body) {
        return exchange(request(path)
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(body))
                .build());
    }

    /// PUT of any value as JSON.
    public Reply put(String path, Object body) {
        return exchange(request(path)
                .header("Content-Type", "application/json")
                .PUT(HttpRequest.BodyPublishers.ofString(JSON.writeValueAsString(body)))
                .build());
    }

    /// POST without a body, for the verbs such as `:pause`.
    public Reply post(String path) {
        return exchange(request(path).POST(HttpRequest.BodyPublishers.noBody()).build());
    }

    /// DELETE of whatever version there is.
    public Reply delete(String path) {
        return exchange(request(path).header("If-Match", "*").DELETE().build());
    }

    /// A value for a query string.
    public static String encoded(String value) {
        return URLEncoder.encode(value, StandardCharsets.UTF_8);
    }

    private HttpRequest.Builder request(String path) {
        HttpRequest.Builder builder =
                HttpRequest.newBuilder(URI.create(url + path)).timeout(TIMEOUT);
        return token.isEmpty() ? builder : builder.header("Authorization", "Bearer " + token);
    }

    private static Reply exchange(HttpRequest request) {
        try {
            HttpResponse<String> response = HTTP.send(request, HttpResponse.BodyHandlers.ofString());
            return new Reply(response.statusCode(), response.body(), request.method() + " " + request.uri());
        } catch (IOException e) {
            throw new Unreachable(request.uri().toString(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while waiting for " + request.uri(), e);
        }
    }

    private static String tokenOf(Reply reply) {
        return reply.expect(200).path("access_token").asString();
    }

    /// An answer.
    ///
    /// @param status the HTTP status
    /// @param text   the body as it came
    /// @param call   method and address, for messages
    public record Reply(int status, String text, String call) {
        /// The body as JSON; a missing node when it is empty or no JSON.
        public JsonNode json() {
            return Optional.of(text)
                    .filter(body -> body.startsWith("{") || body.startsWith("["))
                    .map(JSON::readTree)
                    .orElseGet(JSON::missingNode);
        }

        /// The body of an answer that must have this status.
        ///
        /// @throws IllegalStateException with call, status and body when it has another
        public JsonNode expect(int wanted) {
            if (status != wanted) {
                throw new IllegalStateException(call + " answered " + status + " instead of " + wanted + ": " + text);
            }
            return json();
        }

        /// Stops unless the call did what it was asked: 200, 201 or 204.
        ///
        /// @throws IllegalStateException with call, status and body otherwise
        public void expectSuccess() {
            if (status / 100 != 2) {
                throw new IllegalStateException(call + " answered " + status + ": " + text);
            }
        }
    }

    /// The server did not answer.
    public static final class Unreachable extends RuntimeException {
        private static final long serialVersionUID = 1;

        Unreachable(String address, Throwable cause) {
            super("no answer from " + address + ": " + cause, cause);
        }
    }
}
