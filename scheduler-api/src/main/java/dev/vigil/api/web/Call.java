package dev.vigil.api.web;

import dev.vigil.protocol.id.Id;
import dev.vigil.protocol.id.Kind;
import dev.vigil.protocol.id.UuidV7;
import jakarta.servlet.http.HttpServletRequest;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// One request to one route, let in by the gate.
public final class Call {
    /// Body of an ordinary call; more is 413.
    public static final int BODY_BYTES_MAX = 65_536;

    private static final String CERTIFICATES = "jakarta.servlet.request.X509Certificate";

    private final HttpServletRequest request;
    private final Route route;
    private final Map<String, String> variables;
    private final Map<String, String> query;
    private final @Nullable Caller caller;
    private final Supplier<Optional<Caller>> again;
    private byte @Nullable [] body;
    private CallRunner.@Nullable Ids ids;
    private Parts parts = Parts.unkeyed();

    Call(HttpServletRequest request, RouteTable.Match.Found found, @Nullable Caller caller) {
        this(request, found, caller, Optional::empty);
    }

    /// @param again finds out who calls once more
    Call(
            HttpServletRequest request,
            RouteTable.Match.Found found,
            @Nullable Caller caller,
            Supplier<Optional<Caller>> again) {
        this.again = again;
        this.request = request;
        this.route = found.route();
        this.variables = found.variables();
        this.caller = caller;
        this.query = parseQuery(request.getQueryString(), route.operation().query());
    }

    /// The route that was found.
    public Route route() {
        return route;
    }

    /// Who calls; only routes with [Access.Bearer] have one.
    public Caller caller() {
        if (caller == null) {
            throw new IllegalStateException("route " + route.operation().id() + " is open and asks for its caller");
        }
        return caller;
    }

    /// The caller as he is by now, for answers that take long; empty when this call would be refused by now.
    public Optional<Caller> callerNow() {
        return again.get();
    }

    /// The verified certificate of the peer, on the worker port.
    public Optional<X509Certificate> certificate() {
        return certificate(request);
    }

    static Optional<X509Certificate> certificate(HttpServletRequest request) {
        return request.getAttribute(CERTIFICATES) instanceof X509Certificate[] chain && chain.length > 0
                ? Optional.of(chain[0])
                : Optional.empty();
    }

    /// The value of a path variable.
    public String variable(String name) {
        String value = variables.get(name);
        if (value == null) {
            throw new IllegalStateException("route " + route.operation().id() + " has no variable " + name);
        }
        return value;
    }

    /// A path variable as the id of a kind.
    ///
    /// @throws ProblemException 404 when it is none: an id that cannot exist reads like one that does not
    public UUID id(String name, Kind kind) {
        return Id.parse(kind, variable(name)).map(Id::uuid).orElseThrow(() -> new ProblemException(Problem.notFound()));
    }

    /// A query parameter.
    public Optional<String> query(String name) {
        return Optional.ofNullable(query.get(name));
    }

    /// All query parameters, for calls that are passed on.
    public String rawQuery() {
        return request.getQueryString() == null ? "" : request.getQueryString();
    }

    /// A header.
    public Optional<String> header(String name) {
        return Optional.ofNullable(request.getHeader(name));
    }

    /// The caller's network address.
    public String address() {
        return request.getRemoteAddr();
    }

    /// The path as it was asked for.
    public String path() {
        return request.getRequestURI();
    }

    /// The method as it was asked for.
    public String method() {
        return request.getMethod();
    }

    /// The id of this request, `req_…`.
    public String requestId() {
        return requestId(request);
    }

    /// The id of a request that may not have reached a route.
    public static String requestId(HttpServletRequest request) {
        if (request.getAttribute("vigil.request_id") instanceof String id) {
            return id;
        }
        String id = Id.next(Kind.REQUEST).toString();
        request.setAttribute("vigil.request_id", id);
        return id;
    }

    /// The body, read at once.
    ///
    /// @throws ProblemException 413 as soon as it is known to be longer than `max` bytes
    public byte[] body(int max) throws IOException {
        if (request.getContentLengthLong() > max) {
            throw tooLarge(max);
        }
        byte[] known = body;
        if (known == null) {
            long announced = request.getContentLengthLong();
            known = request.getInputStream().readNBytes(announced < 0 ? max + 1 : (int) announced);
            body = known;
        }
        if (known.length > max) {
            throw tooLarge(max);
        }
        return known;
    }

