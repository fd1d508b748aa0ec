package dev.vigil.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.vigil.api.Api.Reply;
import dev.vigil.api.web.Access;
import dev.vigil.api.web.Route;
import dev.vigil.api.web.RouteTable;
import dev.vigil.postgres.TestPostgres;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;

/// Calls with an `Idempotency-Key` happen once.
class IdempotencyTest {
    private final Api api = Api.shared();
    private final Api.Http owner = api.user("scheduler");
    private final String key = UUID.randomUUID().toString();

    @Test
    void every_post_that_creates_takes_a_key() {
        List<Route> routes = api.context().getBean(RouteTable.class).routes();

        assertThat(routes)
                .filteredOn(route -> route.method().equals("POST")
                        && route.access() instanceof Access.Bearer
                        && route.operation().answers().containsKey(201))
                .isNotEmpty()
                .allMatch(route -> route.writing().key() != Route.Means.NONE);
    }

    @Test
    void the_same_key_and_body_replay_status_body_and_headers_and_say_so() {
        String name = "once-" + key;

        Reply first = create(owner, name);
        Reply second = create(owner, name);

        assertThat(first.status()).isEqualTo(201);
        assertThat(first.header("Idempotent-Replayed")).isEmpty();
        assertThat(second.status()).isEqualTo(201);
        assertThat(second.header("Idempotent-Replayed")).isEqualTo("true");
        assertThat(second.text()).isEqualTo(first.text());
        assertThat(second.header("Location")).isEqualTo(first.header("Location"));
        assertThat(second.header("ETag")).isEqualTo(first.header("ETag"));
        assertThat(tasks(name)).isEqualTo(1);
    }

    @Test
    void another_body_or_path_under_the_same_key_is_422_and_creates_nothing() {
        create(owner, "first-" + key).expect(201);

        Reply other = create(owner, "other-" + key);

        assertThat(other.status()).isEqualTo(422);
        assertThat(other.code()).isEqualTo("idempotency_key_reused");
        assertThat(tasks("other-" + key)).isZero();
        assertThat(post(owner, "/api/v1/tasks?dry_run=false", task("first-" + key))
                        .code())
                .isEqualTo("idempotency_key_reused");
    }

    @Test
    void a_key_belongs_to_its_principal() {
        String name = "scoped-" + key;
        create(owner, name).expect(201);

        Reply stranger = create(api.user("scheduler"), name);

        assertThat(stranger.status()).isEqualTo(201);
        assertThat(stranger.header("Idempotent-Replayed")).isEmpty();
        assertThat(tasks(name)).isEqualTo(2);
    }

    @Test
    void while_the_first_call_runs_the_same_one_is_409_and_replayed_afterwards() throws Exception {
        String name = "running-" + key;
        try (var threads = Executors.newVirtualThreadPerTaskExecutor();
                Connection lock = superuser()) {
            lock.setAutoCommit(false);
            lock.createStatement().execute("LOCK TABLE scheduler.schedule IN EXCLUSIVE MODE");
            String body = task(name)
                    .replace(
                            "{\"type\":\"one_time\",\"delay\":\"PT1H\"}", "{\"type\":\"interval\",\"every\":\"PT1H\"}");
            Future<Reply> first = threads.submit(() -> post(owner, "/api/v1/tasks", body));
            await().until(() -> api.query(
                            "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'scheduler.schedule'::regclass",
                            Long.class)
                    > 0);

            Reply second = post(owner, "/api/v1/tasks", body);

            assertThat(second.status()).isEqualTo(409);
            assertThat(second.code()).isEqualTo("idempotency_key_in_use");
            assertThat(second.header("Retry-After")).isNotEmpty();
            lock.rollback();
            assertThat(first.get().status()).isEqualTo(201);
            Reply third = post(owner, "/api/v1/tasks", body);
            assertThat(third.status()).isEqualTo(201);
            assertThat(third.text()).isEqualTo(first.get().text());
        }
        assertThat(tasks(name)).isEqualTo(1);
    }

    @Test
    void thirty_of_the_same_call_at_once_create_one_task() throws InterruptedException, ExecutionException {
        String name = "raced-" + key;
        var replies = new ArrayList<Future<Reply>>();

        try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            for (int i = 0; i < 30; i++) {
                replies.add(threads.submit(() -> create(owner, name)));
            }
        }

