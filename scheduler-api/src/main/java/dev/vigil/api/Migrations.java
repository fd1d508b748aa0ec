package dev.vigil.api;

import dev.vigil.scheduler.SchedulerSchema;
import java.util.List;
import org.flywaydb.core.Flyway;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.jdbc.datasource.DriverManagerDataSource;

/// Brings the schemas that this service works with to the version of this build, or refuses to start without them.
public final class Migrations {
    private static final List<String> OWN = List.of("access", "vault");

    private Migrations() {}

    /// Migrates as the owner when its login is given, and checks otherwise.
    static void run(ApiSettings.Database settings, JdbcClient db) {
        ApiSettings.Login owner = settings.migration();
        if (owner == null) {
            requireSchemas(db);
            return;
        }
        migrate(settings.url(), owner.username(), owner.password());
    }

    /// Brings the schemas up to date.
    ///
    /// @param url      JDBC address
    /// @param username the owner of the schemas, not the service's own role
    /// @param password the owner's
    public static void migrate(String url, String username, String password) {
        var migrator = new DriverManagerDataSource(url, username, password);
        SchedulerSchema.migrate(migrator, SchedulerSchema.SHARDS);
        for (String schema : OWN) {
            Flyway.configure(Migrations.class.getClassLoader())
                    .dataSource(migrator)
                    .schemas(schema)
                    .locations("classpath:db/migration/" + schema)
                    .load()
                    .migrate();
        }
    }

    private static void requireSchemas(JdbcClient db) {
        for (String schema : List.of("scheduler", "access", "vault")) {
            if (!exists(db, schema)) {
                throw new IllegalStateException("schema " + schema + " is missing in the database; "
                        + "set vigil.database.migration.username and .password once, so that it is made");
            }
        }
    }

    private static boolean exists(JdbcClient db, String schema) {
        return db.sql("""
                        SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = :schema)
                        """).param("schema", schema).query(Boolean.class).single();
    }
}