    /// The body as a stream.
    ///
    /// @throws ProblemException 415 when it is of another media type
    public InputStream stream(String type) throws IOException {
        requireType(type);
        return stream();
    }

    /// The body as a stream, whatever it is.
    public InputStream stream() throws IOException {
        return body == null ? request.getInputStream() : new ByteArrayInputStream(body);
    }

    /// Whether the caller only wants to know what would happen (`dry_run=true`). Routes with [Route.Means#HANDLER]
    /// ask this; for others it is seen to.
    public boolean isDryRun() {
        return switch (query("dry_run").orElse("false")) {
            case "true" -> route.writing().dryRun() != Route.Means.NONE;
            case "false" -> false;
            default ->
                throw new ProblemException(Problem.invalid(List.of(
                        new FieldError("dry_run", "type", "is neither true nor false", "use true, or leave it out"))));
        };
    }

    /// The id of something that this call creates. Under an `Idempotency-Key` it is made of principal, key and place,
    /// so that the same call finds what it made before it was cut off.
    ///
    /// @param place 0 for the first thing this call makes, below 131,072
    public UUID newId(int place) {
        CallRunner.Ids from = ids;
        return from == null ? UuidV7.next() : from.apply(place);
    }

    /// Whether ids are made of a key, so that what has such an id already was made by the same call.
    public boolean isKeyed() {
        return ids != null;
    }

    /// What this call has done and remembered, for routes with [Route.Means#PARTS].
    public Parts parts() {
        return parts;
    }

    void partsFrom(Parts source) {
        parts = source;
    }

    void idsFrom(CallRunner.Ids source) {
        ids = source;
    }

    /// The body as strict JSON.
    public Fields json() throws IOException {
        return json(BODY_BYTES_MAX, "");
    }

    /// The body as strict JSON.
    ///
    /// @param max       longest body in bytes
    /// @param rawMember the member that is kept as text; empty for none
    /// @throws ProblemException 400, 413 or 415
    public Fields json(int max, String rawMember) throws IOException {
        requireType("application/json");
        return Fields.of(body(max), rawMember);
    }

    private void requireType(String wanted) {
        String type = request.getContentType();
        String media = type == null ? "" : type.split(";", 2)[0].strip().toLowerCase(Locale.ROOT);
        boolean patch = method().equals("PATCH") && media.equals("application/merge-patch+json");
        if (!media.equals(wanted) && !patch) {
            throw new ProblemException(Problem.of(
                            Code.UNSUPPORTED_MEDIA_TYPE,
                            "This call takes " + wanted + "; send it with Content-Type: " + wanted + ".")
                    .header("Accept", wanted));
        }
    }

    private static ProblemException tooLarge(int max) {
        return new ProblemException(Code.TOO_LARGE, "The body is longer than " + max + " bytes; send less.");
    }

    private static Map<String, String> parseQuery(@Nullable String query, List<String> known) {
        if (query == null || query.isEmpty() || known.contains("*")) {
            return Map.of();
        }
        var values = new LinkedHashMap<String, String>();
        var wrong = new ArrayList<FieldError>();
        for (String pair : query.split("&")) {
            int equals = pair.indexOf('=');
            String name = decode(equals < 0 ? pair : pair.substring(0, equals));
            if (!known.contains(name)) {
                wrong.add(new FieldError(
                        name.matches("[A-Za-z0-9_.-]{1,64}") ? name : "?",
                        "unknown_parameter",
                        "is not known here",
                        known.isEmpty() ? "this call takes no parameters" : "use " + String.join(", ", known)));
            } else if (values.put(name, decode(equals < 0 ? "" : pair.substring(equals + 1))) != null) {
                wrong.add(new FieldError(name, "twice", "is given twice", "give it once"));
            }
        }
        if (!wrong.isEmpty()) {
            throw new ProblemException(new Problem(
                    Code.UNKNOWN_PARAMETER, "A query parameter cannot be used; see errors.", wrong, Map.of()));
        }
        return values;
    }

    private static String decode(String text) {
        String decoded;
        try {
            decoded = URLDecoder.decode(text, StandardCharsets.UTF_8);
        } catch (IllegalArgumentException e) {
            throw new ProblemException(Code.MALFORMED_REQUEST, "A percent sign in the query is not an escape.");
        }
        if (decoded.indexOf('\0') >= 0) {
            throw new ProblemException(Code.MALFORMED_REQUEST, "The query holds the character U+0000; remove it.");
        }
        return decoded;
    }
}
