package dev.vigil.audit;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.vigil.audit.log.Ledger;
import dev.vigil.postgres.Role;
import dev.vigil.protocol.audit.AuditEvent;
import dev.vigil.protocol.audit.EventType;
import dev.vigil.protocol.audit.Result;
import dev.vigil.protocol.id.Id;
import dev.vigil.protocol.id.Kind;
import dev.vigil.protocol.tree.Checkpoint;
import dev.vigil.protocol.tree.Hash;
import dev.vigil.protocol.tree.Tile;
import dev.vigil.protocol.tree.TreeHead;
import dev.vigil.protocol.tree.VerifierKey;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Instant;
import java.util.Base64;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.springframework.context.ConfigurableApplicationContext;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// The service as it is deployed, over HTTP, on a real database.
public final class RunningService implements AutoCloseable {
    static final String EVENTS = "/api/v1/audit/events";

    private static final JsonMapper JSON = JsonMapper.shared();
    private static final HttpClient HTTP = HttpClient.newHttpClient();

    private final Ledger ledger;
    private final Issuer issuer = new Issuer();
    private final UUID auditor = Id.next(Kind.USER).uuid();
    private final String token = issuer.token(auditor, "auditor", "audit:read");
    private final Path folder;
    private final ConfigurableApplicationContext service;

    RunningService() {
        this(Ledger.fresh());
    }

    /// The service on that database.
    public RunningService(Ledger ledger) {
        this.ledger = ledger;
        try {
            folder = Files.createTempDirectory("vigil-audit-");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        var settings = new LinkedHashMap<String, Object>(ledger.database().settings(Role.AUDIT));
        settings.put("server.port", 0);
        settings.put("vigil.token.issuer", issuer.url());
        settings.put("vigil.audit.origin", "test.vigil/audit");
        settings.put("vigil.audit.signing-key-file", keyFile());
        settings.put("vigil.audit.create-signing-key", true);
        service = AuditService.start(settings);
    }

    /// Where it serves.
    public String url() {
        return "http://127.0.0.1:" + port();
    }

    Ledger ledger() {
        return ledger;
    }

    Issuer issuer() {
        return issuer;
    }

    UUID auditor() {
        return auditor;
    }

    public String token() {
        return token;
    }

    Path keyFile() {
        return folder.resolve("key.pem");
    }

    @Override
    public void close() {
        service.close();
        issuer.close();
    }

    public static AuditEvent event(EventType type, String action) {
        return AuditEvent.of(type, action, Result.SUCCESS, Instant.now());
    }

    public void emit(AuditEvent... events) throws SQLException {
        try (Connection connection = ledger.connections(Role.API).getConnection()) {
            Ledger.insert(connection, "scheduler", List.of(events));
        }
    }

    JsonNode listed(UUID task, int count) throws Exception {
        String query = EVENTS + "?task_id=" + new Id(Kind.TASK, task);
        await().until(() -> json(query).path("items").size() == count);
        return json(query).path("items");
    }

    public boolean find(UUID event) throws Exception {
        return get(EVENTS + "/" + new Id(Kind.AUDIT_EVENT, event) + "/proof", token)
                        .statusCode()
                == 200;
    }

    String entriesOf(long seq) throws Exception {
        TreeHead head = head(bytes("/api/v1/audit/checkpoint"), publicKey());
        return Tile.in(head.size(), Tile.ENTRIES, seq / Tile.FULL).orElseThrow().path();
    }

    static TreeHead head(byte[] note, VerifierKey key) {
        return ((Checkpoint.Opened.Verified) Checkpoint.open(note, key))
                .checkpoint()
                .head();
    }

    public VerifierKey publicKey() throws Exception {
        return VerifierKey.parse(new String(bytes("/api/v1/audit/public-key"), UTF_8).strip())
                .orElseThrow();
    }

    static List<Hash> path(JsonNode proof) {
        return proof.path("path")
                .valueStream()
                .map(hash -> Hash.of(Base64.getDecoder().decode(hash.asString())))
                .toList();
    }

    static void assertProblem(HttpResponse<byte[]> answer, int status, String code) {
        JsonNode problem = JSON.readTree(answer.body());
        assertThat(answer.statusCode()).as(problem.toString()).isEqualTo(status);
        assertThat(answer.headers().firstValue("Content-Type")).hasValue("application/problem+json");
        assertThat(problem.path("code").asString()).isEqualTo(code);
        assertThat(problem.path("status").asInt()).isEqualTo(status);
        assertThat(new HashSet<>(problem.propertyNames()))
                .contains("type", "title", "status", "code", "detail", "instance", "request_id");
        assertThat(answer.headers().firstValue("X-Request-Id"))
                .hasValue(problem.path("request_id").asString());
    }

    JsonNode json(String path) throws Exception {
        return JSON.readTree(bytes(path));
    }

    byte[] bytes(String path) throws Exception {
        HttpResponse<byte[]> answer = get(path, token);
        assertThat(answer.statusCode()).as(new String(answer.body(), UTF_8)).isEqualTo(200);
        return answer.body();
    }

    HttpResponse<byte[]> get(String path, @Nullable String token) throws Exception {
        return send(HttpRequest.newBuilder(), path, token);
    }

    HttpResponse<byte[]> send(HttpRequest.Builder request, String path, @Nullable String token) throws Exception {
        if (token != null) {
            request.header("Authorization", "Bearer " + token);
        }
        return HTTP.send(
                request.uri(URI.create("http://127.0.0.1:" + port() + path)).build(),
                HttpResponse.BodyHandlers.ofByteArray());
    }

    int port() {
        return Integer.parseInt(service.getEnvironment().getRequiredProperty("local.server.port"));
    }
}
