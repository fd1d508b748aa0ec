package dev.vigil.api.access;

import dev.vigil.api.web.Access;
import dev.vigil.api.web.Answer;
import dev.vigil.api.web.Call;
import dev.vigil.api.web.Problem;
import dev.vigil.api.web.ProblemException;
import dev.vigil.api.web.Route;
import dev.vigil.api.web.Routes;
import dev.vigil.api.web.Scope;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/// What a client finds out by itself: where the endpoints are and what they can do. Names only what is served. The
/// OAuth2 endpoints are in the table too, for OpenAPI and for the right 405; the chain in front of it answers them.
final class DiscoveryRoutes implements Routes {
    private static final List<String> PROGRAM_METHODS = List.of("client_secret_basic", "client_secret_post", "none");
    private static final List<String> CLIENT_METHODS = List.of("client_secret_basic", "client_secret_post");

    private final String issuer;

    DiscoveryRoutes(AccessSettings settings) {
        this.issuer = settings.issuer();
    }

    @Override
    public List<Route> all() {
        return List.of(
                Route.get("/.well-known/openid-configuration", "getOpenIdConfiguration")
                        .about("OAuth2", "Where the endpoints are")
                        .open(Access.Limit.NONE)
                        .answers(200, "Discovery")
                        .handler(this::metadata),
                Route.get("/.well-known/oauth-authorization-server", "getAuthorizationServerMetadata")
                        .about("OAuth2", "The same by RFC 8414")
                        .open(Access.Limit.NONE)
                        .answers(200, "Discovery")
                        .handler(this::metadata),
                endpoint(Route.post("/oauth2/token", "issueToken").about("OAuth2", "Get an access token"))
                        .body("TokenRequest")
                        .answers(200, "ClientTokenAnswer")
                        .handler(DiscoveryRoutes::elsewhere),
                endpoint(Route.post("/oauth2/introspect", "introspectToken").about("OAuth2", "Ask about an own token"))
                        .body("TokenForm")
                        .answers(200, "Introspection")
                        .handler(DiscoveryRoutes::elsewhere),
                endpoint(Route.post("/oauth2/revoke", "revokeToken").about("OAuth2", "End an own token"))
                        .body("TokenForm")
                        .answers(200, "")
                        .handler(DiscoveryRoutes::elsewhere),
                Route.get("/oauth2/jwks", "getJwks")
                        .about("OAuth2", "The keys that sign tokens")
                        .open(Access.Limit.NONE)
                        .answers(200, "Jwks")
                        .handler(DiscoveryRoutes::elsewhere));
    }

    private static Route.Draft endpoint(Route.Draft route) {
        return route.open(Access.Limit.FAILURES);
    }

    private static Answer elsewhere(Call call) {
        throw new ProblemException(Problem.notFound());
    }

    private Answer metadata(Call call) {
        Map<String, Object> body = new LinkedHashMap<>();
        body.put("issuer", issuer);
        body.put("authorization_endpoint", issuer + BrowserSession.PATH);
        body.put("token_endpoint", issuer + "/oauth2/token");
        body.put("userinfo_endpoint", issuer + "/userinfo");
        body.put("jwks_uri", issuer + "/oauth2/jwks");
        body.put("introspection_endpoint", issuer + "/oauth2/introspect");
        body.put("revocation_endpoint", issuer + "/oauth2/revoke");
        body.put("grant_types_supported", List.of("client_credentials", "authorization_code", "refresh_token"));
        body.put("response_types_supported", List.of("code"));
        body.put("response_modes_supported", List.of("query"));
        body.put("code_challenge_methods_supported", List.of("S256"));
        body.put("authorization_response_iss_parameter_supported", true);
        body.put("request_uri_parameter_supported", false);
        body.put(
                "claims_supported",
                List.of("sub", "iss", "aud", "exp", "iat", "auth_time", "nonce", "sid", "preferred_username"));
        body.put("subject_types_supported", List.of("public"));
        body.put("id_token_signing_alg_values_supported", List.of("RS256"));
        body.put("token_endpoint_auth_methods_supported", PROGRAM_METHODS);
        body.put("introspection_endpoint_auth_methods_supported", CLIENT_METHODS);
        body.put("revocation_endpoint_auth_methods_supported", PROGRAM_METHODS);
        body.put(
                "scopes_supported",
                Stream.concat(
                                Stream.of(AuthorizationRequest.OPENID),
                                Arrays.stream(Scope.values()).map(Scope::label))
                        .toList());
        return Answer.json(200, body);
    }
}
