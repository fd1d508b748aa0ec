package dev.vigil.postgres;

/// The database roles of Vigil: one that owns and migrates, and one for each service that has a database.
public enum Role {
    /// Owns the database and every schema and runs the migrations; no service works under it.
    OWNER("vigil_owner"),
    /// scheduler-api.
    API("vigil_api"),
    /// scheduler-core.
    CORE("vigil_core"),
    /// audit-service.
    AUDIT("vigil_audit"),
    /// gdpr-service.
    GDPR("vigil_gdpr");

    private final String roleName;

    Role(String roleName) {
        this.roleName = roleName;
    }

    /// The role's name in PostgreSQL.
    public String roleName() {
        return roleName;
    }
}
