package dev.vigil.gdpr;

import org.flywaydb.core.Flyway;
import org.springframework.jdbc.core.simple.JdbcClient;

/// The schema `gdpr` and its migrations.
public final class GdprSchema {
    private GdprSchema() {}

    /// Brings the schema up to date.
    ///
    /// @param url      JDBC address
    /// @param username the owner of the schemas, not the service's own role
    /// @param password the owner's
    public static void migrate(String url, String username, String password) {
        Flyway.configure(GdprSchema.class.getClassLoader())
                .dataSource(url, username, password)
                .schemas("gdpr")
                .locations("classpath:db/migration/gdpr")
                .connectRetries(10)
                .load()
                .migrate();
    }

    /// Checks that somebody else migrated.
    static void require(JdbcClient db) {
        boolean there = db.sql("SELECT to_regclass('gdpr.request') IS NOT NULL")
                .query(Boolean.class)
                .single();
        if (!there) {
            throw new IllegalStateException("the schema gdpr is not in this database; start once with"
                    + " vigil.database.migration.username and .password of its owner");
        }
    }
}
