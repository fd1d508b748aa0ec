package dev.vigil.api.access;

import dev.vigil.api.web.Call;
import dev.vigil.api.web.Code;
import dev.vigil.api.web.Problem;
import dev.vigil.api.web.ProblemException;
import dev.vigil.protocol.audit.AuditEvent;
import dev.vigil.protocol.audit.EventType;
import dev.vigil.protocol.audit.Result;
import jakarta.servlet.Filter;
import jakarta.servlet.FilterChain;
import jakarta.servlet.ServletException;
import jakarta.servlet.ServletRequest;
import jakarta.servlet.ServletResponse;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.InstantSource;
import java.util.Base64;
import org.jspecify.annotations.Nullable;

/// Around the OAuth2 endpoints: slows down guessing and records who got a token.
final class TokenThrottleFilter implements Filter {
    private final FailureThrottle throttle;
    private final CallLog log;
    private final OAuthClients clients;
    private final InstantSource time;

    TokenThrottleFilter(FailureThrottle throttle, CallLog log, OAuthClients clients, InstantSource time) {
        this.throttle = throttle;
        this.log = log;
        this.clients = clients;
        this.time = time;
    }

    @Override
    public void doFilter(ServletRequest servletRequest, ServletResponse servletResponse, FilterChain chain)
            throws IOException, ServletException {
        var request = (HttpServletRequest) servletRequest;
        var response = (HttpServletResponse) servletResponse;
        if (request.getRequestURI().equals("/oauth2/jwks")) {
            chain.doFilter(request, response);
            return;
        }
        String clientId = clientId(request);
        String account = clientId == null ? "?" : clientId;
        String address = request.getRemoteAddr();
        throttle.check(account, address);
        if (!log.accepts()) {
            throw new ProblemException(Problem.auditUnavailable());
        }
        chain.doFilter(request, response);
        if (response.getStatus() == Code.INVALID_CREDENTIALS.status()) {
            throttle.failed(account, address);
            log.signIn(event(request, Result.FAILURE, null), address, false);
        } else if (response.getStatus() == HttpServletResponse.SC_OK) {
            throttle.succeeded(account, address);
            // Without an owner it is a program, whose grants are on record with the person behind them.
            clients.ownerOf(account)
                    .ifPresent(owner -> log.signIn(event(request, Result.SUCCESS, owner), address, true));
        }
    }

    private AuditEvent event(HttpServletRequest request, Result result, @Nullable User owner) {
        String action = request.getRequestURI().substring("/oauth2/".length());
        AuditEvent event = AuditEvent.of(EventType.AUTHENTICATION, action, result, time.instant())
                .with("request_id", Call.requestId(request));
        return owner == null ? event : event.user(owner.id).namespace(owner.namespace);
    }

    private static @Nullable String clientId(HttpServletRequest request) {
        String header = request.getHeader("Authorization");
        if (header == null || !header.regionMatches(true, 0, "Basic ", 0, 6)) {
            return request.getParameter("client_id");
        }
        try {
            String pair =
                    new String(Base64.getDecoder().decode(header.substring(6).strip()), StandardCharsets.UTF_8);
            return pair.split(":", 2)[0];
        } catch (IllegalArgumentException e) {
            return null;
        }
    }
}
