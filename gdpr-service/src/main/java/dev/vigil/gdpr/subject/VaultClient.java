package dev.vigil.gdpr.subject;

import dev.vigil.protocol.id.Id;
import dev.vigil.protocol.id.Kind;
import dev.vigil.protocol.identity.IdentityException;
import dev.vigil.protocol.identity.IdentityKeeper;
import dev.vigil.protocol.identity.IdentitySettings;
import dev.vigil.protocol.identity.Peers;
import dev.vigil.protocol.identity.TlsContexts;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// The API's worker port over mTLS, as `service/gdpr`. Enrols with the join token at the first start, in the
/// background and for as long as it takes: the API may come up later.
public final class VaultClient implements Vault, AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(VaultClient.class);
    private static final String SERVICE = "the API";
    private static final Duration CONNECT = Duration.ofSeconds(2);
    private static final Duration PATIENCE = Duration.ofSeconds(30);
    private static final Duration RETRY = Duration.ofSeconds(1);

    private final IdentitySettings settings;
    private final InstantSource time;
    private final Thread enrolment;
    private final CompletableFuture<IdentityKeeper> admitted = new CompletableFuture<>();
    private volatile @Nullable Connected connected;

    private record Connected(IdentityKeeper identity, HttpClient http, HttpClient audit) {
        Connected(IdentityKeeper identity) {
            this(identity, client(identity, "api"), client(identity, "audit"));
        }
    }

    private VaultClient(IdentitySettings settings, InstantSource time) {
        this.settings = settings;
        this.time = time;
        this.enrolment = Thread.ofPlatform().daemon().name("gdpr-enrolment").unstarted(this::enrol);
    }

    /// Begins to enrol, or takes the certificate that is there.
    public static VaultClient open(IdentitySettings settings, InstantSource time) {
        var client = new VaultClient(settings, time);
        client.enrolment.start();
        return client;
    }

    private void enrol() {
        while (!Thread.currentThread().isInterrupted()) {
            try {
                IdentityKeeper identity = IdentityKeeper.open(settings, time);
                identity.onRenewal(() -> connected = new Connected(identity));
                connected = new Connected(identity);
                admitted.complete(identity);
                LOG.info("event=enrolled id={}", identity.current().id());
                return;
            } catch (IOException e) {
                LOG.debug("event=enrolment_waits reason=\"{}\"", e.getMessage());
            } catch (IdentityException e) {
                LOG.error(
                        "event=not_enrolled reason=\"{}\"; requests are refused until this is mended", e.getMessage());
            } catch (InterruptedException _) {
                return;
            }
            try {
                Thread.sleep(RETRY);
            } catch (InterruptedException _) {
                return;
            }
        }
    }

    private static HttpClient client(IdentityKeeper identity, String service) {
        return HttpClient.newBuilder()
                .version(HttpClient.Version.HTTP_1_1)
                .sslContext(identity.clientTls(Peers.service(service)))
                .sslParameters(TlsContexts.parameters())
                .connectTimeout(CONNECT)
                .build();
    }

    /// This service's certificate; waits until the API has admitted it.
    public IdentityKeeper identity() throws InterruptedException {
        try {
            return admitted.get();
        } catch (ExecutionException e) {
            throw new IllegalStateException("nothing completes this with a failure", e);
        }
    }

    /// Calls the API, and no other, with this service's certificate.
    public HttpClient toApi() {
        return connected().http();
    }

    /// Calls audit-service, and no other, with this service's certificate.
    HttpClient toAudit() {
        return connected().audit();
    }

    private Connected connected() {
        Connected now = connected;
        if (now == null) {
            throw Calls.down(SERVICE, "has not admitted this service yet");
        }
        return now;
    }

    @Override
    public void close() {
        enrolment.interrupt();
        Connected now = connected;
        if (now != null) {
            now.identity().close();
        }
    }

    @Override
    public boolean ready() {
        return connected != null;
    }

    @Override
    public Known find(String subject, String token) {
        JsonNode answer = post("subjects:find", Map.of("subject", subject, "token", token));
        return new Known(
                answer.path("tasks").asLong(), answer.path("account").asBoolean(), texts(answer.path("indexes")));
    }

    @Override
    public List<String> register(Enquiry enquiry, String token) {
        JsonNode answer = post(
                "subjects:register",
                Map.of(
                        "request", id(enquiry.request()),
                        "kind", enquiry.kind(),
                        "subject", enquiry.subject(),
                        "token", token));
        return texts(answer.path("indexes"));
    }

    @Override
    public void approve(UUID request, String token) {
        post("subjects:approve", Map.of("request", id(request), "token", token));
    }

    @Override
    public void close(UUID request) {
        post("subjects:close", Map.of("request", id(request)));
    }

    @Override
    public Optional<Tasks> tasks(UUID request, @Nullable String after) {
        return opened("subjects:open", request, after)
                .map(answer -> new Tasks(
                        answer.path("subject").asString(),
                        answer.path("event_id").asString(),
                        part(answer)));
    }

    @Override
    public Optional<Tokens> tokens(UUID request, @Nullable String after) {
        return opened("subjects:tokens", request, after)
                .map(answer -> new Tokens(answer.path("event_id").asString(), part(answer)));
    }

    @Override
    public Optional<Account> account(UUID request) {
        return opened("subjects:account", request, null).map(answer -> {
            JsonNode account = answer.path("account");
            return new Account(answer.path("event_id").asString(), account.isObject() ? List.of(account) : List.of());
        });
    }

    private Optional<JsonNode> opened(String path, UUID request, @Nullable String after) {
        var body = new LinkedHashMap<String, Object>();
        body.put("request", id(request));
        if (after != null) {
            body.put("after", after);
        }
        JsonNode answer = post(path, body);
        return answer.path("erased").asBoolean(false) ? Optional.empty() : Optional.of(answer);
    }

    @Override
    public Part executions(UUID request, String task, @Nullable String after) {
        var body = new LinkedHashMap<String, Object>();
        body.put("request", id(request));
        body.put("task", task);
        if (after != null) {
            body.put("after", after);
        }
        return part(post("subjects:executions", body));
    }

    @Override
    public Optional<byte[]> exportKey(UUID request) {
        JsonNode answer = post("subjects:export-key", Map.of("request", id(request)));
        return answer.hasNonNull("key")
                ? Optional.of(Base64.getDecoder().decode(answer.path("key").asString()))
                : Optional.empty();
    }

    @Override
    public Erasure erase(UUID request) {
        JsonNode answer = post("subjects:erase", Map.of("request", id(request)));
        return new Erasure(
                answer.path("done").asBoolean(),
                answer.path("tasks").asInt(),
                answer.path("executions").asInt(),
                answer.path("remaining").asLong(),
                texts(answer.path("keys")),
                answer.path("tried").asInt(),
                answer.path("event_id").asString());
    }

    @Override
    public String auditToken() {
        return post("tokens", Map.of()).path("token").asString();
    }

    private static List<String> texts(JsonNode list) {
        return list.valueStream().map(JsonNode::asString).toList();
    }

    private static Part part(JsonNode answer) {
        var items = new ArrayList<JsonNode>();
        answer.path("items").forEach(items::add);
        return new Part(
                items, answer.path("next").isString() ? answer.path("next").asString() : null);
    }

    private JsonNode post(String path, Map<String, ?> body) {
        HttpClient api = toApi();
        var request = HttpRequest.newBuilder(URI.create(settings.api() + "/internal/v1/" + path))
                .timeout(PATIENCE)
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofByteArray(JsonMapper.shared().writeValueAsBytes(body)))
                .build();
        return Calls.accepted(Calls.send(api, request, SERVICE), SERVICE);
    }

    private static String id(UUID request) {
        return new Id(Kind.SUBJECT_REQUEST, request).toString();
    }
}
