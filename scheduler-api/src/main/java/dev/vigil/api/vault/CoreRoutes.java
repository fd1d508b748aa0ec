package dev.vigil.api.vault;

import dev.vigil.api.web.Answer;
import dev.vigil.api.web.Call;
import dev.vigil.api.web.Fields;
import dev.vigil.api.web.Problem;
import dev.vigil.api.web.ProblemException;
import dev.vigil.api.web.Route;
import dev.vigil.api.web.Routes;
import dev.vigil.protocol.id.Id;
import dev.vigil.protocol.id.Kind;
import dev.vigil.scheduler.execution.LiveCores;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Between workers and cores: where a worker finds the cores, and what a core reports of a worker.
final class CoreRoutes implements Routes {
    private static final int DETAIL_LENGTH_MAX = 200;

    private final PeerGate peers;
    private final LiveCores cores;
    private final Fleet fleet;

    CoreRoutes(PeerGate peers, LiveCores cores, Fleet fleet) {
        this.peers = peers;
        this.cores = cores;
        this.fleet = fleet;
    }

    @Override
    public List<Route> all() {
        return List.of(
                Route.get("/worker/v1/cores", "listCores")
                        .about("Worker side", "Cores that are alive, for sessions")
                        .certificate()
                        .answers(200, "Cores")
                        .handler(call -> {
                            peers.worker(call);
                            return Answer.json(200, Map.of("cores", cores.list()));
                        }),
                Route.post("/internal/v1/workers:lock", "lockClonedWorker")
                        .about("Internal", "A core saw two processes use one worker's identity")
                        .certificate()
                        .answers(204, "")
                        .handler(this::lock));
    }

    private Answer lock(Call call) throws IOException {
        peers.service(call, "core");
        Fields fields = call.json();
        Optional<Id> worker = Id.parse(Kind.WORKER, fields.text("worker", 64));
        if (worker.isEmpty()) {
            fields.refuse("worker", "format", "is no id of a worker", null);
        }
        if (!fields.isText("reason", "clone")) {
            fields.refuse("reason", "not_in_list", "is none of the possible values", "use clone");
        }
        String detail = fields.text("detail", DETAIL_LENGTH_MAX);
        fields.finish();
        if (!fleet.lock(worker.orElseThrow().uuid(), detail)) {
            throw new ProblemException(Problem.notFound());
        }
        return Answer.empty(204);
    }
}
