package dev.vigil.edge;

import dev.vigil.protocol.id.Id;
import dev.vigil.protocol.id.Kind;
import jakarta.servlet.http.HttpServletRequest;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/// A request on its way.
///
/// @param http    as it came
/// @param id      its id, `req_…`
/// @param address where it came from
public record Call(HttpServletRequest http, String id, String address) {
    private static final String BEARER = "Bearer ";
    private static final Pattern REQUEST_ID = Pattern.compile("req_[0-9a-hjkmnp-tv-z]{26}");
    private static final Pattern ADDRESS = Pattern.compile("[0-9a-fA-F.:]{2,45}");

    /// A call with what its sender says of it, when that counts.
    ///
    /// @param relayed whether its sender is one of ours, who names the request and the address it relays
    static Call of(HttpServletRequest http, boolean relayed) {
        String id = Optional.ofNullable(http.getHeader("X-Request-Id"))
                .filter(given -> relayed && REQUEST_ID.matcher(given).matches())
                .orElseGet(() -> Id.next(Kind.REQUEST).toString());
        // The last address is what the sender saw itself; those before it are hearsay.
        String address = Optional.ofNullable(http.getHeader("X-Forwarded-For"))
                .map(all -> all.substring(all.lastIndexOf(',') + 1).strip())
                .filter(seen -> relayed && ADDRESS.matcher(seen).matches())
                .orElseGet(http::getRemoteAddr);
        return new Call(http, id, address);
    }

    /// The path, as it came.
    public String path() {
        return http.getRequestURI();
    }

    /// The query's parameters.
    public Map<String, String[]> parameters() {
        return http.getParameterMap();
    }

    /// Whether it only reads.
    public boolean isGet() {
        return Set.of("GET", "HEAD").contains(http.getMethod());
    }

    /// Lets it on when it only reads.
    ///
    /// @throws RefusedException 405
    public void requireGet() {
        if (!isGet()) {
            throw wrongMethod("GET, HEAD");
        }
    }

    /// 405 with the methods that would do.
    public static RefusedException wrongMethod(String allowed) {
        return new RefusedException(Problem.of(
                Code.METHOD_NOT_ALLOWED, "This path answers to " + allowed + " only.", Map.of("Allow", allowed)));
    }

    /// The bearer token it carries; empty text when it carries something else.
    ///
    /// @throws RefusedException 401 when it carries nothing
    String bearer() {
        String header = http.getHeader("Authorization");
        if (header == null) {
            throw new RefusedException(Problem.of(
                    Code.UNAUTHENTICATED,
                    "This call needs a token; send Authorization: Bearer followed by it.",
                    Map.of("WWW-Authenticate", "Bearer")));
        }
        return header.regionMatches(true, 0, BEARER, 0, BEARER.length())
                ? header.substring(BEARER.length()).strip()
                : "";
    }
}
