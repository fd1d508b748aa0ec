package dev.vigil.audit;

import org.flywaydb.core.Flyway;

/// The schema `audit` and its migrations.
public final class AuditSchema {
    private AuditSchema() {}

    /// Brings the schema up to date.
    ///
    /// @param url      JDBC address
    /// @param username the owner of the schemas, not the service's own role
    /// @param password the owner's
    public static void migrate(String url, String username, String password) {
        Flyway.configure()
                .dataSource(url, username, password)
                .schemas("audit")
                .defaultSchema("audit")
                .locations("classpath:db/migration/audit")
                .connectRetries(10)
                .load()
                .migrate();
    }
}
