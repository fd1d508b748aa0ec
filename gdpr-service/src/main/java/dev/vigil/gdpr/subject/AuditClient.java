package dev.vigil.gdpr.subject;

import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import tools.jackson.databind.JsonNode;

/// audit-service over HTTP, with the token that the API gave for it.
public final class AuditClient implements AuditTrail {
    private static final String SERVICE = "audit-service";
    private static final Duration PATIENCE = Duration.ofSeconds(10);
    private static final int PAGE = 200;

    private final URI url;
    private final Supplier<HttpClient> http;

    /// The service at that address. By `https` it is called with this service's certificate.
    ///
    /// @param url   without a slash at the end
    /// @param vault holds the certificate
    public AuditClient(URI url, VaultClient vault) {
        this.url = url;
        if ("https".equals(url.getScheme())) {
            this.http = vault::toAudit;
        } else {
            HttpClient plain = HttpClient.newBuilder()
                    .version(HttpClient.Version.HTTP_1_1)
                    .connectTimeout(Duration.ofSeconds(2))
                    .build();
            this.http = () -> plain;
        }
    }

    @Override
    public List<JsonNode> events(String token, String filter, String value, int max) {
        var events = new ArrayList<JsonNode>();
        String after = "";
        do {
            String query = "?limit=" + PAGE + "&sort=created_at&" + filter + "=" + encode(value)
                    + (after.isEmpty() ? "" : "&after=" + encode(after));
            JsonNode page = Calls.accepted(get(token, "/api/v1/audit/events" + query), SERVICE);
            page.path("items").forEach(events::add);
            after = page.path("next").asString("");
        } while (!after.isEmpty() && events.size() < max);
        return events.size() > max ? events.subList(0, max) : events;
    }

    @Override
    public boolean listed(String token, String eventId) {
        Calls.Reply reply = get(token, "/api/v1/audit/events/" + encode(eventId) + "/proof");
        if (reply.status() == 404) {
            return false;
        }
        Calls.accepted(reply, SERVICE);
        return true;
    }

    private Calls.Reply get(String token, String path) {
        var request = HttpRequest.newBuilder(URI.create(url + path))
                .timeout(PATIENCE)
                .header("Authorization", "Bearer " + token)
                .GET()
                .build();
        return Calls.send(http.get(), request, SERVICE);
    }

    private static String encode(String value) {
        return URLEncoder.encode(value, StandardCharsets.UTF_8);
    }
}
