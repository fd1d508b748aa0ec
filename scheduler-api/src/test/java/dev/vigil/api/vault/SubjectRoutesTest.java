package dev.vigil.api.vault;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.vigil.api.Api;
import dev.vigil.protocol.id.Id;
import dev.vigil.protocol.id.Kind;
import java.security.KeyPair;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

/// What gdpr-service may have opened and erased. No core runs: its part, removing erased tasks, is played by SQL.
class SubjectRoutesTest {
    private static final Api API = Api.start(Map.of("vigil.bootstrap.approved-handlers", "demo.echo"));

    private final Api.Http admin = API.admin();
    private final TestWorker gdpr = service("service:gdpr");
    private final String request = Id.next(Kind.SUBJECT_REQUEST).toString();
    private final String subject = "customer-" + System.nanoTime();

    @AfterAll
    static void stop() {
        API.close();
    }

    private String task;

    @BeforeEach
    void a_task_about_the_subject() {
        task = create(subject);
        create("somebody-else");
    }

    @Test
    void what_was_asked_for_is_opened_for_that_subject_alone() {
        register("access", subject, admin);

        JsonNode page =
                post("subjects:open", "{\"request\":\"%s\"}".formatted(request)).expect(200);

        assertThat(page.path("subject").asString()).isEqualTo(subject);
        assertThat(page.path("items").size()).isEqualTo(1);
        assertThat(page.path("items").path(0).path("id").asString()).isEqualTo(task);
        assertThat(page.path("items").path(0).path("payload").path("secret").asString())
                .isEqualTo("of " + subject);
        assertThat(page.path("next").isNull()).isTrue();
        assertThat(executions(task)
                        .expect(200)
                        .path("items")
                        .path(0)
                        .path("state")
                        .asString())
                .isEqualTo("queued");
        assertThat(executions(create("somebody-else")).status()).isEqualTo(404);
        assertThat(Outboxes.events(API.database()))
                .filteredOn(event -> event.contains(request))
                .anyMatch(event -> event.contains("register_request"))
                .anyMatch(event -> event.contains("open_subject") && event.contains("user_data_exported"));
    }

    @Test
    void tokens_are_opened_page_by_page_for_their_person_and_are_events() {
        for (int n = 0; n < 3; n++) {
            token(subject, "mail" + n + "@example.org").expect(201);
        }
        token("somebody-else", "other@example.org").expect(201);
        register("access", subject, admin);

        JsonNode all = tokens("").expect(200);
        List<String> values = all.path("items")
                .valueStream()
                .map(item -> item.path("value").asString())
                .toList();
        var first = PayloadReferences.token(
                        all.path("items").path(0).path("token").asString())
                .orElseThrow();
        List<String> rest = tokens(",\"after\":\"1:" + first.id() + "\"")
                .expect(200)
                .path("items")
                .valueStream()
                .map(item -> item.path("value").asString())
                .toList();

        assertThat(values).containsExactlyInAnyOrder("mail0@example.org", "mail1@example.org", "mail2@example.org");
        assertThat(all.path("next").isNull()).isTrue();
        assertThat(rest).isEqualTo(values.subList(1, 3));
        assertThat(tokens(",\"after\":\"1:x\"").status()).isEqualTo(422);
        assertThat(Outboxes.events(API.database()))
                .anyMatch(event -> event.contains(request)
                        && event.contains("open_tokens")
                        && event.contains(all.path("event_id").asString()));
    }

    @Test
    void an_account_is_shown_to_its_own_request_alone_and_with_no_secret() {
        Api.Http user = user("scheduler");
        String id = user.get("/api/v1/me").expect(200).path("id").asString();
        String key = user.post("/api/v1/api-keys", "{\"name\":\"laptop\"}")
                .expect(201)
                .path("key")
                .asString();
        register("access", id, admin);
        String other = Id.next(Kind.SUBJECT_REQUEST).toString();
        register(other, "access", subject, admin);
        String strange = Id.next(Kind.SUBJECT_REQUEST).toString();
        register(strange, "access", id, user("privacy_officer", namespace()));

        JsonNode answer = account(request);

        assertThat(answer.path("account").path("id").asString()).isEqualTo(id);
        assertThat(answer.path("account").path("api_keys").path(0).path("name").asString())
                .isEqualTo("laptop");
        assertThat(answer.path("account").path("sign_ins").size()).isEqualTo(1);
        assertThat(answer.toString()).doesNotContain(key, "password", "mac");
        assertThat(account(other).has("account")).as("no user").isFalse();
        assertThat(account(strange).has("account"))
                .as("an account of another namespace than the officer's")
                .isFalse();
    }

