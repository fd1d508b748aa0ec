package dev.vigil.api.access;

import dev.vigil.api.web.Access;
import dev.vigil.api.web.Answer;
import dev.vigil.api.web.Call;
import dev.vigil.api.web.Code;
import dev.vigil.api.web.ProblemException;
import dev.vigil.api.web.Route;
import dev.vigil.api.web.Routes;
import java.util.List;
import java.util.Map;

/// Whether the token that a call shows still stands, for services that check tokens by the keys beside it: a signature
/// does not tell that somebody signed out. Read from the tables each time, never from memory. Whoever holds the token
/// may ask, and learns no more than `/api/v1/me` tells him.
final class StandingRoutes implements Routes {
    private static final String BEARER = "Bearer ";

    private final Tokens tokens;

    StandingRoutes(Tokens tokens) {
        this.tokens = tokens;
    }

    @Override
    public List<Route> all() {
        return List.of(
                Route.get("/oauth2/standing", "getTokenStanding")
                        .about("OAuth2", "Whether the token of this call stands, for services that check tokens")
                        .open(Access.Limit.NONE)
                        .answers(200, "Standing")
                        .handler(this::standing),
                Route.get("/internal/v1/standing", "getServiceTokenStanding")
                        .about("Internal", "Whether the token of this call stands, for the services that check them")
                        .certificate()
                        .answers(200, "Standing")
                        .handler(this::standing));
    }

    // Only what this service signed costs a look into the tables, so strangers need no limit of their own here.
    private Answer standing(Call call) {
        String header = call.header("Authorization")
                .orElseThrow(() -> new ProblemException(
                        Code.UNAUTHENTICATED, "This call is about its token; send Authorization: Bearer and it."));
        if (!header.regionMatches(true, 0, BEARER, 0, BEARER.length())) {
            throw notOurs();
        }
        return tokens.verify(header.substring(BEARER.length()).strip())
                .map(jwt -> tokens.standingOf(jwt)
                        .map(now -> Answer.json(
                                200, Map.of("active", true, "role", now.role().label(), "namespace", now.namespace())))
                        .orElseGet(() -> Answer.json(200, Map.of("active", false))))
                .orElseThrow(StandingRoutes::notOurs);
    }

    private static ProblemException notOurs() {
        return new ProblemException(Code.INVALID_TOKEN, "The token is none of this service, or is over.");
    }
}
