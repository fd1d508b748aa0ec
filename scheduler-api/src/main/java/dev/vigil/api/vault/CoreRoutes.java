package dev.vigil.api.vault;

import dev.vigil.api.web.Answer;
import dev.vigil.api.web.Route;
import dev.vigil.api.web.Routes;
import dev.vigil.scheduler.execution.LiveCores;
import java.util.List;
import java.util.Map;

/// Where a worker finds the cores.
final class CoreRoutes implements Routes {
    private final PeerGate peers;
    private final LiveCores cores;

    CoreRoutes(PeerGate peers, LiveCores cores) {
        this.peers = peers;
        this.cores = cores;
    }

    @Override
    public List<Route> all() {
        return List.of(Route.get("/worker/v1/cores", "listCores")
                .about("Worker side", "Cores that are alive, for sessions")
                .certificate()
                .answers(200, "Cores")
                .handler(call -> {
                    peers.worker(call);
                    return Answer.json(200, Map.of("cores", cores.list()));
                }));
    }
}
