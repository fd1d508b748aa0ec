package dev.vigil.audit.query;

import java.util.Set;
import java.util.UUID;

/// Who asks, as a verified token says.
///
/// @param user   the person or service account
/// @param role   such as `auditor`
/// @param scopes what the token was issued for
record Reader(UUID user, String role, Set<String> scopes) {
    Reader {
        scopes = Set.copyOf(scopes);
    }
}
