package dev.vigil.platform;

import dev.vigil.postgres.Credentials;
import dev.vigil.postgres.Database;
import dev.vigil.postgres.Roles;
import java.nio.file.Path;
import java.util.Map;

/// A PostgreSQL that somebody else runs, as psql's environment variables name it, and the database there that is
/// Vigil's.
///
/// @param host     name or address
/// @param port     TCP
/// @param database its name; made where it is absent
/// @param user     a superuser
/// @param password never printed; empty where the server trusts everybody
record OtherServer(String host, int port, String database, String user, String password) {
    private static final String USUAL_PORT = "5432";

    /// Reads `PGHOST`, `PGPORT`, `PGUSER` and `PGPASSWORD`.
    ///
    /// @throws IllegalArgumentException when the port is no number
    static OtherServer of(Map<String, String> environment, String database) {
        String port = environment.getOrDefault("PGPORT", USUAL_PORT);
        try {
            return new OtherServer(
                    environment.getOrDefault("PGHOST", "127.0.0.1"),
                    Integer.parseInt(port),
                    database,
                    environment.getOrDefault("PGUSER", "postgres"),
                    environment.getOrDefault("PGPASSWORD", ""));
        } catch (NumberFormatException noNumber) {
            throw new IllegalArgumentException("PGPORT is " + port + "; use a whole number", noNumber);
        }
    }

    /// Makes roles and database.
    ///
    /// @param passwordFile where the passwords of the roles are kept
    Database prepare(Path passwordFile) {
        return Roles.bootstrap(
                name -> new Credentials("jdbc:postgresql://" + host + ":" + port + "/" + name, user, password),
                database,
                passwordFile);
    }

    @Override
    public String toString() {
        return host + ":" + port + "/" + database;
    }
}
