package dev.vigil.scheduler.worker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.vigil.postgres.Role;
import dev.vigil.scheduler.TestDatabase;
import dev.vigil.scheduler.worker.Workers.Admission;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/// The registry as a core reads it, over tables of the vault's shape.
class RegisteredWorkersTest {
    private final TestDatabase database = new TestDatabase();
    private final UUID blue = UUID.randomUUID();
    private final UUID green = UUID.randomUUID();
    private final RegisteredWorkers workers;

    RegisteredWorkersTest() {
        for (String statement : List.of(
                "CREATE SCHEMA IF NOT EXISTS vault",
                "CREATE TABLE vault.worker (id uuid, state text, worker_group text, namespaces int[],"
                        + " changed_at timestamptz DEFAULT clock_timestamp())",
                "CREATE TABLE vault.handler_group (name text, groups text[])",
                "GRANT USAGE ON SCHEMA vault TO vigil_core",
                "GRANT SELECT ON vault.worker, vault.handler_group TO vigil_core",
                "INSERT INTO vault.worker VALUES ('%s', 'active', 'blue', NULL), ('%s', 'active', 'green', '{2}')"
                        .formatted(blue, green),
                "INSERT INTO vault.handler_group VALUES ('only.blue', '{blue}'), ('any', '{}')")) {
            database.superuser().sql(statement).update();
        }
        workers = new RegisteredWorkers(database.as(Role.CORE));
    }

    @AfterEach
    void stop() {
        workers.close();
    }

    @Test
    void a_worker_is_offered_what_its_group_and_namespaces_may_run_and_nothing_else() {
        workers.start(worker -> {});
        await().atMost(Duration.ofSeconds(5)).until(() -> workers.mayRun(blue, 1, "only.blue"));

        assertThat(workers.mayRun(blue, 1, "any")).isTrue();
        assertThat(workers.mayRun(green, 2, "any")).isTrue();
        assertThat(workers.mayRun(green, 1, "any")).as("another namespace").isFalse();
        assertThat(workers.mayRun(green, 2, "only.blue")).as("another group").isFalse();
        assertThat(workers.mayRun(UUID.randomUUID(), 2, "any")).as("a stranger").isFalse();

        database.superuser()
                .sql("UPDATE vault.handler_group SET groups = '{green}' WHERE name = 'only.blue'")
                .update();
        await().atMost(Duration.ofSeconds(5)).until(() -> workers.mayRun(green, 2, "only.blue"));
        assertThat(workers.mayRun(blue, 1, "only.blue")).isFalse();
    }

    @Test
    void a_blocked_worker_is_told_of_within_seconds_and_not_admitted() {
        var refused = new CopyOnWriteArrayList<UUID>();
        workers.start(refused::add);
        assertThat(workers.admission(blue)).isEqualTo(Admission.ADMITTED);
        await().atMost(Duration.ofSeconds(5)).until(() -> workers.mayRun(blue, 1, "any"));

        database.superuser()
                .sql(
                        "UPDATE vault.worker SET state = 'blocked', changed_at = clock_timestamp() WHERE worker_group = 'blue'")
                .update();

        await().atMost(Duration.ofSeconds(5)).until(() -> refused.contains(blue));
        assertThat(workers.mayRun(blue, 1, "any")).isFalse();
        assertThat(workers.admission(blue)).isEqualTo(Admission.REFUSED);
        assertThat(workers.admission(UUID.randomUUID())).isEqualTo(Admission.REFUSED);
    }
}
