package dev.vigil.api.web;

import jakarta.servlet.Filter;
import jakarta.servlet.FilterChain;
import jakarta.servlet.ServletException;
import jakarta.servlet.ServletRequest;
import jakarta.servlet.ServletResponse;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletRequestWrapper;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.util.List;

/// The outermost filter: what holds for every answer, and the last catch for faults of the filters inside.
public final class EdgeFilter implements Filter {
    private static final String FORWARDED_FOR = "X-Forwarded-For";
    private static final String CONTENT_POLICY =
            "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

    private final List<Cidr> trustedProxies;

    /// @param trustedProxies whose `X-Forwarded-For` counts; anybody else's is ignored
    public EdgeFilter(List<Cidr> trustedProxies) {
        this.trustedProxies = List.copyOf(trustedProxies);
    }

    @Override
    public void doFilter(ServletRequest servletRequest, ServletResponse servletResponse, FilterChain chain)
            throws IOException, ServletException {
        HttpServletRequest request = withClientAddress((HttpServletRequest) servletRequest);
        var response = (HttpServletResponse) servletResponse;
        secure(request, response);
        try {
            chain.doFilter(request, response);
        } catch (ProblemException e) {
            Problems.write(request, response, e.problem());
        } catch (RuntimeException e) {
            Problems.write(request, response, Problems.of(e, Call.requestId(request)));
        }
    }

    /// The address nearest to this server that is no trusted proxy.
    private HttpServletRequest withClientAddress(HttpServletRequest request) {
        String forwarded = request.getHeader(FORWARDED_FOR);
        if (forwarded == null || !trusted(request.getRemoteAddr())) {
            return request;
        }
        String client = request.getRemoteAddr();
        for (String hop : List.of(forwarded.split(",", -1)).reversed()) {
            client = hop.strip();
            if (!trusted(client)) {
                break;
            }
        }
        String address = client;
        return new HttpServletRequestWrapper(request) {
            @Override
            public String getRemoteAddr() {
                return address;
            }
        };
    }

    private boolean trusted(String address) {
        return trustedProxies.stream().anyMatch(range -> range.contains(address));
    }

    static void secure(HttpServletRequest request, HttpServletResponse response) {
        response.setHeader("Content-Security-Policy", CONTENT_POLICY);
        response.setHeader("X-Frame-Options", "DENY");
        response.setHeader("X-Content-Type-Options", "nosniff");
        response.setHeader("Referrer-Policy", "no-referrer");
        response.setHeader("Cache-Control", "no-store");
        response.setHeader("X-Request-Id", Call.requestId(request));
        if (request.isSecure()) {
            response.setHeader("Strict-Transport-Security", "max-age=31536000; includeSubDomains");
        }
    }
}
