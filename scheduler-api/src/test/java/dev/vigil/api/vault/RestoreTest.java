package dev.vigil.api.vault;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.vigil.api.Api;
import dev.vigil.postgres.Credentials;
import dev.vigil.postgres.TestPostgres;
import dev.vigil.protocol.id.Id;
import dev.vigil.protocol.id.Kind;
import java.security.KeyPair;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// A copy of the database from before an erasure is put back: the person stays erased.
class RestoreTest {
    private static final Api API = Api.start(Map.of("vigil.bootstrap.approved-handlers", "demo.echo"));
    private static final String COPY = "copy_of_restore_test";

    private final String subject = "customer-" + System.nanoTime();
    private String task = "";
    private String other = "";
    private String user = "";

    @AfterAll
    static void stop() {
        API.close();
    }

    @BeforeEach
    void a_backup_and_then_an_erasure() {
        task = create(subject);
        other = create("somebody-else");
        user = API.admin()
                .post("/api/v1/users", """
                        {"username":"u%d","password":"a long enough password","role":"scheduler"}
                        """.formatted(System.nanoTime()))
                .expect(201)
                .path("id")
                .asString();
        API.context().close();
        cluster("DROP DATABASE IF EXISTS " + COPY);
        cluster("CREATE DATABASE " + COPY + " TEMPLATE " + name());
        API.restart();
        erase(subject);
        erase(user);
        assertThat(get(task)).isEqualTo(404);
        assertThat(account()).isEqualTo(404);
    }

    @Test
    void before_the_service_serves_again_the_person_is_gone_again() {
        API.context().close();
        putBack();
        API.restart();

        assertThat(API.anonymous().get("/readyz").status()).isEqualTo(200);
        theSubjectIsGoneAgain();
        String back = create(subject);
        API.restart();
        assertThat(get(back)).as("what came after it is not erased").isEqualTo(200);
    }

    @Test
    void under_a_running_service_he_is_gone_again_after_a_moment() {
        putBack();

        await().atMost(Duration.ofSeconds(15)).ignoreExceptions().untilAsserted(this::theSubjectIsGoneAgain);
        assertThat(API.anonymous().get("/readyz").status()).isEqualTo(200);
    }

    private void theSubjectIsGoneAgain() {
        assertThat(get(task)).isEqualTo(404);
        assertThat(keys()).as("keys of his that open").isZero();
        assertThat(account()).isEqualTo(404);
        assertThat(API.query("SELECT count(*) FROM access.principal WHERE username LIKE 'u%'", Long.class))
                .isZero();
        assertThat(get(other)).as("others are there").isEqualTo(200);
        assertThat(Outboxes.events(API.database()))
                .anyMatch(event -> event.contains("replay_erasure"))
                .anyMatch(event -> event.contains("destroy_data_key"))
                .anyMatch(event -> event.contains("user_erased") && event.contains(user));
    }

    /// Keys that are older than the erasure of whom they belong to.
    private static long keys() {
        return API.query("""
                SELECT count(*)
                  FROM vault.data_key k JOIN vault.erasure e USING (namespace, subject_index)
                 WHERE k.wrapped IS NOT NULL AND k.created_at < e.began_at
                """, Long.class);
    }

    private static void putBack() {
        cluster("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '" + name() + "'");
        cluster("DROP DATABASE " + name() + " WITH (FORCE)");
        cluster("CREATE DATABASE " + name() + " TEMPLATE " + COPY);
    }

    private static void erase(String whom) {
        TestWorker gdpr = gdpr();
        String request = Id.next(Kind.SUBJECT_REQUEST).toString();
        call(gdpr, "subjects:register", """
                {"request":"%s","kind":"erasure","subject":"%s","token":"%s"}
                """.formatted(request, whom, API.admin().token()));
        call(gdpr, "subjects:approve", """
                {"request":"%s","token":"%s"}""".formatted(request, API.user("admin").token()));
        call(gdpr, "subjects:erase", "{\"request\":\"%s\"}".formatted(request));
    }

    private static void call(TestWorker gdpr, String path, String body) {
        gdpr.post("/internal/v1/" + path, body).expect(200);
    }

    private static TestWorker gdpr() {
        KeyPair key = Authority.newKeyPair();
        String token = API.admin()
                .post("/api/v1/workers/join-tokens", "{\"group\":\"service:gdpr\"}")
                .expect(201)
                .path("token")
                .asString();
        return TestWorker.of(API, key, TestWorker.stranger(API).enrol(token, key));
    }

    private static String create(String about) {
        return API.client()
                .post("/api/v1/tasks", """
                        {"name":"a task","handler":"demo.echo","schedule":{"type":"one_time","delay":"PT1H"},
                         "subject":"%s","payload":{"secret":"of %s"}}""".formatted(about, about))
                .expect(201)
                .path("id")
                .asString();
    }

    private static int get(String task) {
        return API.admin().get("/api/v1/tasks/" + task).status();
    }

    private int account() {
        return API.admin().get("/api/v1/users/" + user).status();
    }

    private static String name() {
        String url = API.database().url();
        return url.substring(url.lastIndexOf('/') + 1).replaceFirst("\\?.*", "");
    }

    private static void cluster(String sql) {
        Credentials inside = TestPostgres.superuser(API.database());
        var outside =
                new Credentials(inside.url().replace("/" + name(), "/postgres"), inside.username(), inside.password());
        try (var connection = outside.connect();
                var statement = connection.createStatement()) {
            statement.execute(sql);
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }
}
