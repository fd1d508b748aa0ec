package dev.vigil.audit.log;

import dev.vigil.audit.AuditSchema;
import dev.vigil.postgres.Credentials;
import dev.vigil.postgres.Database;
import dev.vigil.postgres.Role;
import dev.vigil.postgres.TestPostgres;
import dev.vigil.protocol.audit.AuditEvent;
import dev.vigil.protocol.audit.EventBatch;
import dev.vigil.protocol.audit.EventType;
import dev.vigil.protocol.audit.Result;
import dev.vigil.protocol.tree.NoteSigner;
import java.io.ByteArrayOutputStream;
import java.security.GeneralSecurityException;
import java.security.KeyPairGenerator;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.InstantSource;
import java.util.List;
import java.util.stream.IntStream;
import javax.sql.DataSource;
import org.postgresql.ds.PGSimpleDataSource;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.jdbc.datasource.SingleConnectionDataSource;

/// A database with the audit schema and the outboxes of two services, as their migrations make them.
public final class Ledger {
    private final Database database;
    private final NoteSigner signer = newSigner("test.vigil/audit");

    private Ledger(Database database) {
        this.database = database;
    }

    /// A fresh one: schemas `audit`, `scheduler` and `access`, all empty.
    public static Ledger fresh() {
        return on(TestPostgres.freshDatabase());
    }

    /// The same on a database where nothing is migrated yet.
    public static Ledger on(Database database) {
        var ledger = new Ledger(database);
        Credentials owner = ledger.database.as(Role.OWNER);
        AuditSchema.migrate(owner.url(), owner.username(), owner.password());
        ledger.addOutbox("scheduler");
        ledger.addOutbox("access");
        return ledger;
    }

    public Database database() {
        return database;
    }

    public NoteSigner signer() {
        return signer;
    }

    public void addOutbox(String schema) {
        as(Role.OWNER).sql("""
                    CREATE SCHEMA %1$s;
                    CREATE TABLE %1$s.outbox (
                        id     bigint GENERATED ALWAYS AS IDENTITY,
                        xid    xid8        NOT NULL DEFAULT pg_current_xact_id(),
                        at     timestamptz NOT NULL DEFAULT clock_timestamp(),
                        n      int         NOT NULL CHECK (n > 0),
                        events bytea       NOT NULL,
                        PRIMARY KEY (xid, id)
                    );
                    CREATE FUNCTION %1$s.prune_outbox(below_xid xid8) RETURNS bigint
                        LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
                    AS $$
                        WITH gone AS (DELETE FROM %1$s.outbox WHERE xid < below_xid RETURNING 1)
                        SELECT count(*) FROM gone
                    $$;
                    REVOKE ALL ON FUNCTION %1$s.prune_outbox(xid8) FROM PUBLIC;
                    GRANT USAGE ON SCHEMA %1$s TO vigil_api, vigil_audit;
                    GRANT INSERT ON %1$s.outbox TO vigil_api;
                    GRANT SELECT ON %1$s.outbox TO vigil_audit;
                    GRANT EXECUTE ON FUNCTION %1$s.prune_outbox(xid8) TO vigil_audit;
                    """.formatted(schema)).update();
    }

    public DataSource connections(Role role) {
        return source(database.as(role));
    }

    public JdbcClient as(Role role) {
        return JdbcClient.create(connections(role));
    }

    public JdbcClient asSuperuser() {
        return JdbcClient.create(source(TestPostgres.superuser(database)));
    }

    public SequencerSettings settings() {
        return new SequencerSettings(
                signer,
                List.of("scheduler", "access", "gdpr", "audit"),
                SequencerSettings.Pace.DEFAULT,
                InstantSource.system());
    }

    /// A writer on a connection of its own.
    public LogWriter writer() throws SQLException {
        return new LogWriter(
                new SingleConnectionDataSource(connections(Role.AUDIT).getConnection(), true), settings());
    }

    /// Commits events into an outbox.
    public List<AuditEvent> emit(String schema, int count) {
        List<AuditEvent> events = events(count);
        insert(as(Role.API), schema, events);
        return events;
    }

    /// Commits one outbox row of events that are framed.
    public void insertFramed(String schema, List<byte[]> frames) {
        var row = new ByteArrayOutputStream();
        frames.forEach(row::writeBytes);
        insert(as(Role.API), schema, frames.size(), row.toByteArray());
    }

    /// A session of the API role whose transaction is open and has written events.
    public Connection emitUncommitted(String schema, List<AuditEvent> events) throws SQLException {
        Connection connection = connections(Role.API).getConnection();
        connection.setAutoCommit(false);
        insert(connection, schema, events);
        return connection;
    }

    public static List<AuditEvent> events(int count) {
        return IntStream.range(0, count)
                .mapToObj(i -> AuditEvent.of(
                                EventType.TASK_CREATED,
                                "create",
                                Result.SUCCESS,
                                InstantSource.system().instant())
                        .with("number", (long) i))
                .toList();
    }

    public static NoteSigner newSigner(String origin) {
        try {
            return new NoteSigner(
                    origin, KeyPairGenerator.getInstance("Ed25519").generateKeyPair());
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    /// Writes events over that connection.
    public static void insert(Connection connection, String schema, List<AuditEvent> events) {
        insert(JdbcClient.create(new SingleConnectionDataSource(connection, true)), schema, events);
    }

    private static void insert(JdbcClient db, String schema, List<AuditEvent> events) {
        insert(db, schema, events.size(), EventBatch.frame(events));
    }

    private static void insert(JdbcClient db, String schema, int n, byte[] events) {
        db.sql("INSERT INTO %s.outbox (n, events) VALUES (:n, :events)".formatted(schema))
                .param("n", n)
                .param("events", events)
                .update();
    }

    private static DataSource source(Credentials credentials) {
        var source = new PGSimpleDataSource();
        source.setUrl(credentials.url());
        source.setUser(credentials.username());
        source.setPassword(credentials.password());
        return source;
    }
}
