package dev.vigil.api.vault;

import static dev.vigil.protocol.audit.EventType.AUTHENTICATION;
import static dev.vigil.protocol.audit.EventType.CONFIGURATION_CHANGED;
import static dev.vigil.protocol.audit.EventType.KEY_ROTATED;
import static dev.vigil.protocol.audit.EventType.TASK_CANCELLED;
import static dev.vigil.protocol.audit.EventType.TASK_CREATED;
import static dev.vigil.protocol.audit.EventType.TASK_DELETED;
import static dev.vigil.protocol.audit.EventType.TASK_PAUSED;
import static dev.vigil.protocol.audit.EventType.TASK_RESUMED;
import static dev.vigil.protocol.audit.EventType.TASK_UPDATED;
import static dev.vigil.protocol.audit.EventType.TOKEN_RESOLVED;
import static dev.vigil.protocol.audit.EventType.USER_DATA_DELETED;
import static dev.vigil.protocol.audit.EventType.USER_DATA_EXPORTED;
import static dev.vigil.protocol.audit.EventType.WORKER_BLOCKED;
import static dev.vigil.protocol.audit.EventType.WORKER_DEREGISTERED;
import static dev.vigil.protocol.audit.EventType.WORKER_REGISTERED;

import dev.vigil.api.Api;
import dev.vigil.api.Api.Reply;
import dev.vigil.protocol.audit.EventType;
import dev.vigil.protocol.id.Id;
import dev.vigil.protocol.id.Kind;
import java.security.KeyPair;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import java.util.function.Supplier;
import tools.jackson.databind.JsonNode;

/// How each route that changes something is made to change it, and the event that must tell of it. Every such route of
/// the table has a line here, or a reason why it needs none.
final class Changes {
    private static final AtomicInteger NEXT = new AtomicInteger(1);
    private static final String PASSWORD = Api.ADMIN_PASSWORD;

    private final Api api;
    private final Api.Http admin;
    private final Api.Http other;
    private final TestWorker gdpr;
    private final Map<String, Change> changes = new LinkedHashMap<>();

    /// One route.
    ///
    /// @param event what it must write
    /// @param ready makes what the call needs, and returns the call
    record Change(EventType event, Supplier<Supplier<Reply>> ready) {}

    Changes(Api api) {
        this.api = api;
        this.admin = api.admin();
        this.other = api.user("admin");
        this.gdpr = service("service:gdpr");
        people();
        access();
        tasks();
        fleet();
        subjects();
        secrets();
    }

    Map<String, Change> all() {
        return changes;
    }

    /// Operations that change nothing, or whose change is told by somebody else; and why.
    static Map<String, String> without() {
        return Map.ofEntries(
                Map.entry("encryptField", "computes, stores nothing"),
                Map.entry(
                        "retryExecution",
                        "the engine's tests drive it: it needs an execution that failed (task_updated)"),
                Map.entry("retryExecutions", "RetryTest drives it: it needs executions that failed (task_updated)"),
                Map.entry("submitLogin", "the browser test drives it (authentication)"),
                Map.entry("submitConsent", "the browser test drives it (authentication)"),
                Map.entry("postUserInfo", "answers about a token, changes nothing"),
                Map.entry("previewSchedule", "computes, stores nothing"),
                Map.entry("introspectToken", "answers about a token, changes nothing"),
                Map.entry("getMaterials", "MaterialsTest drives it: it needs a live dispatch (secret_resolved)"),
                Map.entry(
                        "putSealedResult", "the end of the execution is the event; a result alone is only kept for it"),
                Map.entry("openSubjectExecutions", "reads for a request whose opening is the event"));
    }

    private void add(String operation, EventType event, Supplier<Supplier<Reply>> ready) {
        changes.put(operation, new Change(event, ready));
    }

