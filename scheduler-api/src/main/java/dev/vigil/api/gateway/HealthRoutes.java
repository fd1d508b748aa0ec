package dev.vigil.api.gateway;

import dev.vigil.api.web.Access;
import dev.vigil.api.web.Answer;
import dev.vigil.api.web.Call;
import dev.vigil.api.web.Route;
import dev.vigil.api.web.Routes;
import java.util.List;
import java.util.Map;

/// Whether the service lives and whether it can serve; no details, those are in the log.
final class HealthRoutes implements Routes {
    private final Readiness readiness;

    HealthRoutes(Readiness readiness) {
        this.readiness = readiness;
    }

    @Override
    public List<Route> all() {
        return List.of(
                Route.get("/livez", "getLiveness")
                        .about("Service", "Whether the process lives")
                        .open(Access.Limit.HEALTH)
                        .answers(200, "Health")
                        .handler(call -> answer(true)),
                Route.get("/readyz", "getReadiness")
                        .about("Service", "Whether calls can be served")
                        .open(Access.Limit.HEALTH)
                        .answers(200, "Health")
                        .answers(503, "Health")
                        .handler(this::ready));
    }

    private Answer ready(Call call) {
        return answer(readiness.ready());
    }

    private static Answer answer(boolean up) {
        return Answer.json(up ? 200 : 503, Map.of("status", up ? "up" : "down"));
    }
}
