package dev.vigil.api.access;

import com.nimbusds.jose.jwk.JWKMatcher;
import com.nimbusds.jose.jwk.JWKSelector;
import com.nimbusds.jose.jwk.JWKSet;
import com.nimbusds.jose.proc.SimpleSecurityContext;
import dev.vigil.api.web.Answer;
import dev.vigil.api.web.Call;
import dev.vigil.api.web.Code;
import dev.vigil.api.web.ProblemException;
import dev.vigil.api.web.Route;
import dev.vigil.api.web.Routes;
import java.util.List;

/// The keys that sign tokens, once more on the worker port: there a service knows by TLS that they are this API's.
/// Plain HTTP on a network of containers does not tell.
final class ServiceKeys implements Routes {
    private final SigningKeys keys;

    ServiceKeys(SigningKeys keys) {
        this.keys = keys;
    }

    @Override
    public List<Route> all() {
        return List.of(Route.get("/internal/v1/jwks", "getServiceJwks")
                .about("Internal", "The keys that sign tokens, for the services that check them")
                .certificate()
                .answers(200, "Jwks")
                .handler(this::jwks));
    }

    // Public keys: which certificate asks does not matter.
    private Answer jwks(Call call) {
        if (call.certificate().isEmpty()) {
            throw new ProblemException(
                    Code.CERTIFICATE_REQUIRED, "This call needs the certificate of an enrolled service.");
        }
        var all = new JWKSelector(new JWKMatcher.Builder().build());
        return Answer.json(200, new JWKSet(keys.get(all, new SimpleSecurityContext())).toJSONObject(true));
    }
}
