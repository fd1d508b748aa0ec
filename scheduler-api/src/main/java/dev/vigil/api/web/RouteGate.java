package dev.vigil.api.web;

import dev.vigil.protocol.audit.Origin;
import jakarta.servlet.Filter;
import jakarta.servlet.FilterChain;
import jakarta.servlet.ServletException;
import jakarta.servlet.ServletRequest;
import jakarta.servlet.ServletResponse;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.function.IntSupplier;
import org.jspecify.annotations.Nullable;
import org.springframework.dao.NonTransientDataAccessException;
import org.springframework.dao.NonTransientDataAccessResourceException;

/// Lets a request through to its route, or answers why not. Denies by default: what the [RouteTable] does not list is
/// 401 for strangers and 404 for everybody else.
public final class RouteGate implements Filter {
    static final String CALL = "vigil.call";

    private final RouteTable table;
    private final Authenticator authenticator;
    private final RateLimits limits;
    private final Surroundings surroundings;

    /// What the gate needs to know of the process around it.
    ///
    /// @param workerPort the port of `/worker/**` and `/internal/**`, which exist there and nowhere else
    /// @param watch      is told about every answer
    /// @param audit      whether events of a change can be written; asked when a change failed
    public record Surroundings(IntSupplier workerPort, CallWatch watch, BooleanSupplier audit) {}

    public RouteGate(RouteTable table, Authenticator authenticator, RateLimits limits, Surroundings surroundings) {
        this.table = table;
        this.authenticator = authenticator;
        this.limits = limits;
        this.surroundings = surroundings;
    }

    /// What is known about a request while it is on its way, for [CallWatch].
    private static final class Progress {
        private final long started = System.nanoTime();
        private @Nullable Caller caller;
        private @Nullable String operation;
        private @Nullable Code code;
    }

    @Override
    public void doFilter(ServletRequest servletRequest, ServletResponse servletResponse, FilterChain chain)
            throws IOException {
        var request = (HttpServletRequest) servletRequest;
        var response = (HttpServletResponse) servletResponse;
        new Origin(Call.requestId(request), request.getRemoteAddr()).handle(() -> pass(request, response, chain));
    }

    private void pass(HttpServletRequest request, HttpServletResponse response, FilterChain chain) throws IOException {
        var progress = new Progress();
        try {
            request.setAttribute(CALL, admit(request, response, progress));
            chain.doFilter(request, response);
        } catch (RuntimeException e) {
            Problem problem = unrecorded(e) ? Problem.auditUnavailable() : Problems.of(e, Call.requestId(request));
            progress.code = problem.code();
            if (problem.code().status() == 401) {
                problem = challenge(problem);
            }
            Problems.write(request, response, problem);
        } catch (ServletException e) {
            throw new IOException("a filter behind the gate failed", e);
        } finally {
            var took = Duration.ofNanos(System.nanoTime() - progress.started);
            surroundings.watch.answered(new CallWatch.Answered(
                    progress.caller,
                    progress.operation,
                    request.getMethod(),
                    response.getStatus(),
                    progress.code,
                    request.getRemoteAddr(),
                    Call.requestId(request),
                    took));
        }
    }

    /// Whether a change failed because its event could not be written.
    private boolean unrecorded(RuntimeException fault) {
        return fault instanceof NonTransientDataAccessException
                && !(fault instanceof NonTransientDataAccessResourceException)
                && !surroundings.audit.getAsBoolean();
    }

    private Call admit(HttpServletRequest request, HttpServletResponse response, Progress progress) {
        String path = request.getRequestURI();
        boolean workerPort = request.getLocalPort() == surroundings.workerPort.getAsInt();
        boolean workerPath = path.startsWith("/worker/") || path.startsWith("/internal/");
        RouteTable.Match match =
                workerPort == workerPath ? table.find(request.getMethod(), path) : new RouteTable.Match.Nothing();
        if (match instanceof RouteTable.Match.Found found) {
            progress.operation = found.route().operation().id();
            if (found.route().access() instanceof Access.Open open) {
                limitOpen(open.limit(), request, response);
                return new Call(request, found, null);
            }
        }
        if (workerPort) {
            return admitPeer(request, match);
        }
        if (match instanceof RouteTable.Match.WrongMethod wrong && wrong.open()) {
            throw wrongMethod(wrong);
        }
        Caller caller = authenticate(request, response);
        progress.caller = caller;
        if (!surroundings.watch.accepts()) {
            throw new ProblemException(Problem.auditUnavailable());
        }
        apply(limits.ofPrincipal(caller), response);
        return switch (match) {
            case RouteTable.Match.Nothing() -> throw new ProblemException(Problem.notFound());
            case RouteTable.Match.WrongMethod wrong -> throw wrongMethod(wrong);
            case RouteTable.Match.Found found -> {
                authorize(found.route(), caller);
                holdTestKey(found.route(), caller, request);
                yield new Call(request, found, caller, () -> again(request, found.route()));
            }
        };
    }

