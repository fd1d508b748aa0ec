package dev.vigil.edge;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// Whether tokens still stand, as the API says: one question a second for each token that is in use. A revocation is in
/// force here within 2 s: an answer serves calls that come within 1 s of its question, and is waited for at most 2 s.
/// Thread-safe.
final class Standings {
    private static final Logger LOG = LoggerFactory.getLogger(Standings.class);
    private static final Duration PATIENCE = Duration.ofSeconds(2);
    private static final long KNOWN_NANOS = 1_000_000_000L;
    private static final int KNOWN_MAX = 10_000;
    private static final int ANSWER_BYTES_MAX = 4_096;

    private final URI url;
    private final Supplier<HttpClient> client;
    private final Map<ByteBuffer, Known> known = new ConcurrentHashMap<>();

    /// What the owner of a token is now.
    ///
    /// @param namespace number of the namespace he lives in
    record Standing(String role, int namespace) {}

    /// @param standing empty when the token stands no more
    /// @param asked    when, by the nanosecond clock
    private record Known(Optional<Standing> standing, long asked) {}

    /// @param url    where the API tells
    /// @param client asks there
    Standings(URI url, Supplier<HttpClient> client) {
        this.url = url;
        this.client = client;
    }

    /// What a token stands for, whose signature was verified; empty when it stands no more.
    ///
    /// @throws RefusedException 503 when the API does not answer
    Optional<Standing> of(String token) {
        ByteBuffer hash = hash(token);
        // Before the question: what changes while it is answered counts as changed after it.
        long now = System.nanoTime();
        Known before = known.get(hash);
        if (before != null && now - before.asked < KNOWN_NANOS) {
            return before.standing;
        }
        Optional<Standing> standing = ask(token);
        if (known.size() >= KNOWN_MAX) {
            known.clear();
        }
        known.put(hash, new Known(standing, now));
        return standing;
    }

    private Optional<Standing> ask(String token) {
        var request = HttpRequest.newBuilder(url)
                .timeout(PATIENCE)
                .header("Authorization", "Bearer " + token)
                .build();
        try {
            HttpResponse<byte[]> answer = client.get()
                    .send(
                            request,
                            HttpResponse.BodyHandlers.limiting(
                                    HttpResponse.BodyHandlers.ofByteArray(), ANSWER_BYTES_MAX));
            return switch (answer.statusCode()) {
                case 200 -> read(answer.body());
                // It ended between our look at it and the API's.
                case 401 -> Optional.empty();
                default -> throw silent("it answered " + answer.statusCode());
            };
        } catch (IOException | JacksonException e) {
            throw silent(String.valueOf(e.getMessage()));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw silent("the wait was interrupted");
        }
    }

    private Optional<Standing> read(byte[] body) {
        JsonNode answer = JsonMapper.shared().readTree(body);
        JsonNode active = answer.path("active");
        JsonNode role = answer.path("role");
        JsonNode namespace = answer.path("namespace");
        if (active.isBoolean() && !active.asBoolean()) {
            return Optional.empty();
        }
        if (!active.isBoolean() || !role.isString() || !namespace.isInt()) {
            throw silent("its answer is not understood");
        }
        return Optional.of(new Standing(role.asString(), namespace.asInt()));
    }

    private RefusedException silent(String why) {
        LOG.warn("event=token_standing_unknown url={} reason=\"{}\"; calls are refused until it is", url, why);
        return new RefusedException(Problem.passing(
                Code.SERVICE_UNAVAILABLE,
                "Whether the token was revoked cannot be asked at this moment; try again in a few seconds."));
    }

    private static ByteBuffer hash(String token) {
        try {
            return ByteBuffer.wrap(
                    MessageDigest.getInstance("SHA-256").digest(token.getBytes(StandardCharsets.US_ASCII)));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    }
}
