package dev.vigil.api;

import dev.vigil.postgres.Database;
import dev.vigil.postgres.Role;
import dev.vigil.postgres.TestPostgres;
import dev.vigil.protocol.audit.EventBatch;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import org.awaitility.Awaitility;
import org.jspecify.annotations.Nullable;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.jdbc.datasource.DriverManagerDataSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// The real service on a real database, for the tests of this module.
public final class Api implements AutoCloseable {
    public static final String ADMIN_PASSWORD = "correct horse battery staple";
    public static final String CLIENT_ID = "vigil-client";
    public static final String CLIENT_SECRET = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFG";

    private static final HttpClient HTTP = HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(Duration.ofSeconds(5))
            .build();
    private static final JsonMapper JSON = JsonMapper.builder().build();

    private static final AtomicInteger NEXT = new AtomicInteger(1);

    private final Database database;
    private final Map<String, Object> settings;
    private final String url;
    private ConfigurableApplicationContext context;
    private @Nullable Http admin;

    static {
        // What tests wait for is mostly there already, or within milliseconds.
        Awaitility.setDefaultPollDelay(Duration.ZERO);
        Awaitility.setDefaultPollInterval(Duration.ofMillis(20));
    }

    private Api(Database database, Map<String, Object> more) {
        this.database = database;
        int port = freePort();
        url = "http://127.0.0.1:" + port;
        settings = new LinkedHashMap<>(database.settings(Role.API));
        settings.put("server.port", port);
        settings.put("vigil.url", url);
        settings.put("vigil.worker-port.port", 0);
        settings.put("vigil.vault.root-key-file", tempFolder().resolve("root.key"));
        settings.put("vigil.vault.create-root-key", true);
        settings.put("vigil.bootstrap.admin.password", ADMIN_PASSWORD);
        settings.put("vigil.bootstrap.client.secret", CLIENT_SECRET);
        settings.put("vigil.bootstrap.approved-handlers", "demo.echo,demo.secret,backup.database");
        settings.put("vigil.limits.unauthenticated-per-minute", 1_000_000);
        settings.putAll(more);
        context = ApiService.start(settings);
    }

    private static final class Shared {
        private static final Api ONLY = new Api(TestPostgres.freshDatabase(), upstreams());
    }

    private static final Upstreams UPSTREAMS = new Upstreams();

    private static Map<String, Object> upstreams() {
        return Map.of("vigil.audit.url", UPSTREAMS.url(), "vigil.gdpr.url", UPSTREAMS.url());
    }

    /// What stands for the services behind the shared one.
    public static Upstreams behind() {
        return UPSTREAMS;
    }

    /// One service for all tests that do not change its settings.
    public static Api shared() {
        return Shared.ONLY;
    }

    /// A service of its own, with these settings on top.
    public static Api start(Map<String, Object> more) {
        return new Api(TestPostgres.freshDatabase(), more);
    }

    /// Another node of this service: the same database and root key, a port of its own, the same issuer.
    public Api secondNode() {
        return new Api(database, shared(this));
    }

    /// What another node of this service is started with, for a process of its own.
    public Map<String, Object> settingsOfSecondNode() {
        Map<String, Object> second = new LinkedHashMap<>(settings);
        second.putAll(shared(this));
        second.put("server.port", freePort());
        second.replaceAll((name, value) -> value.toString());
        return second;
    }

    private static Map<String, Object> shared(Api first) {
        Map<String, Object> same = new LinkedHashMap<>();
        same.put("vigil.url", first.url);
        same.put("vigil.vault.root-key-file", first.settings.get("vigil.vault.root-key-file"));
        return same;
    }

    public Database database() {
        return database;
    }

    public String url() {
        return url;
    }

    public ConfigurableApplicationContext context() {
        return context;
    }

    /// Stops the service and starts it again on the same data.
    public void restart() {
        context.close();
        context = ApiService.start(settings);
    }

    @Override
    public void close() {
        context.close();
    }

    /// Asks the database itself, as its superuser.
    public <T> T query(String sql, Class<T> type) {
        var outside = TestPostgres.superuser(database);
        return JdbcClient.create(new DriverManagerDataSource(outside.url(), outside.username(), outside.password()))
                .sql(sql)
                .query(type)
                .single();
    }

    /// Changes the database behind the service's back, as its superuser.
    public void execute(String sql) {
        var outside = TestPostgres.superuser(database);
        JdbcClient.create(new DriverManagerDataSource(outside.url(), outside.username(), outside.password()))
                .sql(sql)
                .update();
    }

    /// The audit events that this service has written so far, as the audit trail has them.
    public String events() {
        var outside = TestPostgres.superuser(database);
        return JdbcClient.create(new DriverManagerDataSource(outside.url(), outside.username(), outside.password()))
                .sql("SELECT events FROM access.outbox UNION ALL SELECT events FROM scheduler.outbox")
                .query(byte[].class)
                .list()
                .stream()
                .flatMap(row -> EventBatch.split(row).stream())
                .map(event -> new String(event, StandardCharsets.UTF_8))
                .collect(Collectors.joining(" "));
    }

