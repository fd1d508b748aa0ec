package dev.vigil.postgres;

import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;

/// What it takes to connect as one role to one database.
///
/// @param url      JDBC address
/// @param username the role's name
/// @param password never printed
public record Credentials(String url, String username, String password) {
    /// A new connection; the caller closes it.
    public Connection connect() throws SQLException {
        return DriverManager.getConnection(url, username, password);
    }

    @Override
    public String toString() {
        return username + "@" + url;
    }
}