    @Test
    void nothing_is_opened_that_nobody_asked_for() {
        register("erasure", subject, admin);
        assertThat(tokens("").status()).isEqualTo(404);
        assertThat(post("subjects:account", "{\"request\":\"%s\"}".formatted(request))
                        .status())
                .isEqualTo(404);

        assertThat(post("subjects:open", "{\"request\":\"%s\"}".formatted(request))
                        .status())
                .as("an erasure opens nothing")
                .isEqualTo(404);
        assertThat(post("subjects:open", "{\"request\":\"%s\"}".formatted(Id.next(Kind.SUBJECT_REQUEST)))
                        .status())
                .isEqualTo(404);
    }

    @Test
    void a_request_needs_the_token_of_somebody_who_may_ask() {
        String body = "{\"request\":\"%s\",\"kind\":\"access\",\"subject\":\"%s\",\"token\":\"%s\"}";

        for (String token : List.of(
                "x",
                API.client().token(),
                user("viewer").token(),
                user("auditor").token())) {
            assertThat(post("subjects:register", body.formatted(request, subject, token))
                            .status())
                    .isEqualTo(403);
        }
        assertThat(post(
                                "subjects:register",
                                body.formatted(
                                        request,
                                        subject,
                                        user("privacy_officer").token()))
                        .status())
                .isEqualTo(200);
    }

    @Test
    void other_services_and_workers_are_refused() {
        String body = "{\"request\":\"%s\"}".formatted(request);

        assertThat(service("service:core")
                        .post("/internal/v1/subjects:open", body)
                        .code())
                .isEqualTo("certificate_refused");
        assertThat(service("batch").post("/internal/v1/subjects:open", body).code())
                .isEqualTo("certificate_refused");
        assertThat(TestWorker.stranger(API)
                        .post("/internal/v1/subjects:open", body)
                        .code())
                .isEqualTo("certificate_required");
        assertThat(admin.post("/internal/v1/subjects:open", body).status()).isEqualTo(404);
    }

    @Test
    void an_erasure_waits_for_another_ones_approval() {
        register("erasure", subject, admin);
        assertThat(erase().status()).isEqualTo(404);
        assertThat(approve(admin).status()).as("own approval").isEqualTo(403);
        assertThat(approve(user("viewer")).status()).isEqualTo(403);

        assertThat(approve(user("privacy_officer")).status()).isEqualTo(200);
        assertThat(erase().status()).isEqualTo(200);
    }

    @Test
    void an_erasure_approved_by_sql_is_refused() {
        register("erasure", subject, admin);
        Meddler.run(
                API.database(),
                "UPDATE vault.subject_request SET approved_by = gen_random_uuid(), approved_at = now()");

        assertThat(erase().status()).isEqualTo(404);
    }

    @Test
    void an_erasure_destroys_the_key_hides_the_tasks_and_is_done_when_they_are_gone() {
        String earlier = Id.next(Kind.SUBJECT_REQUEST).toString();
        register(earlier, "access", subject, admin);
        assertThat(exportKey(earlier).has("key")).isTrue();
        register("erasure", subject, admin);
        approve(user("admin"));

        JsonNode begun = erase().expect(200);

        assertThat(begun.path("done").asBoolean()).isFalse();
        assertThat(begun.path("tasks").asInt()).isEqualTo(1);
        assertThat(begun.path("remaining").asInt()).isEqualTo(1);
        assertThat(begun.path("keys").size()).isEqualTo(1);
        assertThat(admin.get("/api/v1/tasks/" + task).status()).isEqualTo(404);
        assertThat(exportKey(earlier).path("erased").asBoolean()).isTrue();
        for (String path : List.of("subjects:open", "subjects:tokens", "subjects:account")) {
            assertThat(post(path, "{\"request\":\"%s\"}".formatted(earlier))
                            .expect(200)
                            .path("erased")
                            .asBoolean())
                    .as(path)
                    .isTrue();
        }
        assertThat(newTask(subject).status())
                .as("nothing about him is stored meanwhile")
                .isEqualTo(409);

        theOwnersRemove(task);
        await().atMost(Duration.ofSeconds(10))
                .until(() -> erase().expect(200).path("done").asBoolean());
        JsonNode done = erase().expect(200);
        assertThat(done.path("event_id").asString()).startsWith("aud_");
        assertThat(Outboxes.events(API.database()))
                .filteredOn(event -> event.contains(request))
                .anyMatch(event -> event.contains("destroy_data_key"))
                .anyMatch(event -> event.contains(done.path("event_id").asString()));
        assertThat(newTask(subject).status()).as("he may come back").isEqualTo(201);
    }

    @Test
    void a_closed_request_opens_and_erases_nothing() {
        register("access", subject, admin);
        post("subjects:close", "{\"request\":\"%s\"}".formatted(request)).expect(200);

        assertThat(post("subjects:open", "{\"request\":\"%s\"}".formatted(request))
                        .status())
                .isEqualTo(404);
    }

