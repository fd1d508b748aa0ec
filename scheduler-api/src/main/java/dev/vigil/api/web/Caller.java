package dev.vigil.api.web;

import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/// Who calls, as the access tables know him now; a token's own claims are only the way to find him.
///
/// @param id                the user or service account, `usr_…` in public
/// @param username          for people; never in logs or audit events
/// @param role              what he may do
/// @param namespace         number of the namespace he lives in
/// @param namespaceName     its name
/// @param scopes            what his token was issued for
/// @param permissions       limits of his own
/// @param requestsPerMinute his rate
/// @param token             id (`jti`) of the token he showed, or of the key
/// @param session           id of the sign-in it stems from; null for service accounts and keys
/// @param key               the API key he showed; null when it was a token
public record Caller(
        UUID id,
        String username,
        Role role,
        int namespace,
        String namespaceName,
        Set<Scope> scopes,
        Permissions permissions,
        int requestsPerMinute,
        String token,
        @Nullable String session,
        @Nullable Key key) {
    public Caller {
        scopes = Set.copyOf(scopes);
    }

    /// Whether he sees every namespace.
    public boolean isAdmin() {
        return role == Role.ADMIN;
    }

    /// Whether he may make something run in a namespace, or keep it from running. A test key runs nothing outside of
    /// its owner's namespace, and there only when that is a sandbox.
    public boolean mayRunIn(int wanted) {
        return key == null || !key.test || (key.sandbox && wanted == namespace);
    }

    /// An API key.
    ///
    /// @param id      `key_…` in public
    /// @param test    `sk_test_…`
    /// @param sandbox whether its owner lives in a sandbox namespace
    public record Key(UUID id, boolean test, boolean sandbox) {}

    /// What a user may create. An absent list allows all, an empty one none; an absent number is no limit.
    ///
    /// @param allowedTaskTypes        such as `cron`
    /// @param allowedPriorities       such as `low`
    /// @param allowedHandlers         names, or prefixes with a star at the end such as `backup.*`
    /// @param maxTasks                tasks that are neither finished nor deleted
    /// @param maxConcurrentExecutions executions that run at once
    public record Permissions(
            @Nullable Set<String> allowedTaskTypes,
            @Nullable Set<String> allowedPriorities,
            @Nullable Set<String> allowedHandlers,
            @Nullable Integer maxTasks,
            @Nullable Integer maxConcurrentExecutions) {
        /// No limit of his own.
        public static final Permissions ALL = new Permissions(null, null, null, null, null);
    }
}
