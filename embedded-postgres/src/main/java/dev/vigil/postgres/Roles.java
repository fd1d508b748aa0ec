package dev.vigil.postgres;

import java.io.IOException;
import java.io.StringReader;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;
import java.util.Properties;
import java.util.function.Function;

/// Creates Vigil's roles and databases. Everything here may be run again and changes nothing then.
public final class Roles {
    /// The database of a platform.
    public static final String DATABASE = "vigil";

    private Roles() {}

    /// Creates the roles and the database `vigil` on an embedded server. Passwords are random, kept in a file of mode
    /// 0600 beside the cluster, and stay the same over restarts.
    ///
    /// @param passwordFile where they are kept
    public static Database bootstrap(EmbeddedPostgres server, Path passwordFile) {
        return bootstrap(server::superuser, passwordFile);
    }

    /// Does the same on any server.
    ///
    /// @param superuser    how a role that may create roles connects to the database of that name
    /// @param passwordFile where the passwords are kept
    public static Database bootstrap(Function<String, Credentials> superuser, Path passwordFile) {
        return bootstrap(superuser, DATABASE, passwordFile);
    }

    /// Does the same in a database of another name, which becomes `vigil_owner`'s. One server has one Vigil: roles are
    /// the server's, and get the passwords of this file.
    ///
    /// @param superuser    how a role that may create roles connects to the database of that name
    /// @param name         of the database; made where it is absent. Letters, digits and `_`, not a digit first
    /// @param passwordFile where the passwords are kept
    public static Database bootstrap(Function<String, Credentials> superuser, String name, Path passwordFile) {
        if (!name.matches("[a-z_][a-z0-9_]{0,62}")) {
            throw new IllegalArgumentException(
                    "the database is \"" + name + "\"; use lower-case letters, digits and _, not a digit first");
        }
        try {
            Map<Role, String> passwords = passwords(passwordFile);
            try (Connection connection = superuser.apply("postgres").connect()) {
                create(connection, passwords);
                createDatabase(connection, name);
            }
            try (Connection connection = superuser.apply(name).connect()) {
                closeToStrangers(connection, name);
            }
            return new Database(superuser.apply(name).url(), passwords);
        } catch (IOException failure) {
            throw new UncheckedIOException("role passwords not kept in " + passwordFile, failure);
        } catch (SQLException failure) {
            throw new PostgresStartException("roles of Vigil not created: " + failure.getMessage(), failure);
        }
    }

    /// Creates or corrects the roles of a cluster, with these passwords.
    ///
    /// @param superuser a connection that may create roles
    public static void create(Connection superuser, Map<Role, String> passwords) throws SQLException {
        try (Statement statement = superuser.createStatement()) {
            for (Role role : Role.values()) {
                if (!exists(superuser, "SELECT FROM pg_roles WHERE rolname = ?", role.roleName())) {
                    statement.execute("CREATE ROLE " + role.roleName());
                }
                statement.execute("ALTER ROLE " + role.roleName()
                        + " LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS");
                if (role != Role.OWNER) {
                    // A stopped service must not hold back the readers of commit order or a shard's next owner.
                    statement.execute(
                            "ALTER ROLE " + role.roleName() + " SET idle_in_transaction_session_timeout = '3s'");
                    statement.execute("ALTER ROLE " + role.roleName() + " SET transaction_timeout = '30s'");
                }
                statement.execute("ALTER ROLE " + role.roleName() + " SET jit = off");
            }
        }
        for (Map.Entry<Role, String> entry : passwords.entrySet()) {
            setPassword(superuser, entry.getKey().roleName(), entry.getValue());
        }
    }

    private static void setPassword(Connection superuser, String role, String password) throws SQLException {
        try (var quote = superuser.prepareStatement("SELECT format('ALTER ROLE %I PASSWORD %L', ?, ?)");
                Statement statement = superuser.createStatement()) {
            quote.setString(1, role);
            quote.setString(2, password);
            try (ResultSet quoted = quote.executeQuery()) {
                quoted.next();
                statement.execute(quoted.getString(1));
            }
        }
    }

    /// Creates an empty database owned by `vigil_owner`, or makes one that is there his.
    static void createDatabase(Connection superuser, String name) throws SQLException {
        boolean present = exists(superuser, "SELECT FROM pg_database WHERE datname = ?", name);
        try (Statement statement = superuser.createStatement()) {
            if (present) {
                statement.execute("ALTER DATABASE " + name + " OWNER TO " + Role.OWNER.roleName());
                return;
            }
            statement.execute("CREATE DATABASE " + name + " OWNER " + Role.OWNER.roleName() + " TEMPLATE template0");
        }
    }

    /// Only Vigil's roles may connect, and only to its database; nobody creates temporary tables.
    ///
    /// @param superuser a connection to that database
    static void closeToStrangers(Connection superuser, String database) throws SQLException {
        try (Statement statement = superuser.createStatement()) {
            statement.execute("REVOKE ALL ON DATABASE postgres, template1, " + database + " FROM PUBLIC");
            statement.execute("REVOKE ALL ON SCHEMA public FROM PUBLIC");
            for (Role role : Role.values()) {
                statement.execute("GRANT CONNECT ON DATABASE " + database + " TO " + role.roleName());
            }
        }
    }

    private static boolean exists(Connection connection, String query, String name) throws SQLException {
        try (var statement = connection.prepareStatement(query)) {
            statement.setString(1, name);
            try (ResultSet rows = statement.executeQuery()) {
                return rows.next();
            }
        }
    }

    private static Map<Role, String> passwords(Path file) throws IOException {
        var kept = new Properties();
        if (Files.exists(file)) {
            kept.load(new StringReader(Files.readString(file)));
        }
        var passwords = new EnumMap<Role, String>(Role.class);
        var text = new StringBuilder("# Passwords of Vigil's database roles. Made once, read at every start.\n");
        for (Role role : Role.values()) {
            String key = role.name().toLowerCase(Locale.ROOT);
            passwords.put(role, kept.getProperty(key, EmbeddedPostgres.newPassword()));
            text.append(key).append('=').append(passwords.get(role)).append('\n');
        }
        if (kept.size() < passwords.size()) {
            Folders.writePrivate(file, text.toString());
        }
        return passwords;
    }
}
