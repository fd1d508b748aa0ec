package dev.vigil.postgres;

import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.Map;

/// One database of Vigil and the passwords of its roles.
///
/// @param url       JDBC address
/// @param passwords of every role
public record Database(String url, Map<Role, String> passwords) {
    public Database {
        passwords = Map.copyOf(new EnumMap<>(passwords));
        if (passwords.size() != Role.values().length) {
            throw new IllegalArgumentException("passwords of " + passwords.keySet() + " given; each role needs one");
        }
    }

    /// How one role connects.
    public Credentials as(Role role) {
        String password = passwords.get(role);
        if (password == null) {
            throw new IllegalStateException("no password of " + role);
        }
        return new Credentials(url, role.roleName(), password);
    }

    /// The `vigil.database.*` settings of a service that works as this role and migrates its schema at start.
    public Map<String, Object> settings(Role role) {
        var settings = new LinkedHashMap<String, Object>();
        settings.put("vigil.database.url", url);
        settings.put("vigil.database.username", role.roleName());
        settings.put("vigil.database.password", as(role).password());
        settings.put("vigil.database.migration.username", Role.OWNER.roleName());
        settings.put("vigil.database.migration.password", as(Role.OWNER).password());
        return settings;
    }

    @Override
    public String toString() {
        return url;
    }
}
