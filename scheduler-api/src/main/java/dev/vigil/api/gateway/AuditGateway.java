package dev.vigil.api.gateway;

import dev.vigil.api.vault.SubjectIndex;
import dev.vigil.api.web.Access;
import dev.vigil.api.web.Answer;
import dev.vigil.api.web.Call;
import dev.vigil.api.web.Role;
import dev.vigil.api.web.Route;
import dev.vigil.api.web.Routes;
import dev.vigil.api.web.Scope;
import dev.vigil.api.web.TokenMint;
import java.net.URI;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/// The audit trail, through this origin.
final class AuditGateway implements Routes {
    private static final String BASE = "/api/v1/audit";

    private final Upstream audit;
    private final SubjectIndex subjects;

    AuditGateway(URI url, UpstreamClient client, SubjectIndex subjects, TokenMint tokens) {
        this.audit = new Upstream("audit-service", url, client, tokens);
        this.subjects = subjects;
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
                        .query("from", "to", "event_type", "actor", "user_id", "task_id", "execution_id", "worker_id")
                        .query("subject", "result", "action", "limit", "after", "sort")
                        .answers(200, "AuditEvents")
                        .handler(this::events),
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

    /// The trail knows subjects by their blind index only, which this service can compute: people ask by name.
    private Answer events(Call call) {
        Optional<String> subject = call.query("subject").filter(text -> !text.matches("[0-9a-f]{32}|"));
        if (subject.isEmpty()) {
            return audit.pass(call);
        }
        byte[] index = subjects.of(call.caller().namespace(), subject.get());
        String others = Arrays.stream(call.rawQuery().split("&", -1))
                .filter(pair -> !pair.startsWith("subject="))
                .collect(Collectors.joining("&"));
        return audit.pass(call, "subject=" + HexFormat.of().formatHex(index) + (others.isEmpty() ? "" : "&" + others));
    }

    private static Route.Draft read(String path, String operation) {
        return Route.get(BASE + path, operation).roles(Role.AUDITOR).scope(Scope.AUDIT_READ);
    }
}
