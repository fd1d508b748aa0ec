package dev.vigil.gdpr;

import dev.vigil.gdpr.request.RequestRoutes;
import dev.vigil.gdpr.web.Answer;
import dev.vigil.gdpr.web.Answers;
import dev.vigil.gdpr.web.Code;
import dev.vigil.gdpr.web.Officer;
import dev.vigil.gdpr.web.Problem;
import dev.vigil.gdpr.web.RefusedException;
import dev.vigil.gdpr.web.TokenCheck;
import dev.vigil.protocol.id.Id;
import dev.vigil.protocol.id.Kind;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.BooleanSupplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.dao.DataAccessException;
import org.springframework.transaction.TransactionException;

/// Lets requests in or says why not, finds their route, and writes what it answers. Denies by default: only health and
/// the public key are open, all else is for privacy officers and admins with the scope `gdpr:manage`.
final class GdprServlet extends HttpServlet {
    private static final long serialVersionUID = 1;
    private static final String BASE = "/api/v1/gdpr/";
    private static final String REQUESTS = BASE + "requests";
    private static final Pattern REQUEST =
            Pattern.compile(REQUESTS + "/([a-z0-9_]{1,64})(:approve|:reject|:extend|/export|/certificate)?");
    private static final Pattern REQUEST_ID = Pattern.compile("req_[0-9a-hjkmnp-tv-z]{26}");
    private static final Set<String> ROLES = Set.of("admin", "privacy_officer");
    private static final Set<String> LIST_PARAMETERS = Set.of("limit", "after", "sort", "kind", "state");
    private static final String SCOPE = "gdpr:manage";
    private static final String BEARER = "Bearer ";
    private static final int BODY_BYTES_MAX = 65_536;
    private static final Logger LOG = LoggerFactory.getLogger(GdprServlet.class);

    private final transient RequestRoutes routes;
    private final transient TokenCheck tokens;
    private final transient BooleanSupplier ready;

    GdprServlet(RequestRoutes routes, TokenCheck tokens, BooleanSupplier ready) {
        this.routes = routes;
        this.tokens = tokens;
        this.ready = ready;
    }

    @Override
    protected void service(HttpServletRequest http, HttpServletResponse response) throws IOException {
        String given = http.getHeader("X-Request-Id");
        String requestId = given != null && REQUEST_ID.matcher(given).matches()
                ? given
                : Id.next(Kind.REQUEST).toString();
        Answers.secure(http, response, requestId);
        try {
            Answers.write(http, response, answer(http));
        } catch (RefusedException e) {
            Answers.refuse(http, response, e.problem(), requestId);
        } catch (DataAccessException | TransactionException e) {
            LOG.warn("event=database_unavailable request={} cause={}", requestId, e.getMessage());
            Answers.refuse(
                    http,
                    response,
                    Problem.passing(Code.DATABASE_UNAVAILABLE, "The database did not answer; try again."),
                    requestId);
        } catch (RuntimeException e) {
            LOG.error("event=request_failed request={} the answer was 500", requestId, e);
            Answers.refuse(
                    http,
                    response,
                    Problem.of(
                            Code.INTERNAL_ERROR,
                            "Something went wrong on our side; give the request_id to whoever runs this server."),
                    requestId);
        }
    }

    private Answer answer(HttpServletRequest http) throws IOException {
        return switch (http.getRequestURI()) {
            case "/livez" -> get(http, Answer.bytes(200, "text/plain", "ok\n".getBytes(StandardCharsets.US_ASCII)));
            case "/readyz" -> get(http, readiness());
            case BASE + "public-key" -> get(http, routes.publicKey());
            default -> officers(http, officer(http));
        };
    }

    private Answer readiness() {
        if (!ready.getAsBoolean()) {
            throw new RefusedException(Problem.passing(Code.SERVICE_UNAVAILABLE, "Not ready; try again."));
        }
        return Answer.bytes(200, "text/plain", "ok\n".getBytes(StandardCharsets.US_ASCII));
    }

