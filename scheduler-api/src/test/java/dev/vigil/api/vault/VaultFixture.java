package dev.vigil.api.vault;

import dev.vigil.api.web.Outbox;
import dev.vigil.postgres.Credentials;
import dev.vigil.postgres.Database;
import dev.vigil.postgres.Role;
import dev.vigil.postgres.TestPostgres;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import org.flywaydb.core.Flyway;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.jdbc.datasource.DriverManagerDataSource;
import org.springframework.jdbc.support.JdbcTransactionManager;
import org.springframework.transaction.support.TransactionTemplate;

/// An empty database with the vault's schemas, a root key and a clock that the test owns.
final class VaultFixture {
    final Database database = TestPostgres.freshDatabase();
    final JdbcClient db;
    final JdbcTransactionManager transactions;
    private final Path rootKey;
    private Instant now = Instant.parse("2026-11-21T12:00:00Z");
    final InstantSource time = () -> now;

    VaultFixture(Path folder) {
        rootKey = folder.resolve("root.key");
        for (String schema : List.of("access", "vault")) {
            Credentials owner = database.as(Role.OWNER);
            Flyway.configure()
                    .dataSource(owner.url(), owner.username(), owner.password())
                    .schemas(schema)
                    .locations("classpath:db/migration/" + schema)
                    .load()
                    .migrate();
        }
        Credentials api = database.as(Role.API);
        var source = new DriverManagerDataSource(api.url(), api.username(), api.password());
        db = JdbcClient.create(source);
        transactions = new JdbcTransactionManager(source);
    }

    void passes(Duration duration) {
        now = now.plus(duration);
    }

    VaultStore store() {
        return new VaultStore(
                db, new TransactionTemplate(transactions), new VaultEvents(new Outbox(db), transactions, time), time);
    }

    RootKeys roots() {
        return RootKeyRing.open(rootKey, true);
    }

    MasterKeys masters() {
        return new MasterKeys(store(), roots());
    }

    /// A node of the API: caches of its own over the same database.
    Node node(long sealsPerKey) {
        MasterKeys masters = masters();
        var keys = new DataKeys(store(), masters, sealsPerKey);
        var subjects = new SubjectIndex(masters);
        var rows = new RowSealer(keys, store());
        var references = new References(
                new Handlers(store(), new VaultKeys(masters), List.of()),
                new Secrets(store(), rows),
                new PiiTokens(store(), subjects, rows),
                rows);
        return new Node(keys, subjects, new PayloadSealer(keys, subjects, references, store()));
    }

    Node node() {
        return node(1 << 30);
    }

    record Node(DataKeys keys, SubjectIndex subjects, PayloadSealer sealer) {}

    /// The canonical text of every event so far, oldest first.
    List<String> events() {
        return Outboxes.events(database);
    }

    /// Runs a statement as the superuser: what a thief of the database could do.
    int meddle(String sql) {
        return Meddler.run(database, sql);
    }
}
