package dev.vigil.api.access;

import dev.vigil.api.web.Scope;
import java.net.URLDecoder;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/// What a program asks a person for, by the query of `/oauth2/authorize`: the authorization code flow of RFC 6749 with
/// PKCE (RFC 7636) by S256 and nothing else.
///
/// @param client      who asks
/// @param redirectUri where the answer goes
/// @param scopes      what for: labels, and `openid`
/// @param challenge   SHA-256 of the verifier that the code is traded with, in base64url
/// @param texts       what is handed through
record AuthorizationRequest(
        PublicClients.PublicClient client, String redirectUri, List<String> scopes, String challenge, Texts texts) {
    /// Asks for an id token.
    static final String OPENID = "openid";

    private static final int TEXT_LENGTH_MAX = 512;
    private static final int QUERY_LENGTH_MAX = 4096;

    AuthorizationRequest {
        scopes = List.copyOf(scopes);
    }

    /// What is handed through, or changes how the person is asked.
    ///
    /// @param state  comes back with the answer; empty for none
    /// @param nonce  comes back in the id token; empty for none
    /// @param prompt `login`, `consent`, `none`, or empty
    /// @param maxAge seconds since the person signed in, at most; null for any
    record Texts(
            String state,
            String nonce,
            String prompt,
            @Nullable Integer maxAge) {}

    /// What a query is.
    sealed interface Parsed {
        /// A request that can be put to a person.
        record Askable(AuthorizationRequest request) implements Parsed {}

        /// A request of a known program that is told why not.
        record Refused(String redirect) implements Parsed {}

        /// A request that must not be answered to where it says: nobody knows whose address that is.
        record Untrusted(String detail) implements Parsed {}
    }

    /// Reads a query.
    ///
    /// @param issuer stands in answers, so that a client of several servers knows whose answer it is (RFC 9207)
    static Parsed parse(String query, PublicClients clients, String issuer) {
        Map<String, String> given =
                query.length() > QUERY_LENGTH_MAX ? null : parameters(query).orElse(null);
        if (given == null) {
            return new Parsed.Untrusted("A parameter is given twice, or is no UTF-8, or the query is too long.");
        }
        PublicClients.PublicClient client =
                clients.find(given.getOrDefault("client_id", "")).orElse(null);
        if (client == null) {
            return new Parsed.Untrusted("The client_id is unknown; register the program in vigil.public-clients.");
        }
        String redirect = given.getOrDefault("redirect_uri", "");
        if (!client.redirectUris().contains(redirect)) {
            return new Parsed.Untrusted(
                    "The redirect_uri is none of this client's; it must be exactly one that is registered.");
        }
        String state = given.getOrDefault("state", "");
        String fault = fault(given);
        if (fault != null) {
            return new Parsed.Refused(
                    redirect(redirect, issuer, Map.of("error", fault, "state", printable(state) ? state : "")));
        }
        String asked = given.getOrDefault("scope", "");
        List<String> scopes = asked.isBlank()
                ? Arrays.stream(Scope.values()).map(Scope::label).toList()
                : List.copyOf(new TreeSet<>(List.of(asked.strip().split(" +"))));
        String maxAge = given.get("max_age");
        var texts = new Texts(
                state,
                given.getOrDefault("nonce", ""),
                given.getOrDefault("prompt", ""),
                maxAge == null ? null : Integer.valueOf(maxAge));
        return new Parsed.Askable(
                new AuthorizationRequest(client, redirect, scopes, given.getOrDefault("code_challenge", ""), texts));
    }

    /// The error of a request, by RFC 6749 section 4.1.2.1; null when it has none.
    private static @Nullable String fault(Map<String, String> given) {
        if (given.containsKey("request")) {
            return "request_not_supported";
        }
        if (given.containsKey("request_uri")) {
            return "request_uri_not_supported";
        }
        if (!given.getOrDefault("response_type", "").equals("code")) {
            return "unsupported_response_type";
        }
        boolean readable = given.getOrDefault("response_mode", "query").equals("query")
                && given.getOrDefault("code_challenge_method", "").equals("S256")
                && given.getOrDefault("code_challenge", "").matches("[A-Za-z0-9_-]{43}")
                && printable(given.getOrDefault("state", ""))
                && printable(given.getOrDefault("nonce", ""))
                && given.getOrDefault("max_age", "0").matches("[0-9]{1,8}")
                && given.getOrDefault("prompt", "").matches("|login|consent|none");
        if (!readable) {
            return "invalid_request";
        }
        boolean known = Arrays.stream(given.getOrDefault("scope", "").strip().split(" +"))
                .allMatch(label -> label.isEmpty()
                        || label.equals(OPENID)
                        || Scope.of(label).isPresent());
        if (!known) {
            return "invalid_scope";
        }
        // Every sign-in asks for consent, which nobody can give without a page.
        return given.getOrDefault("prompt", "").equals("none") ? "interaction_required" : null;
    }

    /// Where the person goes with an answer.
    static String redirect(String uri, String issuer, Map<String, String> answer) {
        var all = new LinkedHashMap<>(answer);
        all.put("iss", issuer);
        var target = new StringBuilder(uri);
        all.forEach((name, value) -> {
            if (!value.isEmpty()) {
                target.append(target.indexOf("?") < 0 ? '?' : '&')
                        .append(name)
                        .append('=')
                        .append(URLEncoder.encode(value, StandardCharsets.UTF_8));
            }
        });
        return target.toString();
    }

    /// The same, to the redirect URI of this request.
    String answer(String issuer, String name, String value) {
        return redirect(redirectUri, issuer, Map.of(name, value, "state", texts.state));
    }

    private static boolean printable(String text) {
        return text.length() <= TEXT_LENGTH_MAX && text.chars().allMatch(c -> c >= 0x20 && c < 0x7f);
    }

    /// The parameters of a query or form; empty when one is given twice or cannot be read.
    static Optional<Map<String, String>> parameters(String text) {
        var parameters = new LinkedHashMap<String, String>();
        try {
            for (String pair : text.split("&")) {
                int equals = pair.indexOf('=');
                String name = URLDecoder.decode(equals < 0 ? pair : pair.substring(0, equals), StandardCharsets.UTF_8);
                String value = equals < 0 ? "" : URLDecoder.decode(pair.substring(equals + 1), StandardCharsets.UTF_8);
                if (parameters.put(name, value) != null) {
                    return Optional.empty();
                }
            }
        } catch (IllegalArgumentException e) {
            return Optional.empty();
        }
        return Optional.of(parameters);
    }
}
