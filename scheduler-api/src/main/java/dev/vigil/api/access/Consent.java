package dev.vigil.api.access;

import java.util.List;

/// What a person granted to a program.
///
/// @param client the program's client_id
/// @param scopes labels, and `openid`
record Consent(String client, List<String> scopes) {
    Consent {
        scopes = List.copyOf(scopes);
    }
}
