package dev.vigil.api.access;

import dev.vigil.api.web.Caller.Permissions;
import dev.vigil.api.web.Role;
import jakarta.persistence.Column;
import jakarta.persistence.Entity;
import jakarta.persistence.Id;
import jakarta.persistence.Table;
import jakarta.persistence.Version;
import java.time.Instant;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/// A row of `access.principal`: a person or a service account.
@Entity
@Table(schema = "access", name = "principal")
class User {
    @Id
    UUID id = new UUID(0, 0);

    String kind = "user";
    String username = "";

    @Nullable String password;

    String role = "";
    int namespace;
    boolean enabled = true;

    @Column(name = "allowed_task_types")
    String @Nullable [] allowedTaskTypes;

    @Column(name = "allowed_priorities")
    String @Nullable [] allowedPriorities;

    @Column(name = "allowed_handlers")
    String @Nullable [] allowedHandlers;

    @Column(name = "max_tasks")
    @Nullable Integer maxTasks;

    @Column(name = "max_concurrent_executions")
    @Nullable Integer maxConcurrentExecutions;

    @Column(name = "requests_per_minute")
    @Nullable Integer requestsPerMinute;

    @Version
    @Nullable Integer version;

    @Column(name = "created_at")
    Instant createdAt = Instant.EPOCH;

    @Column(name = "deleted_at")
    @Nullable Instant deletedAt;

    byte[] mac = new byte[0];

    /// For the mapper.
    protected User() {}

    User(UUID id, String kind, String username, Instant createdAt) {
        this.id = id;
        this.kind = kind;
        this.username = username;
        this.createdAt = createdAt;
    }

    /// Whether he may sign in and call.
    boolean isActive() {
        return enabled && deletedAt == null;
    }

    Role role() {
        return Role.of(role).orElseThrow(() -> new IllegalStateException("principal " + id + " has role " + role));
    }

    Permissions permissions() {
        return new Permissions(
                set(allowedTaskTypes), set(allowedPriorities), set(allowedHandlers), maxTasks, maxConcurrentExecutions);
    }

    void permissions(Permissions permissions) {
        allowedTaskTypes = array(permissions.allowedTaskTypes());
        allowedPriorities = array(permissions.allowedPriorities());
        allowedHandlers = array(permissions.allowedHandlers());
        maxTasks = permissions.maxTasks();
        maxConcurrentExecutions = permissions.maxConcurrentExecutions();
    }

    /// What the row's HMAC covers: everything that confers power.
    byte[] powers() {
        return RowSigner.bytes(
                id,
                kind,
                username,
                password,
                role,
                namespace,
                enabled,
                listed(allowedTaskTypes),
                listed(allowedPriorities),
                listed(allowedHandlers),
                maxTasks,
                maxConcurrentExecutions,
                requestsPerMinute,
                deletedAt != null);
    }

    private static @Nullable String listed(String @Nullable [] values) {
        return values == null ? null : List.of(values).toString();
    }

    private static @Nullable Set<String> set(String @Nullable [] values) {
        return values == null ? null : new TreeSet<>(List.of(values));
    }

    private static String @Nullable [] array(@Nullable Set<String> values) {
        return values == null ? null : new TreeSet<>(values).toArray(String[]::new);
    }
}