    private Officer officer(HttpServletRequest http) {
        String header = http.getHeader("Authorization");
        if (header == null) {
            throw new RefusedException(new Problem(
                    Code.UNAUTHENTICATED,
                    "This call needs a token; send Authorization: Bearer followed by it.",
                    List.of(),
                    Map.of("WWW-Authenticate", "Bearer")));
        }
        boolean bearer = header.regionMatches(true, 0, BEARER, 0, BEARER.length());
        Officer officer =
                tokens.officer(bearer ? header.substring(BEARER.length()).strip() : "");
        if (!ROLES.contains(officer.role())) {
            throw new RefusedException(
                    Code.ROLE_MISSING, "Only the roles privacy_officer and admin handle requests of data subjects.");
        }
        if (!officer.scopes().contains(SCOPE)) {
            throw new RefusedException(Code.SCOPE_MISSING, "The token lacks the scope " + SCOPE + "; get one with it.");
        }
        return officer;
    }

    private Answer officers(HttpServletRequest http, Officer officer) throws IOException {
        String path = http.getRequestURI();
        if (path.equals(REQUESTS)) {
            return switch (http.getMethod()) {
                case "POST" -> {
                    Map<String, String> query = query(http, Set.of("dry_run"));
                    yield routes.create(
                            officer,
                            body(http),
                            http.getHeader("Idempotency-Key"),
                            "true".equals(query.get("dry_run")));
                }
                case "GET", "HEAD" -> routes.list(officer, query(http, LIST_PARAMETERS));
                default -> throw wrongMethod("GET, HEAD, POST");
            };
        }
        if (path.equals(BASE + "subjects")) {
            String subject = query(http, Set.of("query", "limit", "after")).getOrDefault("query", "");
            return get(http, routes.subjects(officer, subject));
        }
        Matcher request = REQUEST.matcher(path);
        if (!request.matches()) {
            throw new RefusedException(Problem.notFound());
        }
        query(http, Set.of());
        String id = request.group(1);
        String part = request.group(2) == null ? "" : request.group(2);
        boolean command = part.startsWith(":");
        if (command != http.getMethod().equals("POST") || (!command && !isGet(http))) {
            throw wrongMethod(command ? "POST" : "GET, HEAD");
        }
        return switch (part) {
            case ":approve" -> routes.approve(officer, id);
            case ":reject" -> routes.reject(officer, id, body(http));
            case ":extend" -> routes.extend(officer, id, body(http));
            case "/export" -> routes.export(officer, id);
            case "/certificate" -> routes.certificate(officer, id);
            default -> routes.get(officer, id);
        };
    }

    private static byte[] body(HttpServletRequest http) throws IOException {
        byte[] body = http.getInputStream().readNBytes(BODY_BYTES_MAX + 1);
        if (body.length > BODY_BYTES_MAX) {
            throw new RefusedException(
                    Code.TOO_LARGE, "The body is longer than " + BODY_BYTES_MAX + " bytes; send less.");
        }
        String type = http.getContentType();
        if (body.length > 0
                && (type == null
                        || !type.split(";", 2)[0]
                                .strip()
                                .toLowerCase(Locale.ROOT)
                                .equals("application/json"))) {
            throw new RefusedException(
                    Code.UNSUPPORTED_MEDIA_TYPE, "This call takes JSON; send it with Content-Type: application/json.");
        }
        return body;
    }

    private static Map<String, String> query(HttpServletRequest http, Set<String> known) {
        Map<String, String> values = new LinkedHashMap<>();
        http.getParameterMap().forEach((name, given) -> {
            if (!known.contains(name) || given.length != 1) {
                throw new RefusedException(
                        Code.UNKNOWN_PARAMETER,
                        "A query parameter is unknown here or there twice; known are " + known + ".");
            }
            values.put(name, given[0]);
        });
        return values;
    }

    private static Answer get(HttpServletRequest http, Answer answer) {
        if (!isGet(http)) {
            throw wrongMethod("GET, HEAD");
        }
        return answer;
    }

    private static boolean isGet(HttpServletRequest http) {
        return http.getMethod().equals("GET") || http.getMethod().equals("HEAD");
    }

    private static RefusedException wrongMethod(String allowed) {
        return new RefusedException(new Problem(
                Code.METHOD_NOT_ALLOWED,
                "This path answers to " + allowed + " only.",
                List.of(),
                Map.of("Allow", allowed)));
    }
}
