package dev.vigil.api.access;

import dev.vigil.api.web.Access;
import dev.vigil.api.web.Answer;
import dev.vigil.api.web.Authenticator;
import dev.vigil.api.web.Call;
import dev.vigil.api.web.Caller;
import dev.vigil.api.web.Code;
import dev.vigil.api.web.Fields;
import dev.vigil.api.web.Problem;
import dev.vigil.api.web.ProblemException;
import dev.vigil.api.web.Route;
import dev.vigil.api.web.Routes;
import dev.vigil.protocol.audit.AuditEvent;
import dev.vigil.protocol.audit.Result;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;

/// Signing in with a password, going on, signing out.
final class AuthRoutes implements Routes {
    private final Users users;
    private final RowSigner signer;
    private final SignIn signIn;
    private final Callers callers;

    /// What signing in is made of.
    record SignIn(PasswordCheck passwords, Sessions sessions, Tokens tokens, FailureThrottle throttle, CallLog log) {}

    AuthRoutes(Users users, RowSigner signer, SignIn signIn, Callers callers) {
        this.users = users;
        this.signer = signer;
        this.signIn = signIn;
        this.callers = callers;
    }

    @Override
    public List<Route> all() {
        return List.of(
                Route.post("/api/auth/login", "login")
                        .about("Identity", "Sign in with name and password")
                        .open(Access.Limit.FAILURES)
                        .body("Login")
                        .answers(200, "TokenAnswer")
                        .handler(this::login),
                Route.post("/api/auth/refresh", "refreshToken")
                        .about("Identity", "Trade a refresh token for new tokens")
                        .open(Access.Limit.FAILURES)
                        .body("RefreshRequest")
                        .answers(200, "TokenAnswer")
                        .handler(this::refresh),
                Route.post("/api/auth/logout", "logout")
                        .about("Identity", "End the sign-in of the token, or of the refresh token in the body")
                        .open(Access.Limit.FAILURES)
                        .body("LogoutRequest")
                        .answers(204, "")
                        .handler(this::logout));
    }

    private Answer login(Call call) throws IOException {
        Fields fields = call.json();
        String username = fields.text("username", PasswordCheck.NAME_LENGTH_MAX);
        String password = fields.text("password", PasswordCheck.LENGTH_MAX);
        fields.finish();
        User user = signIn.passwords
                .check(username, password, call)
                .orElseThrow(() -> new ProblemException(
                        Code.INVALID_CREDENTIALS, "Name or password is wrong, or the account is disabled."));
        AuditEvent event =
                signIn.passwords.event("login", Result.SUCCESS, user, call).with("ip_address", call.address());
        return tokens(user, signIn.sessions.begin(user.id, event));
    }

    private Answer refresh(Call call) throws IOException {
        Fields fields = call.json();
        String token = fields.text("refresh_token", 200);
        fields.finish();
        signIn.throttle.check("refresh", call.address());
        Optional<RefreshToken> session = signIn.sessions.refresh(token, null).map(Sessions.Next::token);
        Optional<User> user = session.flatMap(next -> users.find(next.principal()))
                .filter(User::isActive)
                .filter(signer::signed);
        if (session.isEmpty() || user.isEmpty()) {
            signIn.throttle.failed("refresh", call.address());
            signIn.log.signIn(signIn.passwords.event("refresh", Result.FAILURE, null, call), call.address(), false);
            throw new ProblemException(
                    Code.INVALID_CREDENTIALS, "The refresh token is unknown, ended or was used before; sign in again.");
        }
        signIn.throttle.succeeded("refresh", call.address());
        return tokens(user.get(), session.get());
    }

    private Answer logout(Call call) throws IOException {
        signIn.throttle.check("logout", call.address());
        boolean ended = false;
        String bearer = call.header("Authorization").orElse("");
        if (bearer.regionMatches(true, 0, "Bearer ", 0, 7)
                && callers.authenticate(bearer.substring(7).strip(), call.address())
                        instanceof Authenticator.Outcome.Known(Caller caller)
                && caller.session() != null) {
            ended = signIn.sessions.end(UUID.fromString(caller.session()), "logout");
        }
        if (call.header("Content-Type").isPresent()) {
            Fields fields = call.json();
            Optional<String> token = fields.optionalText("refresh_token", 200);
            fields.finish();
            if (token.isPresent()) {
                ended |= signIn.sessions.logout(token.get());
            }
        }
        if (ended) {
            signIn.throttle.succeeded("logout", call.address());
        } else {
            signIn.throttle.failed("logout", call.address());
        }
        if (!ended && bearer.isEmpty() && call.header("Content-Type").isEmpty()) {
            throw new ProblemException(Problem.of(
                    Code.UNAUTHENTICATED, "Say which sign-in ends: send its token as Bearer, or its refresh_token."));
        }
        return Answer.empty(204);
    }

    private Answer tokens(User user, RefreshToken session) {
        Map<String, Object> body = new LinkedHashMap<>();
        body.put("access_token", signIn.tokens.issue(user, session.family()));
        body.put("token_type", "Bearer");
        body.put("expires_in", signIn.tokens.life().toSeconds());
        body.put("refresh_token", session.text());
        return Answer.json(200, body);
    }
}