    private void people() {
        add("createUser", CONFIGURATION_CHANGED, () -> () -> admin.post("/api/v1/users", newUser()));
        add("updateUser", CONFIGURATION_CHANGED, () -> {
            String user = user();
            return () -> admin.call("PATCH", "/api/v1/users/" + user, "{\"role\":\"operator\"}");
        });
        add("deleteUser", CONFIGURATION_CHANGED, ofUser(user -> admin.call("DELETE", "/api/v1/users/" + user, null)));
        add("disableUser", CONFIGURATION_CHANGED, ofUser(user -> admin.post("/api/v1/users/" + user + ":disable")));
        add("enableUser", CONFIGURATION_CHANGED, () -> {
            String user = user();
            admin.post("/api/v1/users/" + user + ":disable").expect(200);
            return () -> admin.post("/api/v1/users/" + user + ":enable");
        });
        add(
                "createServiceAccount",
                CONFIGURATION_CHANGED,
                () -> () -> admin.post("/api/v1/service-accounts", """
                {"name":"sa%d","role":"scheduler","namespace":"default","permissions":{}}""".formatted(next())));
        add("rollServiceAccount", CONFIGURATION_CHANGED, () -> {
            String account = admin.post(
                            "/api/v1/service-accounts", "{\"name\":\"sa%d\",\"role\":\"viewer\"}".formatted(next()))
                    .expect(201)
                    .path("id")
                    .asString();
            return () -> admin.post("/api/v1/service-accounts/" + account + ":roll");
        });
        add(
                "createNamespace",
                CONFIGURATION_CHANGED,
                () -> () -> admin.post("/api/v1/namespaces", "{\"name\":\"ns%d\"}".formatted(next())));
        add("deleteNamespace", CONFIGURATION_CHANGED, () -> {
            String name = "ns" + next();
            admin.post("/api/v1/namespaces", "{\"name\":\"%s\"}".formatted(name))
                    .expect(201);
            return () -> admin.call("DELETE", "/api/v1/namespaces/" + name, null);
        });
        add("limitNamespace", CONFIGURATION_CHANGED, () -> () -> limit("/api/v1/namespaces/default"));
        add("limitHandler", CONFIGURATION_CHANGED, () -> () -> limit("/api/v1/handlers/demo.secret"));
        add("createApiKey", CONFIGURATION_CHANGED, () -> () -> admin.post("/api/v1/api-keys", newKey()));
        add("deleteApiKey", CONFIGURATION_CHANGED, () -> {
            String key = key();
            return () -> admin.call("DELETE", "/api/v1/api-keys/" + key, null);
        });
        add("rollApiKey", CONFIGURATION_CHANGED, () -> {
            String key = key();
            return () -> admin.post("/api/v1/api-keys/" + key + ":roll", "{}");
        });
    }

    private Reply limit(String of) {
        return admin.call("PATCH", of + "/limits", "{\"max_concurrent\":1000}", "If-Match", "*");
    }

    private Supplier<Supplier<Reply>> ofUser(Function<String, Reply> call) {
        return () -> {
            String user = user();
            return () -> call.apply(user);
        };
    }

    private void access() {
        String login = "{\"username\":\"admin\",\"password\":\"%s\"}".formatted(PASSWORD);
        add("login", AUTHENTICATION, () -> () -> api.anonymous().post("/api/auth/login", login));
        add("refreshToken", AUTHENTICATION, () -> {
            String refresh = refreshToken(login);
            return () -> api.anonymous().post("/api/auth/refresh", refresh);
        });
        add("logout", AUTHENTICATION, () -> {
            Api.Http person = api.login("admin", PASSWORD);
            return () -> person.post("/api/auth/logout");
        });
        add("issueToken", AUTHENTICATION, () -> () -> api.token(Api.CLIENT_ID, Api.CLIENT_SECRET, ""));
        add("revokeToken", AUTHENTICATION, () -> {
            String token = api.client().token();
            return () -> api.form("/oauth2/revoke", "token=" + token, Api.basic(Api.CLIENT_ID, Api.CLIENT_SECRET));
        });
    }

    private String refreshToken(String login) {
        String token = api.anonymous()
                .post("/api/auth/login", login)
                .expect(200)
                .path("refresh_token")
                .asString();
        return "{\"refresh_token\":\"%s\"}".formatted(token);
    }

