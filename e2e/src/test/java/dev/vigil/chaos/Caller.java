package dev.vigil.chaos;

import java.io.IOException;
import java.net.URI;
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

/// A caller of the REST API with a token, as a user would write one who retries with an Idempotency-Key.
///
/// @param token of the caller
record Caller(String token) {
    static final JsonMapper JSON = JsonMapper.builder().build();
    private static final Duration TIMEOUT = Duration.ofSeconds(12);
    private static final HttpClient HTTP = HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(Duration.ofSeconds(3))
            .build();

    /// An answer.
    ///
    /// @param status     HTTP status
    /// @param retryAfter the header, or empty
    /// @param text       body
    record Reply(int status, String retryAfter, String text) {
        JsonNode json() {
            return JSON.readTree(text);
        }

        JsonNode expect(int wanted) {
            if (status != wanted) {
                throw new IllegalStateException("answered " + status + " instead of " + wanted + ": " + text);
            }
            return json();
        }
    }

    /// With the token of a login.
    static Caller login(String url, String username, String password) throws IOException {
        Reply reply = new Caller("").post(url + "/api/auth/login", Map.of("username", username, "password", password));
        return new Caller(reply.expect(200).path("access_token").asString());
    }

    /// With a token of the client-credentials grant.
    static Caller client(String url, String id, String secret) throws IOException {
        String basic = Base64.getEncoder().encodeToString((id + ":" + secret).getBytes(StandardCharsets.US_ASCII));
        Reply reply = send(HttpRequest.newBuilder(URI.create(url + "/oauth2/token"))
                .header("Authorization", "Basic " + basic)
                .header("Content-Type", "application/x-www-form-urlencoded")
                .POST(HttpRequest.BodyPublishers.ofString("grant_type=client_credentials")));
        return new Caller(reply.expect(200).path("access_token").asString());
    }

    Reply get(String address) throws IOException {
        return send(request(address).GET());
    }

    Reply post(String address, Object body) throws IOException {
        return send(posting(address, body));
    }

    /// The same call may be sent again under the same key and is done once.
    Reply post(String address, Object body, String key) throws IOException {
        return send(posting(address, body).header("Idempotency-Key", key));
    }

    private HttpRequest.Builder posting(String address, Object body) {
        return request(address)
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(JSON.writeValueAsString(body)));
    }

    private HttpRequest.Builder request(String address) {
        HttpRequest.Builder builder = HttpRequest.newBuilder(URI.create(address));
        return token.isEmpty() ? builder : builder.header("Authorization", "Bearer " + token);
    }

    private static Reply send(HttpRequest.Builder request) throws IOException {
        try {
            HttpResponse<String> answer =
                    HTTP.send(request.timeout(TIMEOUT).build(), HttpResponse.BodyHandlers.ofString());
            Optional<String> retryAfter = answer.headers().firstValue("Retry-After");
            return new Reply(answer.statusCode(), retryAfter.orElse(""), answer.body());
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", interrupted);
        }
    }

    @Override
    public String toString() {
        return "caller";
    }
}