    /// Makes a user of a role in the default namespace and signs in as him.
    public Http user(String role) {
        String name = role + "-" + NEXT.getAndIncrement();
        admin().post(
                        "/api/v1/users",
                        "{\"username\":\"%s\",\"password\":\"%s\",\"role\":\"%s\"}"
                                .formatted(name, ADMIN_PASSWORD, role))
                .expect(201);
        return login(name, ADMIN_PASSWORD);
    }

    /// The same person with a rate that no test reaches.
    public Http unhurried(Http person) {
        String id = person.get("/api/v1/me").expect(200).path("id").asString();
        admin().call("PATCH", "/api/v1/users/" + id, "{\"requests_per_minute\":1000000}")
                .expect(200);
        return person;
    }

    /// A client without credentials.
    public Http anonymous() {
        return new Http(url, "");
    }

    /// A client with this bearer token.
    public Http bearer(String token) {
        return new Http(url, token);
    }

    /// A client that signed in with a password.
    public Http login(String username, String password) {
        Reply reply = anonymous()
                .post("/api/auth/login", "{\"username\":\"%s\",\"password\":\"%s\"}".formatted(username, password));
        return bearer(reply.expect(200).path("access_token").asString());
    }

    /// The bootstrapped admin, signed in once: a password takes longer than most calls.
    public synchronized Http admin() {
        Http known = admin;
        if (known == null) {
            known = login("admin", ADMIN_PASSWORD);
            admin = known;
        }
        return known;
    }

    /// The bootstrapped service account.
    public Http client() {
        return bearer(token(CLIENT_ID, CLIENT_SECRET, "")
                .expect(200)
                .path("access_token")
                .asString());
    }

    /// Asks the token endpoint, with client_secret_basic.
    public Reply token(String clientId, String secret, String scope) {
        String form = "grant_type=client_credentials" + (scope.isEmpty() ? "" : "&scope=" + encode(scope));
        return form("/oauth2/token", form, basic(clientId, secret));
    }

    public Reply form(String path, String form, String authorization) {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(url + path))
                .header("Content-Type", "application/x-www-form-urlencoded")
                .POST(HttpRequest.BodyPublishers.ofString(form));
        if (!authorization.isEmpty()) {
            request.header("Authorization", authorization);
        }
        return send(request.build());
    }

    public static String basic(String clientId, String secret) {
        return "Basic "
                + Base64.getEncoder().encodeToString((clientId + ":" + secret).getBytes(StandardCharsets.UTF_8));
    }

    public static String encode(String value) {
        return URLEncoder.encode(value, StandardCharsets.UTF_8);
    }

    private static Reply send(HttpRequest request) {
        try {
            return new Reply(HTTP.send(request, HttpResponse.BodyHandlers.ofString()));
        } catch (IOException e) {
            throw new AssertionError(request + " failed", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError(e);
        }
    }

    private static int freePort() {
        try (var socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private static Path tempFolder() {
        try {
            return Files.createTempDirectory("vigil-api-test-");
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    /// Calls with one token.
    public record Http(String url, String token) {
        /// What the token says it was issued for.
        public List<String> scopes() {
            byte[] claims = Base64.getUrlDecoder().decode(token.split("\\.")[1]);
            var scopes = new ArrayList<String>();
            JSON.readTree(claims).path("scope").forEach(scope -> scopes.add(scope.asString()));
            return scopes;
        }

        public Reply get(String path) {
            return call("GET", path, null);
        }

        /// The body of an answer that goes on; closing it ends the call.
        public InputStream open(String path) throws IOException {
            HttpRequest request = HttpRequest.newBuilder(URI.create(url + path))
                    .header("Authorization", "Bearer " + token)
                    .build();
            try {
                return HTTP.send(request, HttpResponse.BodyHandlers.ofInputStream())
                        .body();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new AssertionError(e);
            }
        }

        public Reply post(String path, String json) {
            return call("POST", path, json);
        }

        public Reply post(String path) {
            return call("POST", path, null);
        }

        public Reply put(String path, String json) {
            return call("PUT", path, json);
        }

        public Reply delete(String path) {
            return call("DELETE", path, null);
        }

        public Reply call(String method, String path, @Nullable String json, String... headers) {
            HttpRequest.Builder request =
                    HttpRequest.newBuilder(URI.create(url + path)).timeout(Duration.ofSeconds(30));
            if (!token.isEmpty()) {
                request.header("Authorization", "Bearer " + token);
            }
            if (json != null && !List.of(headers).contains("Content-Type")) {
                request.header("Content-Type", "application/json");
            }
            if (headers.length > 0) {
                request.headers(headers);
            }
            request.method(
                    method,
                    json == null ? HttpRequest.BodyPublishers.noBody() : HttpRequest.BodyPublishers.ofString(json));
            return send(request.build());
        }
    }

    /// An answer.
    public record Reply(HttpResponse<String> response) {
        public int status() {
            return response.statusCode();
        }

        public String text() {
            return response.body();
        }

        public JsonNode json() {
            return JSON.readTree(response.body());
        }

        public String code() {
            return json().path("code").asString("");
        }

        public String header(String name) {
            return response.headers().firstValue(name).orElse("");
        }

        /// The body of an answer with this status.
        public JsonNode expect(int status) {
            if (status != status()) {
                throw new AssertionError(
                        response.request().method() + " " + response.uri() + " answered " + status() + ": " + text());
            }
            return text().isEmpty() ? JSON.createObjectNode() : json();
        }
    }
}
