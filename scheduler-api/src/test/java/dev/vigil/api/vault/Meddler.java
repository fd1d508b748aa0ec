package dev.vigil.api.vault;

import dev.vigil.postgres.Database;
import dev.vigil.postgres.TestPostgres;
import java.sql.SQLException;

/// What somebody with all rights on the database could do.
final class Meddler {
    private Meddler() {}

    static int run(Database database, String sql) {
        try (var connection = TestPostgres.superuser(database).connect();
                var statement = connection.createStatement()) {
            return statement.executeUpdate(sql);
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }
}