        var bodies = new ArrayList<String>();
        for (Future<Reply> reply : replies) {
            assertThat(reply.get().status()).isIn(201, 409);
            if (reply.get().status() == 201) {
                bodies.add(reply.get().text());
            }
        }
        assertThat(bodies).isNotEmpty().allMatch(bodies.getFirst()::equals);
        assertThat(tasks(name)).isEqualTo(1);
    }

    @Test
    void a_refused_call_leaves_its_key_free_for_the_corrected_one() {
        Reply refused = post(owner, "/api/v1/tasks", task("n").replace("demo.echo", "demo.eko"));

        assertThat(refused.status()).isEqualTo(422);
        assertThat(create(owner, "corrected-" + key).status()).isEqualTo(201);
    }

    @Test
    void a_task_whose_answer_was_lost_is_found_again_not_made_again() {
        String name = "cut-" + key;
        Reply first = create(owner, name);
        first.expect(201);
        api.execute("UPDATE access.idempotency SET answer = NULL, busy_until = clock_timestamp()");

        Reply again = create(owner, name);

        assertThat(again.status()).isEqualTo(201);
        assertThat(again.json().path("id")).isEqualTo(first.json().path("id"));
        assertThat(again.text()).isEqualTo(first.text());
        assertThat(tasks(name)).isEqualTo(1);
    }

    @Test
    void what_is_created_and_its_answer_are_stored_together_or_not_at_all() {
        Api.Http admin = api.admin();
        String body = "{\"name\":\"together-%s\",\"role\":\"scheduler\"}".formatted(key);
        api.execute("ALTER TABLE access.idempotency ADD CONSTRAINT broken CHECK (answer IS NULL) NOT VALID");

        Reply cut = post(admin, "/api/v1/service-accounts", body);

        assertThat(cut.status()).isGreaterThanOrEqualTo(500);
        assertThat(accounts("together-" + key)).isZero();
        api.execute("ALTER TABLE access.idempotency DROP CONSTRAINT broken");
        assertThat(post(admin, "/api/v1/service-accounts", body).status()).isEqualTo(201);
        assertThat(accounts("together-" + key)).isEqualTo(1);
    }

    @Test
    void a_secret_that_is_shown_once_is_replayed_and_stands_nowhere_in_clear() {
        Api.Http admin = api.admin();
        String body = "{\"name\":\"sealed-%s\",\"role\":\"scheduler\"}".formatted(key);
        Reply first = post(admin, "/api/v1/service-accounts", body);
        String secret = first.expect(201).path("client_secret").asString();

        Reply second = post(admin, "/api/v1/service-accounts", body);

        assertThat(second.text()).isEqualTo(first.text());
        assertThat(second.header("Idempotent-Replayed")).isEqualTo("true");
        assertThat(api.query(
                        "SELECT count(*) FROM access.idempotency WHERE position(convert_to('" + secret
                                + "', 'UTF8') IN answer) > 0",
                        Long.class))
                .isZero();
        assertThat(api.token(first.json().path("client_id").asString(), secret, "")
                        .status())
                .isEqualTo(200);
    }

    @Test
    void after_24_hours_the_key_is_free() {
        String name = "old-" + key;
        String before = create(owner, name).expect(201).path("id").asString();
        api.execute("UPDATE access.idempotency SET started_at = started_at - interval '24 hours 1 second'");

        Reply after = create(owner, name);

        assertThat(after.status()).isEqualTo(201);
        assertThat(after.header("Idempotent-Replayed")).isEmpty();
        assertThat(after.json().path("id").asString()).isNotEqualTo(before);
    }

    @Test
    void a_key_of_other_than_1_to_255_printable_characters_is_400() {
        for (String wrong : List.of(" ", "k".repeat(256))) {
            Reply reply = owner.call("POST", "/api/v1/tasks", task("wrong-key"), "Idempotency-Key", wrong);

            assertThat(reply.status()).as(wrong).isEqualTo(400);
        }
    }

    private Reply create(Api.Http client, String name) {
        return post(client, "/api/v1/tasks", task(name));
    }

    private Reply post(Api.Http client, String path, String body) {
        return client.call("POST", path, body, "Idempotency-Key", key);
    }

    private static String task(String name) {
        return "{\"name\":\"%s\",\"handler\":\"demo.echo\",\"schedule\":{\"type\":\"one_time\",\"delay\":\"PT1H\"},\"payload\":1}"
                .formatted(name);
    }

    private long tasks(String name) {
        return api.query("SELECT count(*) FROM scheduler.task WHERE name = '" + name + "'", Long.class);
    }

    private long accounts(String name) {
        return api.query("SELECT count(*) FROM access.principal WHERE username = '" + name + "'", Long.class);
    }

    private Connection superuser() throws SQLException {
        var outside = TestPostgres.superuser(api.database());
        return DriverManager.getConnection(outside.url(), outside.username(), outside.password());
    }
}
