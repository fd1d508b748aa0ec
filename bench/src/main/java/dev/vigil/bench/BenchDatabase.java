package dev.vigil.bench;

import dev.vigil.postgres.Credentials;
import dev.vigil.postgres.Role;
import dev.vigil.postgres.Roles;
import dev.vigil.scheduler.SchedulerSchema;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.EnumMap;
import java.util.Map;
import java.util.UUID;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.jdbc.datasource.DriverManagerDataSource;
import org.springframework.jdbc.datasource.SingleConnectionDataSource;

/// The database that the harness names in the environment: `PGHOST`, `PGPORT`, `PGDATABASE`, `PGUSER`, who is a
/// superuser, and `PGPASSWORD`, which is empty where the server trusts everybody. Vigil's roles get the same password.
///
/// @param url       JDBC address
/// @param name      of the database
/// @param superuser who may do everything
/// @param password  his
public record BenchDatabase(String url, String name, String superuser, String password) {
    /// Reads the environment.
    public static BenchDatabase of(Map<String, String> environment) {
        String name = value(environment, "PGDATABASE", "bench");
        String url = "jdbc:postgresql://" + value(environment, "PGHOST", "127.0.0.1") + ":"
                + value(environment, "PGPORT", "5432") + "/" + name;
        return new BenchDatabase(
                url, name, value(environment, "PGUSER", "postgres"), value(environment, "PGPASSWORD", ""));
    }

    private static String value(Map<String, String> environment, String key, String otherwise) {
        String value = environment.getOrDefault(key, "");
        return value.isEmpty() ? otherwise : value;
    }

    Credentials as(Role role) {
        return new Credentials(url, role.roleName(), password);
    }

    /// Connects as one who sees and may do everything.
    public Connection connect() throws SQLException {
        return new Credentials(url, superuser, password).connect();
    }

    /// Sees and may do everything; connects anew for each statement.
    public JdbcClient everything() {
        return JdbcClient.create(new DriverManagerDataSource(url, superuser, password));
    }

    /// Makes roles and schema as an installation does.
    void install() throws SQLException {
        var passwords = new EnumMap<Role, String>(Role.class);
        if (!password.isEmpty()) {
            for (Role role : Role.values()) {
                passwords.put(role, password);
            }
        }
        try (Connection connection = connect();
                Statement statement = connection.createStatement()) {
            Roles.create(connection, passwords);
            statement.execute("ALTER DATABASE \"" + name + "\" OWNER TO " + Role.OWNER.roleName());
        }
        SchedulerSchema.migrate(
                new DriverManagerDataSource(url, Role.OWNER.roleName(), password), SchedulerSchema.SHARDS);
    }

    /// From now on nothing of the trail is stored: of this database only, and for no other end than to see what it
    /// costs.
    void dropEvents() {
        JdbcClient db = everything();
        db.sql("""
                        CREATE FUNCTION scheduler.drop_events() RETURNS trigger LANGUAGE plpgsql
                            AS 'BEGIN RETURN NULL; END'
                        """).update();
        db.sql("""
                        CREATE TRIGGER drop_events BEFORE INSERT ON scheduler.outbox
                           FOR EACH ROW EXECUTE FUNCTION scheduler.drop_events()
                        """).update();
    }

    /// Executions that are due and not over.
    public long due() {
        return everything()
                .sql("SELECT count(*) FROM scheduler.execution WHERE due_at <= clock_timestamp()")
                .query(Long.class)
                .single();
    }

    /// Events of the engine that no signed checkpoint covers yet.
    ///
    /// @param connection of [#connect]
    public long unsequenced(Connection connection) {
        var db = JdbcClient.create(new SingleConnectionDataSource(connection, true));
        return db.sql("""
                        SELECT coalesce(sum(o.n), 0) FROM scheduler.outbox o
                         WHERE (o.xid, o.id) > ALL (
                           SELECT p.xid, p.id FROM audit.progress p WHERE p.source = 'scheduler'
                            ORDER BY p.xid DESC, p.id DESC LIMIT 1)
                        """).query(Long.class).single();
    }

    /// Copies a stored task and its execution many times, due in a day; what set-up is made of.
    public void multiply(UUID task, int n) {
        JdbcClient db = everything();
        db.sql("""
                        WITH v AS MATERIALIZED (
                          SELECT uuidv7() AS id, i % (SELECT count(*) FROM scheduler.shard)::int AS shard,
                                 clock_timestamp() + interval '1 day' + i * interval '1 ms' AS at
                            FROM generate_series(1, :n) i
                        ), t AS (
                          INSERT INTO scheduler.task
                                 (namespace, version, id, owner, shard, payload_version, payload_bytes, timeout_ms,
                                  retry_initial_ms, retry_max_ms, kind, priority, max_attempts, backoff, misfire,
                                  misfire_limit, overlap, key_id, name, handler, payload, labels, at)
                          SELECT m.namespace, m.version, v.id, m.owner, v.shard, m.payload_version, m.payload_bytes,
                                 m.timeout_ms, m.retry_initial_ms, m.retry_max_ms, m.kind, m.priority, m.max_attempts,
                                 m.backoff, m.misfire, m.misfire_limit, m.overlap, m.key_id, m.name, m.handler,
                                 m.payload, m.labels, v.at
                            FROM v CROSS JOIN scheduler.task m WHERE m.id = :task
                        )
                        INSERT INTO scheduler.execution
                               (shard, namespace, id, task_id, due_at, scheduled_for, version, lane)
                        SELECT v.shard, m.namespace, v.id, v.id, v.at, v.at, m.version, m.lane
                          FROM v CROSS JOIN scheduler.execution m WHERE m.task_id = :task
                        """).param("n", n).param("task", task).update();
        db.sql("VACUUM ANALYZE scheduler.task").update();
        db.sql("VACUUM ANALYZE scheduler.execution").update();
    }

    @Override
    public String toString() {
        return url;
    }
}