    @Test
    void a_privacy_officer_asks_for_his_namespace_an_admin_for_all() {
        String namespace = namespace();
        newTask(subject, user("scheduler", namespace)).expect(201);
        Api.Http officer = user("privacy_officer");

        assertThat(count(admin)).isEqualTo(2);
        assertThat(count(officer)).isEqualTo(1);
        assertThat(register(Id.next(Kind.SUBJECT_REQUEST).toString(), "access", subject, officer)
                        .path("indexes")
                        .size())
                .isEqualTo(1);
    }

    @Test
    void the_service_gets_a_token_that_the_api_itself_refuses() {
        String token = post("tokens", "{}").expect(200).path("token").asString();

        assertThat(API.bearer(token).get("/api/v1/me").status()).isEqualTo(401);
    }

    private JsonNode register(String kind, String about, Api.Http by) {
        return register(request, kind, about, by);
    }

    private JsonNode register(String id, String kind, String about, Api.Http by) {
        return post(
                        "subjects:register",
                        "{\"request\":\"%s\",\"kind\":\"%s\",\"subject\":\"%s\",\"token\":\"%s\"}"
                                .formatted(id, kind, about, by.token()))
                .expect(200);
    }

    private Api.Reply approve(Api.Http by) {
        return post("subjects:approve", "{\"request\":\"%s\",\"token\":\"%s\"}".formatted(request, by.token()));
    }

    private Api.Reply erase() {
        return post("subjects:erase", "{\"request\":\"%s\"}".formatted(request));
    }

    private JsonNode exportKey(String id) {
        return post("subjects:export-key", "{\"request\":\"%s\"}".formatted(id)).expect(200);
    }

    private Api.Reply tokens(String more) {
        return post("subjects:tokens", "{\"request\":\"%s\"%s}".formatted(request, more));
    }

    private JsonNode account(String id) {
        return post("subjects:account", "{\"request\":\"%s\"}".formatted(id)).expect(200);
    }

    private Api.Reply token(String about, String value) {
        return admin.post(
                "/api/v1/pii-tokens",
                "{\"kind\":\"email\",\"value\":\"%s\",\"subject\":\"%s\"}".formatted(value, about));
    }

    private String namespace() {
        String name = "ns" + System.nanoTime();
        admin.post("/api/v1/namespaces", "{\"name\":\"%s\"}".formatted(name)).expect(201);
        return name;
    }

    private Api.Reply executions(String ofTask) {
        return post("subjects:executions", "{\"request\":\"%s\",\"task\":\"%s\"}".formatted(request, ofTask));
    }

    private Api.Reply post(String path, String json) {
        return gdpr.post("/internal/v1/" + path, json);
    }

    private String create(String about) {
        return newTask(about).expect(201).path("id").asString();
    }

    private int count(Api.Http by) {
        return post("subjects:find", "{\"subject\":\"%s\",\"token\":\"%s\"}".formatted(subject, by.token()))
                .expect(200)
                .path("tasks")
                .asInt();
    }

    private Api.Reply newTask(String about) {
        return newTask(about, API.client());
    }

    private static Api.Reply newTask(String about, Api.Http by) {
        return by.post("/api/v1/tasks", """
                {"name":"a task","handler":"demo.echo","schedule":{"type":"one_time"},"subject":"%s",
                 "payload":{"secret":"of %s"}}""".formatted(about, about));
    }

    private static void theOwnersRemove(String taskId) {
        String uuid = Id.parse(Kind.TASK, taskId).orElseThrow().uuid().toString();
        Meddler.run(API.database(), "DELETE FROM scheduler.execution WHERE id = '" + uuid + "'");
        Meddler.run(API.database(), "DELETE FROM scheduler.task WHERE id = '" + uuid + "'");
        Meddler.run(API.database(), "DELETE FROM scheduler.inbox WHERE ref = '" + uuid + "'");
    }

    private Api.Http user(String role) {
        return user(role, "default");
    }

    private Api.Http user(String role, String namespace) {
        String name = role + System.nanoTime();
        admin.post(
                        "/api/v1/users",
                        "{\"username\":\"%s\",\"password\":\"a long enough password\",\"role\":\"%s\",\"namespace\":\"%s\"}"
                                .formatted(name, role, namespace))
                .expect(201);
        return API.login(name, "a long enough password");
    }

    private static TestWorker service(String group) {
        KeyPair key = Authority.newKeyPair();
        String token = API.admin()
                .post("/api/v1/workers/join-tokens", "{\"group\":\"%s\"}".formatted(group))
                .expect(201)
                .path("token")
                .asString();
        return TestWorker.of(API, key, TestWorker.stranger(API).enrol(token, key));
    }
}
