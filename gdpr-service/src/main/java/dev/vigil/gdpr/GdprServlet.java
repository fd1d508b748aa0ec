package dev.vigil.gdpr;

import dev.vigil.edge.Answer;
import dev.vigil.edge.Call;
import dev.vigil.edge.Caller;
import dev.vigil.edge.Code;
import dev.vigil.edge.EdgeServlet;
import dev.vigil.edge.Problem;
import dev.vigil.edge.RefusedException;
import dev.vigil.edge.TokenCheck;
import dev.vigil.gdpr.request.RequestRoutes;
import jakarta.servlet.http.HttpServletRequest;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.BooleanSupplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Lets requests in or says why not and finds their route. Denies by default: only health and the public key are open,
/// all else is for privacy officers and admins with the scope `gdpr:manage`.
final class GdprServlet extends EdgeServlet {
    private static final long serialVersionUID = 1;
    private static final String BASE = "/api/v1/gdpr/";
    private static final String REQUESTS = BASE + "requests";
    private static final Pattern REQUEST =
            Pattern.compile(REQUESTS + "/([a-z0-9_]{1,64})(:approve|:reject|:extend|/export|/certificate)?");
    private static final Set<String> ROLES = Set.of("admin", "privacy_officer");
    private static final Set<String> LIST_PARAMETERS = Set.of("limit", "after", "sort", "kind", "state");
    private static final String SCOPE = "gdpr:manage";
    private static final int BODY_BYTES_MAX = 65_536;

    private final transient RequestRoutes routes;
    private final transient TokenCheck tokens;
    private final transient BooleanSupplier ready;

    GdprServlet(RequestRoutes routes, TokenCheck tokens, BooleanSupplier ready, Set<String> proxies) {
        super(proxies);
        this.routes = routes;
        this.tokens = tokens;
        this.ready = ready;
    }

    @Override
    protected Answer answer(Call call) throws IOException {
        return switch (call.path()) {
            case "/livez" -> health(call, true);
            case "/readyz" -> health(call, ready.getAsBoolean());
            case BASE + "public-key" -> {
                call.requireGet();
                yield routes.publicKey();
            }
            default -> {
                Caller officer = tokens.caller(call);
                officer.requireRole(ROLES, SCOPE);
                yield officers(call, officer);
            }
        };
    }

    private Answer officers(Call call, Caller officer) throws IOException {
        HttpServletRequest http = call.http();
        String path = call.path();
        if (path.equals(REQUESTS)) {
            return switch (http.getMethod()) {
                case "POST" -> {
                    // Before the query, for which a form would be read as parameters.
                    byte[] body = body(http);
                    Map<String, String> query = query(http, Set.of("dry_run"));
                    yield routes.create(
                            officer, body, http.getHeader("Idempotency-Key"), "true".equals(query.get("dry_run")));
                }
                case "GET", "HEAD" -> routes.list(officer, query(http, LIST_PARAMETERS));
                default -> throw Call.wrongMethod("GET, HEAD, POST");
            };
        }
        if (path.equals(BASE + "subjects")) {
            String subject = query(http, Set.of("query", "limit", "after")).getOrDefault("query", "");
            call.requireGet();
            return routes.subjects(officer, subject);
        }
        Matcher request = REQUEST.matcher(path);
        if (!request.matches()) {
            throw new RefusedException(Problem.notFound());
        }
        query(http, Set.of());
        String id = request.group(1);
        String part = request.group(2) == null ? "" : request.group(2);
        boolean command = part.startsWith(":");
        if (command != http.getMethod().equals("POST") || (!command && !call.isGet())) {
            throw Call.wrongMethod(command ? "POST" : "GET, HEAD");
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
}
