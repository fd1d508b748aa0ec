package dev.vigil.gdpr;

import static org.awaitility.Awaitility.await;

import dev.vigil.api.ApiService;
import dev.vigil.audit.AuditService;
import dev.vigil.postgres.Credentials;
import dev.vigil.postgres.Database;
import dev.vigil.postgres.FreePort;
import dev.vigil.postgres.Role;
import dev.vigil.postgres.TestPostgres;
import dev.vigil.scheduler.CoreService;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.jdbc.datasource.DriverManagerDataSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// The privacy service with the real services around it: API, core and audit trail on one real database. No worker:
/// what the tests create ends by being cancelled. One for all tests of this module; each makes people of its own.
final class Office {
    static final String REQUESTS = "/api/v1/gdpr/requests";

    private static final String PASSWORD = "correct horse battery staple";
    private static final HttpClient HTTP = HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(Duration.ofSeconds(5))
            .build();
    private static final AtomicInteger NEXT = new AtomicInteger(1);

    private final Database database = TestPostgres.freshDatabase();
    private final Path folder;
    private final String api;
    private final String worker;
    private final String audit;
    private final Map<String, Object> settings;
    private final Map<String, Object> coreSettings;
    private final Map<String, Object> apiSettings;
    private final Person admin;
    private ConfigurableApplicationContext apiService;
    private ConfigurableApplicationContext gdpr;
    private ConfigurableApplicationContext core;

    private static final class Holder {
        private static final Office ONLY = new Office();
    }

    static Office shared() {
        return Holder.ONLY;
    }

    private Office() {
        try {
            folder = Files.createTempDirectory("vigil-gdpr-test-");
        } catch (IOException e) {
            throw new AssertionError(e);
        }
        int gdprPort = FreePort.pick();
        int workerPort = FreePort.pick();
        api = "http://127.0.0.1:" + FreePort.pick();
        worker = "https://127.0.0.1:" + workerPort;
        audit = "http://127.0.0.1:" + FreePort.pick();
        apiSettings = apiSettings(workerPort, gdprPort);
        apiService = ApiService.start(apiSettings);
        var auditSettings = new LinkedHashMap<>(database.settings(Role.AUDIT));
        auditSettings.put("server.port", URI.create(audit).getPort());
        auditSettings.put("vigil.token.issuer", api);
        auditSettings.put("vigil.audit.signing-key-file", folder.resolve("audit/key.pem"));
        auditSettings.put("vigil.audit.create-signing-key", true);
        AuditService.start(auditSettings);
        admin = signIn("admin");
        settings = new LinkedHashMap<>(database.settings(Role.GDPR));
        settings.put("server.port", gdprPort);
        settings.put("vigil.token.issuer", api);
        settings.put("vigil.gdpr.api-url", worker);
        settings.put("vigil.gdpr.audit-url", audit);
        settings.put("vigil.gdpr.state-dir", folder.resolve("gdpr"));
        settings.put("vigil.gdpr.signing-key-file", folder.resolve("gdpr-key/key.pem"));
        settings.put("vigil.gdpr.create-signing-key", true);
        settings.putAll(invitation("service:gdpr", "vigil.gdpr."));
        coreSettings = new LinkedHashMap<>(database.settings(Role.CORE));
        coreSettings.put("vigil.core.state-dir", folder.resolve("core"));
        coreSettings.put("vigil.core.api-url", worker);
        coreSettings.putAll(invitation("service:core", "vigil.core."));
        gdpr = GdprService.start(settings);
        core = CoreService.start(coreSettings);
        await().atMost(Duration.ofSeconds(30))
                .until(() -> send("GET", url() + "/readyz", "", null).status() == 200);
    }

    private Map<String, Object> apiSettings(int workerPort, int gdprPort) {
        var api = new LinkedHashMap<>(database.settings(Role.API));
        api.put("server.port", URI.create(this.api).getPort());
        api.put("vigil.url", this.api);
        api.put("vigil.worker-port.port", workerPort);
        api.put("vigil.audit.url", audit);
        api.put("vigil.gdpr.url", "http://127.0.0.1:" + gdprPort);
        api.put("vigil.vault.root-key-file", folder.resolve("vault/root.key"));
        api.put("vigil.vault.create-root-key", true);
        api.put("vigil.bootstrap.admin.password", PASSWORD);
        api.put("vigil.bootstrap.approved-handlers", "demo.echo");
        api.put("vigil.limits.requests-per-minute", 1_000_000);
        api.put("vigil.limits.unauthenticated-per-minute", 1_000_000);
        return api;
    }

