package dev.vigil.gdpr;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

/// What the role `vigil_gdpr` may do in the database, and what not.
class RightsTest {
    private final Office office = Office.shared();

    @Test
    void it_writes_its_own_tables_and_nothing_else() {
        assertThat(rights("gdpr.request")).containsExactly("INSERT", "SELECT", "UPDATE");
        assertThat(rights("gdpr.export_chunk")).containsExactly("DELETE", "INSERT", "SELECT");
        assertThat(rights("gdpr.idempotency")).containsExactly("DELETE", "INSERT", "SELECT");
        assertThat(rights("gdpr.outbox")).as("what it told is out of its hands").containsExactly("INSERT");
    }

    @Test
    void it_reaches_no_other_schema() {
        for (String schema : List.of("scheduler", "access", "vault", "audit")) {
            assertThat(office.query(
                            "SELECT has_schema_privilege('vigil_gdpr', '" + schema + "', 'USAGE')", Boolean.class))
                    .as(schema)
                    .isFalse();
        }
        assertThat(office.query("SELECT has_schema_privilege('vigil_gdpr', 'gdpr', 'CREATE')", Boolean.class))
                .isFalse();
        assertThat(office.query(
                        "SELECT rolsuper OR rolcreatedb OR rolcreaterole OR rolbypassrls FROM pg_roles"
                                + " WHERE rolname = 'vigil_gdpr'",
                        Boolean.class))
                .isFalse();
    }

    @Test
    void nobody_else_writes_its_tables() {
        for (String role : List.of("vigil_api", "vigil_core", "vigil_audit")) {
            assertThat(office.query(
                            "SELECT has_table_privilege('%s', 'gdpr.request', 'SELECT,INSERT,UPDATE,DELETE')"
                                    .formatted(role),
                            Boolean.class))
                    .as(role)
                    .isFalse();
        }
    }

    private List<String> rights(String table) {
        return List.of("DELETE", "INSERT", "REFERENCES", "SELECT", "TRIGGER", "TRUNCATE", "UPDATE").stream()
                .filter(right -> office.query(
                        "SELECT has_table_privilege('vigil_gdpr', '%s', '%s')".formatted(table, right), Boolean.class))
                .toList();
    }
}