    private void tasks() {
        add("createTask", TASK_CREATED, () -> () -> admin.post("/api/v1/tasks", newTask("")));
        add(
                "createTasks",
                TASK_CREATED,
                () -> () -> admin.call(
                        "POST",
                        "/api/v1/tasks:bulk",
                        newTask("").strip() + "\n",
                        "Content-Type",
                        "application/x-ndjson"));
        add(
                "updateTask",
                TASK_UPDATED,
                ofTask(task ->
                        admin.call("PATCH", "/api/v1/tasks/" + task, "{\"priority\":\"high\"}", "If-Match", "*")));
        add("triggerTask", TASK_UPDATED, ofTask(task -> admin.post("/api/v1/tasks/" + task + ":trigger")));
        add(
                "deleteTask",
                TASK_DELETED,
                ofTask(task -> admin.call("DELETE", "/api/v1/tasks/" + task, null, "If-Match", "*")));
        add("pauseTask", TASK_PAUSED, ofTask(task -> admin.post("/api/v1/tasks/" + task + ":pause")));
        add("resumeTask", TASK_RESUMED, () -> {
            String task = task("");
            admin.post("/api/v1/tasks/" + task + ":pause").expect(200);
            return () -> admin.post("/api/v1/tasks/" + task + ":resume");
        });
        add("cancelExecution", TASK_CANCELLED, () -> {
            String execution = admin.get("/api/v1/executions?task_id=" + task(""))
                    .expect(200)
                    .path("items")
                    .path(0)
                    .path("id")
                    .asString();
            return () -> admin.post("/api/v1/executions/" + execution + ":cancel");
        });
        add(
                "proposeHandler",
                CONFIGURATION_CHANGED,
                () -> () -> admin.post("/api/v1/handlers", "{\"name\":\"made.up%d\"}".formatted(next())));
        add("approveHandler", CONFIGURATION_CHANGED, () -> {
            String handler = "made.up" + next();
            admin.post("/api/v1/handlers", "{\"name\":\"%s\"}".formatted(handler))
                    .expect(201);
            return () -> other.post("/api/v1/handlers/" + handler + ":approve");
        });
    }

    private Supplier<Supplier<Reply>> ofTask(Function<String, Reply> call) {
        return () -> {
            String task = task("");
            return () -> call.apply(task);
        };
    }

    private void fleet() {
        add(
                "createJoinToken",
                CONFIGURATION_CHANGED,
                () -> () -> admin.post("/api/v1/workers/join-tokens", "{\"group\":\"batch\"}"));
        add("revokeJoinToken", CONFIGURATION_CHANGED, () -> {
            String token = invitation("batch").path("id").asString();
            return () -> admin.call("DELETE", "/api/v1/workers/join-tokens/" + token, null);
        });
        add("enrolWorker", WORKER_REGISTERED, () -> {
            String token = invitation("batch").path("token").asString();
            KeyPair key = Authority.newKeyPair();
            return () -> TestWorker.stranger(api).enrol(token, key);
        });
        add("renewWorkerCertificate", KEY_ROTATED, () -> {
            TestWorker worker = service("batch");
            return () -> worker.renew(Authority.newKeyPair());
        });
        add("drainWorker", CONFIGURATION_CHANGED, ofWorker(":drain", ""));
        add("resumeWorker", CONFIGURATION_CHANGED, ofWorker(":resume", ":drain"));
        add("blockWorker", WORKER_BLOCKED, ofWorker(":block", ""));
        add("unblockWorker", WORKER_BLOCKED, ofWorker(":unblock", ":block"));
        add("removeWorker", WORKER_DEREGISTERED, () -> {
            String worker = worker();
            return () -> admin.call("DELETE", "/api/v1/workers/" + worker, null);
        });
        add("lockClonedWorker", WORKER_BLOCKED, () -> {
            String worker = worker();
            TestWorker core = service("service:core");
            return () -> core.post("/internal/v1/workers:lock", """
                    {"worker":"%s","reason":"clone","detail":"two boots"}""".formatted(worker));
        });
    }

    private Supplier<Supplier<Reply>> ofWorker(String verb, String before) {
        return () -> {
            String worker = worker();
            if (!before.isEmpty()) {
                admin.post("/api/v1/workers/" + worker + before).expect(200);
            }
            return () -> admin.post("/api/v1/workers/" + worker + verb);
        };
    }

    private void secrets() {
        add(
                "putSecret",
                CONFIGURATION_CHANGED,
                () -> () -> admin.call("PUT", "/api/v1/secrets/secret-" + next(), "{\"value\":\"x\"}"));
        add(
                "rotateSecret",
                CONFIGURATION_CHANGED,
                ofSecret(secret -> admin.post("/api/v1/secrets/" + secret + ":rotate", "{}")));
        add(
                "deleteSecret",
                CONFIGURATION_CHANGED,
                ofSecret(secret -> admin.call("DELETE", "/api/v1/secrets/" + secret, null)));
        String value = "{\"kind\":\"email\",\"value\":\"a@example.org\",\"subject\":\"somebody\"}";
        add("createPiiToken", CONFIGURATION_CHANGED, () -> () -> admin.post("/api/v1/pii-tokens", value));
        add("resolvePiiToken", TOKEN_RESOLVED, () -> {
            String token = admin.post("/api/v1/pii-tokens", value)
                    .expect(201)
                    .path("token")
                    .asString();
            return () -> admin.post("/api/v1/pii-tokens:resolve", "{\"token\":\"%s\"}".formatted(token));
        });
        add("rotateRootKey", KEY_ROTATED, () -> () -> admin.post("/api/v1/root-key:rotate", "{}"));
    }

