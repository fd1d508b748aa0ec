package dev.vigil.gdpr.subject;

import dev.vigil.edge.Code;
import dev.vigil.edge.Problem;
import dev.vigil.edge.RefusedException;
import java.io.IOException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// Calls of other services: what they refuse is passed on, what they fail at is 503.
final class Calls {
    private static final int ANSWER_BYTES_MAX = 64 << 20;

    private Calls() {}

    /// An answer.
    record Reply(int status, JsonNode body) {}

    static Reply send(HttpClient client, HttpRequest request, String service) {
        try {
            HttpResponse<byte[]> answer = client.send(
                    request,
                    HttpResponse.BodyHandlers.limiting(HttpResponse.BodyHandlers.ofByteArray(), ANSWER_BYTES_MAX));
            if (answer.statusCode() >= 500 || answer.statusCode() == 429) {
                throw down(service, "answered " + answer.statusCode());
            }
            return new Reply(answer.statusCode(), JsonMapper.shared().readTree(answer.body()));
        } catch (IOException | JacksonException e) {
            throw down(service, "does not answer");
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw down(service, "was not waited for");
        }
    }

    /// The body of an answer that is no refusal.
    static JsonNode accepted(Reply reply, String service) {
        if (reply.status() < 300) {
            return reply.body();
        }
        Code code = Code.of(reply.body().path("code").asString("")).orElse(Code.SERVICE_UNAVAILABLE);
        if (code.status() == reply.status()) {
            throw new RefusedException(code, reply.body().path("detail").asString(service + " refused the call."));
        }
        throw down(service, "refused with " + reply.status());
    }

    static RefusedException down(String service, String what) {
        return new RefusedException(
                Problem.passing(Code.SERVICE_UNAVAILABLE, service + " " + what + "; try again in a few seconds."));
    }
}
