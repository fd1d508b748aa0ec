package dev.vigil.audit.query;

import static dev.vigil.protocol.audit.EventType.AUDIT_READ;
import static dev.vigil.protocol.audit.Result.SUCCESS;

import dev.vigil.audit.query.ReadTrail.Occasion;
import dev.vigil.edge.Answer;
import dev.vigil.edge.Call;
import dev.vigil.edge.Caller;
import dev.vigil.edge.Code;
import dev.vigil.edge.EdgeServlet;
import dev.vigil.edge.Problem;
import dev.vigil.edge.RefusedException;
import dev.vigil.edge.TokenCheck;
import dev.vigil.protocol.audit.EventType;
import dev.vigil.protocol.audit.Result;
import dev.vigil.protocol.tree.Tile;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.BooleanSupplier;

/// Lets requests in or says why not and finds their route. Denies by default: only the public key and the health of
/// the service are open, all else is for the roles admin and auditor with the scope `audit:read`, and what is
/// unknown is 401 for strangers and 404 for everybody else.
public final class AuditServlet extends EdgeServlet {
    private static final long serialVersionUID = 1;
    private static final String BASE = "/api/v1/audit/";
    private static final Set<String> ROLES = Set.of("admin", "auditor");
    private static final String SCOPE = "audit:read";

    private final transient Parts parts;

    /// What the servlet needs.
    ///
    /// @param routes what the log answers
    /// @param tokens checks bearer tokens
    /// @param trail  records who reads
    /// @param ready  whether the service does its work
    public record Parts(AuditRoutes routes, TokenCheck tokens, ReadTrail trail, BooleanSupplier ready) {}

    /// @param proxies addresses whose `X-Forwarded-For` and `X-Request-Id` count
    public AuditServlet(Parts parts, Set<String> proxies) {
        super(proxies);
        this.parts = parts;
    }

    @Override
    protected Answer answer(Call call) {
        return switch (call.path()) {
            case "/livez" -> health(call, true);
            case "/readyz" ->
                health(call, parts.ready().getAsBoolean() && parts.routes().reachesDatabase());
            case BASE + "public-key" -> {
                call.requireGet();
                yield parts.routes().publicKey();
            }
            default -> readers(call, reader(call));
        };
    }

    /// Who reads. What is refused is recorded first.
    private Caller reader(Call call) {
        Caller reader;
        try {
            reader = parts.tokens().caller(call);
        } catch (RefusedException refused) {
            if (refused.problem().code() == Code.INVALID_TOKEN) {
                count(new Occasion(EventType.AUTHENTICATION, "audit", Result.FAILURE, null, call.address()));
            }
            throw refused;
        }
        try {
            reader.requireRole(ROLES, SCOPE);
        } catch (RefusedException refused) {
            count(new Occasion(EventType.AUTHORIZATION_FAILURE, "audit", Result.DENIED, reader.id(), call.address()));
            throw refused;
        }
        return reader;
    }

    private Answer readers(Call call, Caller reader) {
        if (!call.path().startsWith(BASE)) {
            throw new RefusedException(Problem.notFound());
        }
        String rest = call.path().substring(BASE.length());
        Optional<Tile> tile = Tile.parse(rest);
        boolean proof = rest.startsWith("events/") && rest.endsWith("/proof");
        boolean known = proof
                || tile.isPresent()
                || Set.of("events", "checkpoint", "consistency").contains(rest);
        if (!known) {
            throw new RefusedException(Problem.notFound());
        }
        call.requireGet();
        return switch (rest) {
            case "checkpoint" -> parts.routes().checkpoint();
            case "consistency" -> parts.routes().consistency(call.parameters());
            case "events" -> events(call, reader);
            default -> tile.isPresent() ? tile(call, reader, tile.get()) : proof(call, reader, rest);
        };
    }

    private Answer events(Call call, Caller reader) {
        Answer answer = parts.routes().events(call.parameters());
        record(call, reader, "list", Map.of("filters", EventFilter.names(call.parameters())));
        return answer;
    }

    private Answer proof(Call call, Caller reader, String rest) {
        String event = rest.substring("events/".length(), rest.length() - "/proof".length());
        Answer answer = parts.routes().proof(event);
        record(call, reader, "proof", Map.of("event", event));
        return answer;
    }

    /// Hashes say nothing about an event; bundles hold the events themselves, so downloading them is recorded.
    private Answer tile(Call call, Caller reader, Tile tile) {
        Answer answer = parts.routes().tile(tile);
        if (tile.level() == Tile.ENTRIES) {
            count(new Occasion(AUDIT_READ, "download", SUCCESS, reader.id(), call.address()));
        }
        return answer;
    }

    private void record(Call call, Caller reader, String action, Map<String, String> more) {
        var details = new HashMap<>(more);
        details.put("request_id", call.id());
        orUnavailable(
                parts.trail().record(new Occasion(AUDIT_READ, action, SUCCESS, reader.id(), call.address()), details));
    }

    private void count(Occasion occasion) {
        orUnavailable(parts.trail().count(occasion));
    }

    private static void orUnavailable(boolean recorded) {
        if (!recorded) {
            throw new RefusedException(Problem.passing(
                    Code.AUDIT_UNAVAILABLE,
                    "This call could not be recorded in the audit log, so it is not answered."));
        }
    }
}
