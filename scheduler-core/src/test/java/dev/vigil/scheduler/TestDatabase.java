package dev.vigil.scheduler;

import dev.vigil.postgres.Credentials;
import dev.vigil.postgres.Database;
import dev.vigil.postgres.Role;
import dev.vigil.postgres.TestPostgres;
import dev.vigil.scheduler.task.Tasks;
import java.time.InstantSource;
import javax.sql.DataSource;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.jdbc.datasource.DataSourceTransactionManager;
import org.springframework.jdbc.datasource.DriverManagerDataSource;

/// A migrated database of a test class.
public final class TestDatabase {
    private final Database database = TestPostgres.freshDatabase();

    public TestDatabase() {
        SchedulerSchema.migrate(source(Role.OWNER), SchedulerSchema.SHARDS);
    }

    /// Connects anew for each statement.
    public DataSource source(Role role) {
        return source(database.as(role));
    }

    /// Sees and may do everything.
    public JdbcClient superuser() {
        return JdbcClient.create(source(TestPostgres.superuser(database)));
    }

    public JdbcClient as(Role role) {
        return JdbcClient.create(source(role));
    }

    public Database database() {
        return database;
    }

    /// Tasks as the API creates them.
    public Tasks tasks() {
        DataSource api = source(Role.API);
        return new Tasks(
                JdbcClient.create(api), new DataSourceTransactionManager(api), InstantSource.system(), hints -> {});
    }

    private static DataSource source(Credentials credentials) {
        return new DriverManagerDataSource(credentials.url(), credentials.username(), credentials.password());
    }
}
