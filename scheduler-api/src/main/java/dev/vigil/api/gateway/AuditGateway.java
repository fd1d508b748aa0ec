package dev.vigil.api.gateway;

import dev.vigil.api.web.Access;
import dev.vigil.api.web.Role;
import dev.vigil.api.web.Route;
import dev.vigil.api.web.Routes;
import dev.vigil.api.web.Scope;
import java.net.URI;
import java.util.List;

/// The audit trail, through this origin.
final class AuditGateway implements Routes {
    private static final String BASE = "/api/v1/audit";

    private final Upstream audit;

    AuditGateway(URI url) {
        this.audit = new Upstream("audit-service", url);
    }

    @Override
    public List<Route> all() {
        return List.of(
                Route.get(BASE + "/public-key", "getAuditKey")
                        .about("Audit", "The key that signs checkpoints, as a C2SP vkey")
                        .open(Access.Limit.NONE)
                        .answers(200, "text/plain")
                        .handler(audit::pass),
                read("/events", "listAuditEvents")
                        .about("Audit", "Query the trail, newest first")
                        .query("from", "to", "event_type", "actor", "task_id", "worker_id", "subject", "result")
                        .query("action", "limit", "after", "sort")
                        .answers(200, "AuditEvents")
                        .handler(audit::pass),
                read("/events/{id}/proof", "getAuditProof")
                        .about("Audit", "Prove that an event stands in the trail")
                        .answers(200, "AuditProof")
                        .handler(audit::pass),
                read("/checkpoint", "getAuditCheckpoint")
                        .about("Audit", "The newest signed checkpoint, a C2SP note")
                        .answers(200, "text/plain")
                        .handler(audit::pass),
                read("/consistency", "getAuditConsistency")
                        .about("Audit", "Prove that a later tree only appends to an earlier one")
                        .query("from", "to")
                        .answers(200, "AuditProof")
                        .handler(audit::pass),
                read("/tile/{path*}", "getAuditTile")
                        .about("Audit", "A tile of hashes or entries, laid out as tlog-tiles has it")
                        .answers(200, "application/octet-stream")
                        .handler(audit::pass));
    }

    private static Route.Draft read(String path, String operation) {
        return Route.get(BASE + path, operation).roles(Role.AUDITOR).scope(Scope.AUDIT_READ);
    }
}