    private Map<String, Object> invitation(String group, String prefix) {
        JsonNode invitation = admin.post(
                        api + "/api/v1/workers/join-tokens", "{\"group\":\"%s\",\"uses\":1}".formatted(group))
                .expect(201);
        return Map.of(
                prefix + "join-token", invitation.path("token").asString(),
                prefix + "ca-pin", invitation.path("ca_pin").asString());
    }

    /// The service's own address.
    String url() {
        return "http://127.0.0.1:" + settings.get("server.port");
    }

    String api() {
        return api;
    }

    String audit() {
        return audit;
    }

    Person admin() {
        return admin;
    }

    /// A new person of a role in the default namespace.
    Person person(String role) {
        return person(role, "default");
    }

    Person person(String role, String namespace) {
        String name = role + NEXT.getAndIncrement();
        String id = admin.post(api + "/api/v1/users", """
                        {"username":"%s","password":"%s","role":"%s","namespace":"%s"}
                        """.formatted(name, PASSWORD, role, namespace))
                .expect(201)
                .path("id")
                .asString();
        return new Person(id, name, signIn(name).token());
    }

    private Person signIn(String name) {
        String token = send(
                        "POST",
                        api + "/api/auth/login",
                        "",
                        "{\"username\":\"%s\",\"password\":\"%s\"}".formatted(name, PASSWORD))
                .expect(200)
                .path("access_token")
                .asString();
        return new Person("", name, token);
    }

    /// A name that no other test uses.
    static String subject() {
        return "customer-" + NEXT.getAndIncrement();
    }

    /// The core goes; what it would do waits.
    void stopCore() {
        core.close();
    }

    void startCore() {
        core = CoreService.start(coreSettings);
    }

    /// The API goes silent.
    void stopApi() {
        apiService.close();
    }

    void startApi() {
        apiService = ApiService.start(apiSettings);
    }

    /// The service dies and comes back.
    void stop() {
        gdpr.close();
    }

    void start() {
        gdpr = GdprService.start(settings);
        await().atMost(Duration.ofSeconds(30))
                .until(() -> send("GET", url() + "/readyz", "", null).status() == 200);
    }

    /// Changes the database behind the services' backs, as its superuser.
    int execute(String sql) {
        return outside().sql(sql).update();
    }

    <T> T query(String sql, Class<T> type) {
        return outside().sql(sql).query(type).single();
    }

    private JdbcClient outside() {
        Credentials superuser = TestPostgres.superuser(database);
        return JdbcClient.create(
                new DriverManagerDataSource(superuser.url(), superuser.username(), superuser.password()));
    }

    static Reply send(String method, String url, String token, @Nullable String json) {
        return send(request(method, url, token, json).build());
    }

    private static HttpRequest.Builder request(String method, String url, String token, @Nullable String json) {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(url)).timeout(Duration.ofSeconds(30));
        if (!token.isEmpty()) {
            request.header("Authorization", "Bearer " + token);
        }
        if (json != null) {
            request.header("Content-Type", "application/json");
        }
        return request.method(
                method, json == null ? HttpRequest.BodyPublishers.noBody() : HttpRequest.BodyPublishers.ofString(json));
    }

    private static Reply send(HttpRequest request) {
        try {
            return new Reply(HTTP.send(request, HttpResponse.BodyHandlers.ofByteArray()));
        } catch (IOException e) {
            throw new AssertionError(request + " failed", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError(e);
        }
    }

    /// Somebody who signed in.
    record Person(String id, String name, String token) {
        Reply get(String url) {
            return send("GET", url, token, null);
        }

        Reply post(String url, String json) {
            return send("POST", url, token, json);
        }

        Reply form(String url, String form) {
            return send(request("POST", url, token, null)
                    .header("Content-Type", "application/x-www-form-urlencoded")
                    .POST(HttpRequest.BodyPublishers.ofString(form))
                    .build());
        }

        Reply post(String url, String json, String idempotencyKey) {
            return send(request("POST", url, token, json)
                    .header("Idempotency-Key", idempotencyKey)
                    .build());
        }
    }

    /// An answer.
    record Reply(HttpResponse<byte[]> response) {
        int status() {
            return response.statusCode();
        }

        byte[] bytes() {
            return response.body();
        }

        String text() {
            return new String(response.body(), StandardCharsets.UTF_8);
        }

        String code() {
            return JsonMapper.shared().readTree(response.body()).path("code").asString("");
        }

        String header(String name) {
            return response.headers().firstValue(name).orElse("");
        }

        /// The body of an answer with this status.
        JsonNode expect(int status) {
            if (status != status()) {
                throw new AssertionError(response.uri() + " answered " + status() + ": " + text());
            }
            return JsonMapper.shared().readTree(response.body());
        }
    }
}