    private static Call admitPeer(HttpServletRequest request, RouteTable.Match match) {
        if (Call.certificate(request).isEmpty()) {
            throw new ProblemException(
                    Code.CERTIFICATE_REQUIRED,
                    "This port serves peers that show a certificate of this system's CA; enrol first.");
        }
        return switch (match) {
            case RouteTable.Match.Nothing() -> throw new ProblemException(Problem.notFound());
            case RouteTable.Match.WrongMethod wrong -> throw wrongMethod(wrong);
            case RouteTable.Match.Found found -> new Call(request, found, null);
        };
    }

    private static ProblemException wrongMethod(RouteTable.Match.WrongMethod wrong) {
        return new ProblemException(
                Problem.of(Code.METHOD_NOT_ALLOWED, "This path answers to " + wrong.allowed() + " only.")
                        .header("Allow", wrong.allowed()));
    }

    private Caller authenticate(HttpServletRequest request, HttpServletResponse response) {
        String header = request.getHeader("Authorization");
        if (header == null) {
            apply(limits.ofStranger(request.getRemoteAddr()), response);
            throw new ProblemException(
                    Code.UNAUTHENTICATED, "This call needs a token; send Authorization: Bearer followed by it.");
        }
        if (header.regionMatches(true, 0, "Bearer ", 0, 7)
                && authenticator.authenticate(header.substring(7).strip(), request.getRemoteAddr())
                        instanceof Authenticator.Outcome.Known known) {
            return known.caller();
        }
        apply(limits.ofStranger(request.getRemoteAddr()), response);
        throw new ProblemException(
                Code.INVALID_TOKEN,
                "The token is unknown, ended, revoked, or its owner is disabled; get a new one and send it as Bearer.");
    }

    /// Whether the call of a request that is being answered would still be let in.
    private Optional<Caller> again(HttpServletRequest request, Route route) {
        String header = request.getHeader("Authorization");
        var access = (Access.Bearer) route.access();
        return header != null
                        && authenticator.authenticate(header.substring(7).strip(), request.getRemoteAddr())
                                instanceof Authenticator.Outcome.Known(Caller caller)
                        && access.roles().contains(caller.role())
                        && (access.scope() == null || caller.scopes().contains(access.scope()))
                ? Optional.of(caller)
                : Optional.empty();
    }

    private static void authorize(Route route, Caller caller) {
        var access = (Access.Bearer) route.access();
        if (!access.roles().contains(caller.role())) {
            throw new ProblemException(
                    Code.ROLE_MISSING,
                    "Your role " + caller.role().label() + " may not do this; ask an admin who may.");
        }
        Scope scope = access.scope();
        if (scope != null && !caller.scopes().contains(scope)) {
            throw new ProblemException(
                    Code.SCOPE_MISSING,
                    "Your token was not issued for " + scope.label() + "; ask for a token with that scope.");
        }
    }

    /// A test key reads; in a sandbox it also writes what runs there. It changes nothing else anywhere, so that a
    /// script under test cannot do harm with it.
    private static void holdTestKey(Route route, Caller caller, HttpServletRequest request) {
        Caller.Key key = caller.key();
        if (key == null
                || !key.test()
                || request.getMethod().equals("GET")
                || request.getMethod().equals("HEAD")) {
            return;
        }
        Scope scope = ((Access.Bearer) route.access()).scope();
        boolean stored = !List.of(String.valueOf(request.getQueryString()).split("&", -1))
                .contains("dry_run=true");
        boolean tasks = scope == Scope.TASKS_WRITE || scope == Scope.EXECUTIONS_CONTROL;
        boolean reads = scope == Scope.TASKS_READ || scope == Scope.EXECUTIONS_READ;
        if (reads || (tasks && (!stored || caller.mayRunIn(caller.namespace())))) {
            return;
        }
        throw new ProblemException(
                Code.PERMISSION_DENIED,
                tasks
                        ? "A test key runs nothing outside a sandbox namespace; use dry_run=true, or a live key."
                        : "A test key changes nothing but tasks of a sandbox namespace; use a live key.");
    }

    private void limitOpen(Access.Limit limit, HttpServletRequest request, HttpServletResponse response) {
        switch (limit) {
            case NONE, FAILURES -> {}
            case HEALTH -> apply(limits.ofHealth(request.getRemoteAddr()), response);
            case UNAUTHENTICATED -> apply(limits.ofStranger(request.getRemoteAddr()), response);
        }
    }

    private static void apply(RateLimits.Verdict verdict, HttpServletResponse response) {
        response.setHeader("RateLimit-Policy", verdict.policyHeader());
        response.setHeader("RateLimit", verdict.limitHeader());
        if (!verdict.allowed()) {
            throw new ProblemException(Problem.of(
                            Code.RATE_LIMITED,
                            "You may call " + verdict.quota() + " times in " + verdict.windowSeconds() + " s; wait "
                                    + verdict.retrySeconds() + " s.")
                    .header("Retry-After", Long.toString(verdict.retrySeconds())));
        }
    }

    private static Problem challenge(Problem problem) {
        // RFC 6750 section 3.1: no error code when the request lacked any credentials.
        String error = problem.code() == Code.INVALID_TOKEN ? ", error=\"invalid_token\"" : "";
        return problem.headers().containsKey("WWW-Authenticate")
                ? problem
                : problem.header("WWW-Authenticate", "Bearer realm=\"vigil\"" + error);
    }
}
