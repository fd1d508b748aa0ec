package dev.vigil.api.vault;

import dev.vigil.postgres.Database;
import dev.vigil.postgres.Role;
import dev.vigil.protocol.audit.EventBatch;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.jdbc.datasource.DriverManagerDataSource;

/// What the audit-service would find.
final class Outboxes {
    private Outboxes() {}

    /// The canonical text of every event so far, oldest first.
    static List<String> events(Database database) {
        return JdbcClient.create(new DriverManagerDataSource(
                        database.url(), "vigil_audit", database.as(Role.AUDIT).password()))
                .sql("SELECT events FROM access.outbox ORDER BY id")
                .query(byte[].class)
                .list()
                .stream()
                .flatMap(row -> EventBatch.split(row).stream())
                .map(bytes -> new String(bytes, StandardCharsets.UTF_8))
                .toList();
    }
}
