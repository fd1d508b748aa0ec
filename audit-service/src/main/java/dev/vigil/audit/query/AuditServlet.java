package dev.vigil.audit.query;

import static dev.vigil.protocol.audit.EventType.AUDIT_READ;
import static dev.vigil.protocol.audit.Result.SUCCESS;

import dev.vigil.audit.query.ReadTrail.Occasion;
import dev.vigil.audit.query.TokenCheck.Outcome;
import dev.vigil.protocol.audit.EventType;
import dev.vigil.protocol.audit.Result;
import dev.vigil.protocol.id.Id;
import dev.vigil.protocol.id.Kind;
import dev.vigil.protocol.tree.Tile;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.BooleanSupplier;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.dao.DataAccessException;

/// Lets requests in or says why not, finds their route, and writes what it answers. Denies by default: only the public
/// key and the health of the service are open, all else is for the roles admin and auditor with the scope
/// `audit:read`, and what is unknown is 401 for strangers and 404 for everybody else.
public final class AuditServlet extends HttpServlet {
    private static final String BASE = "/api/v1/audit/";
    private static final Set<String> ROLES = Set.of("admin", "auditor");
    private static final String SCOPE = "audit:read";
    private static final String BEARER = "Bearer ";
    private static final Pattern REQUEST_ID = Pattern.compile("req_[0-9a-hjkmnp-tv-z]{26}");
    private static final Pattern ADDRESS = Pattern.compile("[0-9a-fA-F.:]{2,45}");
    private static final Logger LOG = LoggerFactory.getLogger(AuditServlet.class);

    private final transient Parts parts;

    /// What the servlet needs.
    ///
    /// @param routes         what the log answers
    /// @param tokens         checks bearer tokens
    /// @param trail          records who reads
    /// @param ready          whether the service does its work
    /// @param trustedProxies addresses whose `X-Forwarded-For` and `X-Request-Id` count
    public record Parts(
            AuditRoutes routes, TokenCheck tokens, ReadTrail trail, BooleanSupplier ready, Set<String> trustedProxies) {
        public Parts {
            trustedProxies = Set.copyOf(trustedProxies);
        }
    }

    /// A request on its way.
    ///
    /// @param http    as it came
    /// @param id      its id
    /// @param address where it came from
    private record Request(HttpServletRequest http, String id, String address) {
        String path() {
            return http.getRequestURI();
        }

        Map<String, String[]> parameters() {
            return http.getParameterMap();
        }
    }

    public AuditServlet(Parts parts) {
        this.parts = parts;
    }

    @Override
    protected void service(HttpServletRequest http, HttpServletResponse response) throws IOException {
        boolean proxied = parts.trustedProxies().contains(http.getRemoteAddr());
        var request = new Request(http, requestId(http, proxied), address(http, proxied));
        Answers.secure(http, response, request.id());
        Answer answer;
        try {
            answer = answer(request);
        } catch (DataAccessException e) {
            LOG.warn("event=database_unavailable request={} cause={}", request.id(), e.getMessage());
            answer = new Answer.Refusal(
                    Problem.passing(Code.DATABASE_UNAVAILABLE, "The database did not answer; try again."));
        } catch (RuntimeException e) {
            LOG.error("event=request_failed request={} the answer was 500", request.id(), e);
            answer = Answer.refused(
                    Code.INTERNAL_ERROR,
                    "Something went wrong on our side; give the request_id to whoever runs this server.");
        }
        Answers.write(http, response, answer, request.id());
    }

    private Answer answer(Request request) {
        Optional<Answer> open = open(request);
        if (open.isPresent()) {
            return open.get();
        }
        String header = request.http().getHeader("Authorization");
        if (header == null) {
            return new Answer.Refusal(Problem.of(
                    Code.UNAUTHENTICATED,
                    "This call needs a token; send Authorization: Bearer followed by it.",
                    Map.of("WWW-Authenticate", "Bearer")));
        }
        boolean bearer = header.regionMatches(true, 0, BEARER, 0, BEARER.length());
        Outcome outcome =
                bearer ? parts.tokens().check(header.substring(BEARER.length()).strip()) : new Outcome.Refused();
        return switch (outcome) {
            case Outcome.Unknown() ->
                new Answer.Refusal(Problem.passing(
                        Code.SERVICE_UNAVAILABLE,
                        "The keys that tokens are checked with cannot be fetched; try again."));
            case Outcome.Refused() -> refusedToken(request);
            case Outcome.Known(Reader reader) -> answer(request, reader);
        };
    }

    /// What everybody may see: whether the service lives, and the key that outsiders verify with.
    private Optional<Answer> open(Request request) {
        boolean get = isGet(request);
        return switch (request.path()) {
            case "/livez" -> Optional.of(get ? Answer.text("ok\n") : wrongMethod());
            case "/readyz" -> Optional.of(get ? readiness() : wrongMethod());
            case BASE + "public-key" -> Optional.of(get ? parts.routes().publicKey() : wrongMethod());
            default -> Optional.empty();
        };
    }

