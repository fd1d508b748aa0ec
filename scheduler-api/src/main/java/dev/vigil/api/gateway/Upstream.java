package dev.vigil.api.gateway;

import dev.vigil.api.web.Access;
import dev.vigil.api.web.Answer;
import dev.vigil.api.web.Call;
import dev.vigil.api.web.Code;
import dev.vigil.api.web.Problem;
import dev.vigil.api.web.ProblemException;
import dev.vigil.api.web.TokenMint;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.List;

/// Another service of this installation. A call is passed on with the caller's own token, which that service checks
/// again; bodies are streamed in both directions.
final class Upstream {
    private static final Duration ANSWER_WAIT = Duration.ofSeconds(60);
    private static final List<String> ASKED =
            List.of("Authorization", "Accept", "Content-Type", "If-Match", "If-None-Match", "Idempotency-Key");
    private static final List<String> ANSWERED = List.of(
            "ETag",
            "Location",
            "Retry-After",
            "Content-Disposition",
            "Cache-Control",
            "Allow",
            "WWW-Authenticate",
            "Idempotent-Replayed");

    private final String name;
    private final URI url;
    private final UpstreamClient client;
    private final TokenMint tokens;

    /// @param name   for messages
    /// @param url    without a slash at the end
    /// @param client calls it
    /// @param tokens for callers with an API key, which only this service knows
    Upstream(String name, URI url, UpstreamClient client, TokenMint tokens) {
        this.name = name;
        this.url = url;
        this.client = client;
        this.tokens = tokens;
    }

    /// Passes a call on.
    ///
    /// @throws ProblemException 503 when the service does not answer
    Answer pass(Call call) {
        return pass(call, call.rawQuery());
    }

    /// Passes a call on with another query.
    Answer pass(Call call, String query) {
        HttpResponse<InputStream> response;
        try {
            response = client.http().send(request(call, query), HttpResponse.BodyHandlers.ofInputStream());
        } catch (IOException e) {
            throw down();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw down();
        }
        String type = response.headers().firstValue("Content-Type").orElse("application/octet-stream");
        Answer answer = Answer.stream(response.statusCode(), type, out -> {
            try (InputStream in = response.body()) {
                in.transferTo(out);
            }
        });
        for (String header : ANSWERED) {
            String value = response.headers().firstValue(header).orElse(null);
            answer = value == null ? answer : answer.header(header, value);
        }
        return answer;
    }

    private HttpRequest request(Call call, String query) {
        HttpRequest.Builder request = HttpRequest.newBuilder(
                        URI.create(url + call.path() + (query.isEmpty() ? "" : "?" + query)))
                .timeout(ANSWER_WAIT)
                .header("X-Request-Id", call.requestId())
                .header("X-Forwarded-For", call.address());
        for (String header : ASKED) {
            call.header(header).ifPresent(value -> request.header(header, value));
        }
        if (call.route().access() instanceof Access.Bearer && call.caller().key() != null) {
            request.setHeader("Authorization", "Bearer " + tokens.ofCaller(call.caller(), ANSWER_WAIT));
        }
        boolean body = call.header("Content-Length").isPresent()
                || call.header("Transfer-Encoding").isPresent();
        return request.method(
                        call.method(),
                        body
                                ? HttpRequest.BodyPublishers.ofInputStream(() -> open(call))
                                : HttpRequest.BodyPublishers.noBody())
                .build();
    }

    private static InputStream open(Call call) {
        try {
            return call.stream();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private ProblemException down() {
        return new ProblemException(
                Problem.of(Code.SERVICE_UNAVAILABLE, name + " does not answer; try again in a few seconds.")
                        .header("Retry-After", "3"));
    }
}