    private Supplier<Supplier<Reply>> ofSecret(Function<String, Reply> call) {
        return () -> {
            String secret = "secret-" + next();
            admin.call("PUT", "/api/v1/secrets/" + secret, "{\"value\":\"x\"}").expect(201);
            return () -> call.apply(secret);
        };
    }

    private void subjects() {
        add("findSubject", USER_DATA_EXPORTED, () -> () -> internal("subjects:find", """
                {"subject":"somebody","token":"%s"}""".formatted(admin.token())));
        add("registerSubjectRequest", USER_DATA_EXPORTED, () -> () -> register(newRequest(), "access"));
        add("recordSubjectApproval", USER_DATA_DELETED, () -> {
            String request = registered("erasure");
            return () -> approve(request, other.token());
        });
        add("closeSubjectRequest", USER_DATA_EXPORTED, ofRequest("subjects:close"));
        add("openSubjectTasks", USER_DATA_EXPORTED, ofRequest("subjects:open"));
        add("openSubjectTokens", USER_DATA_EXPORTED, ofRequest("subjects:tokens"));
        add("openSubjectAccount", USER_DATA_EXPORTED, ofRequest("subjects:account"));
        add("getExportKey", USER_DATA_EXPORTED, ofRequest("subjects:export-key"));
        add("eraseSubject", USER_DATA_DELETED, () -> {
            String request = registered("erasure");
            approve(request, other.token()).expect(200);
            return () -> internal("subjects:erase", "{\"request\":\"%s\"}".formatted(request));
        });
        add("createServiceToken", AUTHENTICATION, () -> () -> internal("tokens", "{}"));
    }

    private Supplier<Supplier<Reply>> ofRequest(String path) {
        return () -> {
            String request = registered("access");
            return () -> internal(path, "{\"request\":\"%s\"}".formatted(request));
        };
    }

    private static String newRequest() {
        return Id.next(Kind.SUBJECT_REQUEST).toString();
    }

    private String registered(String kind) {
        String request = newRequest();
        register(request, kind).expect(200);
        return request;
    }

    private Reply register(String request, String kind) {
        return internal("subjects:register", """
                {"request":"%s","kind":"%s","subject":"subject-%d","token":"%s"}
                """.formatted(request, kind, next(), admin.token()));
    }

    private Reply approve(String request, String token) {
        return internal("subjects:approve", "{\"request\":\"%s\",\"token\":\"%s\"}".formatted(request, token));
    }

    private Reply internal(String path, String body) {
        return gdpr.post("/internal/v1/" + path, body);
    }

    private static int next() {
        return NEXT.getAndIncrement();
    }

    private static String newUser() {
        return "{\"username\":\"changed%d\",\"password\":\"%s\",\"role\":\"viewer\"}".formatted(next(), PASSWORD);
    }

    private String user() {
        return admin.post("/api/v1/users", newUser()).expect(201).path("id").asString();
    }

    private static String newKey() {
        return "{\"name\":\"key %d\"}".formatted(next());
    }

    private String key() {
        return admin.post("/api/v1/api-keys", newKey()).expect(201).path("id").asString();
    }

    private static String newTask(String more) {
        return """
                {"name":"a task","handler":"demo.echo","schedule":{"type":"one_time","delay":"PT1H"},"payload":{}%s}
                """.formatted(more);
    }

    private String task(String more) {
        return admin.post("/api/v1/tasks", newTask(more)).expect(201).path("id").asString();
    }

    private JsonNode invitation(String group) {
        return admin.post("/api/v1/workers/join-tokens", "{\"group\":\"%s\"}".formatted(group))
                .expect(201);
    }

    private TestWorker service(String group) {
        KeyPair key = Authority.newKeyPair();
        String token = invitation(group).path("token").asString();
        return TestWorker.of(api, key, TestWorker.stranger(api).enrol(token, key));
    }

    private String worker() {
        KeyPair key = Authority.newKeyPair();
        String token = invitation("batch").path("token").asString();
        return TestWorker.stranger(api)
                .enrol(token, key)
                .expect(201)
                .path("worker_id")
                .asString();
    }
}