    private Answer readiness() {
        return parts.ready().getAsBoolean() && parts.routes().reachesDatabase()
                ? Answer.text("ok\n")
                : new Answer.Refusal(Problem.passing(Code.SERVICE_UNAVAILABLE, "Not ready; try again."));
    }

    private Answer answer(Request request, Reader reader) {
        if (!ROLES.contains(reader.role())) {
            return denied(
                    request,
                    reader,
                    Problem.of(Code.ROLE_MISSING, "Only the roles admin and auditor read the audit log."));
        }
        if (!reader.scopes().contains(SCOPE)) {
            return denied(
                    request,
                    reader,
                    Problem.of(Code.SCOPE_MISSING, "The token lacks the scope " + SCOPE + "; get one with it."));
        }
        String path = request.path();
        if (!path.startsWith(BASE)) {
            return Answer.notFound();
        }
        String rest = path.substring(BASE.length());
        Optional<Tile> tile = Tile.parse(rest);
        boolean proof = rest.startsWith("events/") && rest.endsWith("/proof");
        boolean known = proof
                || tile.isPresent()
                || Set.of("events", "checkpoint", "consistency").contains(rest);
        if (!known) {
            return Answer.notFound();
        }
        if (!isGet(request)) {
            return wrongMethod();
        }
        return switch (rest) {
            case "checkpoint" -> parts.routes().checkpoint();
            case "consistency" -> parts.routes().consistency(request.parameters());
            case "events" -> events(request, reader);
            default -> tile.isPresent() ? tile(request, reader, tile.get()) : proof(request, reader, rest);
        };
    }

    private Answer events(Request request, Reader reader) {
        Answer answer = parts.routes().events(request.parameters());
        return recorded(
                answer,
                () -> parts.trail()
                        .record(
                                new Occasion(AUDIT_READ, "list", SUCCESS, reader.user(), request.address()),
                                Map.of(
                                        "request_id",
                                        request.id(),
                                        "filters",
                                        EventFilter.names(request.parameters()))));
    }

    private Answer proof(Request request, Reader reader, String rest) {
        String event = rest.substring("events/".length(), rest.length() - "/proof".length());
        Answer answer = parts.routes().proof(event);
        return recorded(
                answer,
                () -> parts.trail()
                        .record(
                                new Occasion(AUDIT_READ, "proof", SUCCESS, reader.user(), request.address()),
                                Map.of("request_id", request.id(), "event", event)));
    }

    /// Hashes say nothing about an event; bundles hold the events themselves, so downloading them is recorded.
    private Answer tile(Request request, Reader reader, Tile tile) {
        Answer answer = parts.routes().tile(tile);
        return tile.level() != Tile.ENTRIES
                ? answer
                : recorded(
                        answer,
                        () -> parts.trail()
                                .count(new Occasion(
                                        AUDIT_READ, "download", SUCCESS, reader.user(), request.address())));
    }

    private static Answer recorded(Answer answer, BooleanSupplier record) {
        return answer instanceof Answer.Content && !record.getAsBoolean() ? unavailable() : answer;
    }

    private Answer denied(Request request, Reader reader, Problem problem) {
        var occasion =
                new Occasion(EventType.AUTHORIZATION_FAILURE, "audit", Result.DENIED, reader.user(), request.address());
        return parts.trail().count(occasion) ? new Answer.Refusal(problem) : unavailable();
    }

    private Answer refusedToken(Request request) {
        var occasion = new Occasion(EventType.AUTHENTICATION, "audit", Result.FAILURE, null, request.address());
        var problem = Problem.of(
                Code.INVALID_TOKEN,
                "The token is unknown or has ended; get a new one and send it as Bearer.",
                Map.of("WWW-Authenticate", "Bearer error=\"invalid_token\""));
        return parts.trail().count(occasion) ? new Answer.Refusal(problem) : unavailable();
    }

    private static Answer unavailable() {
        return new Answer.Refusal(Problem.passing(
                Code.AUDIT_UNAVAILABLE, "This call could not be recorded in the audit log, so it is not answered."));
    }

    private static Answer wrongMethod() {
        return new Answer.Refusal(
                Problem.of(Code.METHOD_NOT_ALLOWED, "This path answers to GET only.", Map.of("Allow", "GET, HEAD")));
    }

    private static boolean isGet(Request request) {
        return Set.of("GET", "HEAD").contains(request.http().getMethod());
    }

    private static String requestId(HttpServletRequest http, boolean proxied) {
        String given = http.getHeader("X-Request-Id");
        return proxied && given != null && REQUEST_ID.matcher(given).matches()
                ? given
                : Id.next(Kind.REQUEST).toString();
    }

    private static String address(HttpServletRequest http, boolean proxied) {
        String forwarded = http.getHeader("X-Forwarded-For");
        if (!proxied || forwarded == null) {
            return http.getRemoteAddr();
        }
        // The last one is what the trusted proxy saw itself; those before it are hearsay.
        String seen = forwarded.substring(forwarded.lastIndexOf(',') + 1).strip();
        return ADDRESS.matcher(seen).matches() ? seen : http.getRemoteAddr();
    }
}
