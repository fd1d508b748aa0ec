package dev.vigil.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.EnumSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class RolesTest {
    private static final Database DATABASE = TestPostgres.freshDatabase();

    @ParameterizedTest
    @EnumSource(value = Role.class, mode = EnumSource.Mode.EXCLUDE, names = "OWNER")
    void a_service_connects_but_defines_nothing(Role service) throws SQLException {
        try (Connection connection = DATABASE.as(service).connect()) {
            assertThat(value(connection, "SELECT current_user")).isEqualTo(service.roleName());
            assertThat(value(connection, "SHOW idle_in_transaction_session_timeout"))
                    .isEqualTo("3s");
            assertThat(value(connection, "SHOW transaction_timeout")).isEqualTo("30s");
            refused(connection, "CREATE SCHEMA own", "permission denied for database");
            refused(connection, "CREATE TABLE public.own (n int)", "permission denied for schema public");
            refused(connection, "CREATE TEMPORARY TABLE own (n int)", "permission denied to create temporary tables");
            refused(connection, "CREATE ROLE own", "permission denied to create role");
            refused(connection, "SET ROLE vigil_owner", "permission denied to set role");
            refused(connection, "SELECT pg_read_file('/etc/passwd')", "permission denied for function");
        }
    }

    @ParameterizedTest
    @EnumSource(Role.class)
    void no_role_has_power_over_the_server(Role role) throws SQLException {
        try (Connection connection = DATABASE.as(role).connect()) {
            assertThat(value(connection, """
                            SELECT rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls
                              FROM pg_roles WHERE rolname = current_user
                            """)).isEqualTo("f");
        }
    }

    @Test
    void the_owner_creates_schemas_of_the_database() throws SQLException {
        try (Connection connection = DATABASE.as(Role.OWNER).connect();
                Statement statement = connection.createStatement()) {
            statement.execute("CREATE SCHEMA mine");
            statement.execute("CREATE TABLE mine.row (n int)");

            assertThat(value(connection, "SELECT count(*) FROM mine.row")).isEqualTo("0");
        }
    }

    @Test
    void a_role_reaches_neither_the_database_of_the_superuser_nor_another_roles_password() {
        String other = DATABASE.url().replaceFirst("/test_\\d+", "/postgres");
        Credentials core = DATABASE.as(Role.CORE);

        assertThatThrownBy(() -> new Credentials(other, core.username(), core.password())
                        .connect()
                        .close())
                .hasMessageContaining("permission denied for database \"postgres\"");
        assertThatThrownBy(() -> new Credentials(
                                DATABASE.url(),
                                core.username(),
                                DATABASE.as(Role.API).password())
                        .connect()
                        .close())
                .hasMessageContaining("password authentication failed");
    }

    @Test
    void each_fresh_database_is_empty_and_its_own() throws SQLException {
        Database other = TestPostgres.freshDatabase();

        assertThat(other.url()).isNotEqualTo(DATABASE.url());
        try (Connection connection = other.as(Role.OWNER).connect()) {
            assertThat(
                            value(
                                    connection,
                                    "SELECT count(*) FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"))
                    .isEqualTo("0");
        }
    }

    @Test
    void creating_the_roles_again_changes_nothing() throws SQLException {
        try (Connection connection = TestPostgres.superuser(DATABASE).connect()) {
            String before = roles(connection);

            Roles.create(connection, DATABASE.passwords());
            Roles.closeToStrangers(connection, value(connection, "SELECT current_database()"));

            assertThat(roles(connection)).isEqualTo(before);
        }
        for (Role role : EnumSet.allOf(Role.class)) {
            DATABASE.as(role).connect().close();
        }
    }

    @Test
    void settings_name_role_and_migration_owner() {
        assertThat(DATABASE.settings(Role.CORE))
                .containsEntry("vigil.database.url", DATABASE.url())
                .containsEntry("vigil.database.username", "vigil_core")
                .containsEntry("vigil.database.migration.username", "vigil_owner");
        assertThat(DATABASE.toString() + DATABASE.as(Role.CORE))
                .doesNotContain(DATABASE.as(Role.CORE).password());
    }

    private static String roles(Connection connection) throws SQLException {
        return value(connection, """
                SELECT string_agg(r::text || coalesce(s.setconfig::text, ''), ' ' ORDER BY r.rolname)
                  FROM pg_roles r LEFT JOIN pg_db_role_setting s ON s.setrole = r.oid AND s.setdatabase = 0
                 WHERE r.rolname LIKE 'vigil%'
                """);
    }

    private static void refused(Connection connection, String sql, String because) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            assertThatThrownBy(() -> statement.execute(sql))
                    .isInstanceOf(SQLException.class)
                    .hasMessageContaining(because);
        }
    }

    private static String value(Connection connection, String query) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(query)) {
            rows.next();
            return rows.getString(1);
        }
    }
}
