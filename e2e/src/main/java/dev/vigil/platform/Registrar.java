package dev.vigil.platform;

import dev.vigil.agent.handler.Handler;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import tools.jackson.databind.JsonNode;

/// What an admin does by hand elsewhere, done over REST as an admin: join tokens, handlers, waiting for workers.
///
/// @param admin a client with an admin's token
record Registrar(VigilClient admin) {
    /// A single-use invitation.
    ///
    /// @param token what the holder enrols with; never printed
    /// @param caPin how it recognises the API
    record Invitation(String token, String caPin) {
        @Override
        public String toString() {
            return "Invitation[" + caPin + "]";
        }
    }

    /// @param group a group of workers, or `service:<name>`
    Invitation invite(String group) {
        JsonNode answer = admin.post("/api/v1/workers/join-tokens", Map.of("group", group, "uses", 1))
                .expect(201);
        return new Invitation(
                answer.path("token").asString(), answer.path("ca_pin").asString());
    }

    /// Proposes each handler; one that the API was told to approve is in force at once, the others are pending.
    void propose(List<Handler> handlers) {
        for (Handler handler : handlers) {
            var body = new LinkedHashMap<String, Object>();
            body.put("name", handler.name());
            body.put("isolation", handler.isolation().name().toLowerCase(Locale.ROOT));
            handler.inputSchema().ifPresent(schema -> body.put("input_schema", schema));
            // On a machine for development a handler that names no secrets may be tried with any.
            body.put("secrets_allowed", handler.secretsAllowed().orElse(List.of("*")));
            admin.post("/api/v1/handlers", body).expect(201);
        }
    }

    /// Waits until this many workers take tasks.
    ///
    /// @param since what was heard before does not count: it may come from a worker that was killed
    void awaitWorkers(int wanted, Instant since, Duration patience) {
        await(
                () -> online(admin.get("/api/v1/workers").expect(200), since) >= wanted,
                patience,
                "not all of " + wanted + " workers came online; their logs, such as worker-1.log, say why");
    }

    /// Waits until a service answers that it is ready.
    static void awaitHealthy(String url, Duration patience) {
        VigilClient anybody = VigilClient.anonymous(url);
        await(
                () -> {
                    try {
                        return anybody.get("/readyz").status() == 200;
                    } catch (VigilClient.Unreachable starting) {
                        return false;
                    }
                },
                patience,
                url + " is not ready; its log says why");
    }

    private static void await(BooleanSupplier condition, Duration patience, String otherwise) {
        if (Polling.until(patience, () -> condition.getAsBoolean() ? Optional.of(true) : Optional.empty())
                .isEmpty()) {
            throw new PlatformStartException("after " + patience.toSeconds() + " s " + otherwise);
        }
    }

    private static long online(JsonNode workers, Instant since) {
        return workers.path("items")
                .valueStream()
                .filter(worker -> worker.path("state").asString().equals("online"))
                .filter(worker -> Instant.parse(worker.path("last_heartbeat_at").asString())
                        .isAfter(since))
                .count();
    }
}
