package dev.vigil.api.access;

import dev.vigil.api.web.Access;
import dev.vigil.api.web.Answer;
import dev.vigil.api.web.Call;
import dev.vigil.api.web.Code;
import dev.vigil.api.web.Problem;
import dev.vigil.api.web.ProblemException;
import dev.vigil.api.web.Route;
import dev.vigil.api.web.Routes;
import dev.vigil.api.web.Scope;
import dev.vigil.protocol.audit.Result;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/// Where a program sends a person to sign in and to consent: the authorization endpoint, and the two forms behind it.
final class AuthorizeRoutes implements Routes {
    private static final int FORM_BYTES_MAX = 16 * 1024;

    private final PublicClients clients;
    private final BrowserSession.Cookies cookies;
    private final Deciding deciding;
    private final String issuer;

    /// What a sign-in is decided with.
    record Deciding(
            PasswordCheck passwords,
            Users users,
            RowSigner signer,
            AuthorizationCodes codes,
            CallLog log,
            InstantSource time) {}

    AuthorizeRoutes(PublicClients clients, BrowserSession.Cookies cookies, Deciding deciding, AccessSettings settings) {
        this.clients = clients;
        this.cookies = cookies;
        this.deciding = deciding;
        this.issuer = settings.issuer();
    }

    @Override
    public List<Route> all() {
        return List.of(
                Route.get(BrowserSession.PATH, "authorize")
                        .about("OAuth2", "Sign in to a program: authorization code with PKCE (S256)")
                        .open(Access.Limit.FAILURES)
                        .query("response_type", "client_id", "redirect_uri", "scope", "state", "nonce", "prompt")
                        .query("code_challenge", "code_challenge_method", "max_age", "*")
                        .answers(200, "text/html")
                        .handler(call -> ask(call, call.rawQuery())),
                Route.post(BrowserSession.PATH + "/login", "submitLogin")
                        .about("OAuth2", "The form of the sign-in page")
                        .open(Access.Limit.FAILURES)
                        .body("LoginForm")
                        .answers(303, "")
                        .handler(this::login),
                Route.post(BrowserSession.PATH + "/consent", "submitConsent")
                        .about("OAuth2", "The form of the consent page")
                        .open(Access.Limit.FAILURES)
                        .body("ConsentForm")
                        .answers(303, "")
                        .handler(this::consent),
                Route.get(BrowserSession.PATH + "/style.css", "getSignInStyle")
                        .about("OAuth2", "How both pages look")
                        .open(Access.Limit.NONE)
                        .answers(200, "text/css")
                        .handler(AuthorizeRoutes::style));
    }

    private Answer ask(Call call, String query) {
        return switch (AuthorizationRequest.parse(query, clients, issuer)) {
            case AuthorizationRequest.Parsed.Untrusted(String detail) ->
                throw new ProblemException(Code.MALFORMED_REQUEST, detail);
            case AuthorizationRequest.Parsed.Refused(String redirect) -> seeOther(redirect);
            case AuthorizationRequest.Parsed.Askable(AuthorizationRequest request) -> {
                BrowserSession session = cookies.of(call).orElseGet(cookies::begin);
                User user = signedIn(session, request).orElse(null);
                var form = new SignInPages.Form(query, cookies.formToken(session, query));
                Answer page = user == null
                        ? SignInPages.login(200, form, "")
                        : SignInPages.consent(request, granted(request, user), user, form);
                yield page.header("Set-Cookie", cookies.cookie(session));
            }
        };
    }

    private Answer login(Call call) throws IOException {
        Map<String, String> form = form(call);
        BrowserSession session = session(call, form);
        String query = form.getOrDefault("request", "");
        String username = form.getOrDefault("username", "");
        String password = form.getOrDefault("password", "");
        Optional<User> user;
        try {
            user = password.length() > PasswordCheck.LENGTH_MAX || username.length() > PasswordCheck.NAME_LENGTH_MAX
                    ? Optional.empty()
                    : deciding.passwords.check(username, password, call);
        } catch (ProblemException e) {
            if (e.problem().code() != Code.RATE_LIMITED) {
                throw e;
            }
            return again(429, query, session, e.problem().detail())
                    .header("Retry-After", e.problem().headers().getOrDefault("Retry-After", "1"));
        }
        if (user.isEmpty()) {
            return again(401, query, session, "Name or password is wrong, or the account is disabled.");
        }
        deciding.log.signIn(deciding.passwords.event("login", Result.SUCCESS, user.get(), call), call.address(), true);
        String once = Arrays.stream(query.split("&", -1))
                .filter(pair -> !pair.startsWith("prompt="))
                .collect(Collectors.joining("&"));
        return seeOther(BrowserSession.PATH + "?" + once)
                .header("Set-Cookie", cookies.cookie(cookies.signedIn(user.get())));
    }

    private Answer again(int status, String query, BrowserSession session, String fault) {
        return SignInPages.login(status, new SignInPages.Form(query, cookies.formToken(session, query)), fault);
    }

    private Answer consent(Call call) throws IOException {
        Map<String, String> form = form(call);
        BrowserSession session = session(call, form);
        String query = form.getOrDefault("request", "");
        String decision = form.getOrDefault("decision", "");
        if (decision.equals("leave")) {
            return seeOther(BrowserSession.PATH + "?" + query).header("Set-Cookie", cookies.forget());
        }
        if (!(AuthorizationRequest.parse(query, clients, issuer)
                instanceof AuthorizationRequest.Parsed.Askable(AuthorizationRequest request))) {
            throw notThisForm();
        }
        User user = signedIn(session, request).orElse(null);
        BrowserSession.SignedIn who = session.signedIn();
        if (user == null || who == null) {
            return seeOther(BrowserSession.PATH + "?" + query);
        }
        boolean allowed = decision.equals("allow");
        deciding.log.signIn(
                deciding.passwords
                        .event("consent", allowed ? Result.SUCCESS : Result.DENIED, user, call)
                        .with("client", request.client().id()),
                call.address(),
                true);
        return seeOther(
                allowed
                        ? request.answer(issuer, "code", deciding.codes.next(request, granted(request, user), who))
                        : request.answer(issuer, "error", "access_denied"));
    }

    /// Who is signed in on a browser, if that is recent enough for the request.
    private Optional<User> signedIn(BrowserSession session, AuthorizationRequest request) {
        BrowserSession.SignedIn who = session.signedIn();
        Integer maxAge = request.texts().maxAge();
        if (who == null
                || request.texts().prompt().equals("login")
                || (maxAge != null && who.at().plusSeconds(maxAge).isBefore(deciding.time.instant()))) {
            return Optional.empty();
        }
        return deciding.users
                .find(who.user())
                .filter(User::isActive)
                .filter(deciding.signer::signed)
                .filter(who::still);
    }

    /// What is asked for, as far as the person has it himself.
    private static List<String> granted(AuthorizationRequest request, User user) {
        List<String> own =
                Grants.scopesOf(user.role()).stream().map(Scope::label).toList();
        return request.scopes().stream()
                .filter(scope -> scope.equals(AuthorizationRequest.OPENID) || own.contains(scope))
                .toList();
    }

    private static Map<String, String> form(Call call) throws IOException {
        String type = call.header("Content-Type").orElse("");
        if (!type.startsWith("application/x-www-form-urlencoded")) {
            throw new ProblemException(
                    Problem.of(Code.UNSUPPORTED_MEDIA_TYPE, "This is where the page's own form is sent to."));
        }
        return AuthorizationRequest.parameters(new String(call.body(FORM_BYTES_MAX), StandardCharsets.UTF_8))
                .orElseThrow(AuthorizeRoutes::notThisForm);
    }

    /// The browser that sends a form. Only the page that it was shown can have made it.
    private BrowserSession session(Call call, Map<String, String> form) {
        boolean foreign = call.header("Sec-Fetch-Site")
                .filter(site -> !site.equals("same-origin"))
                .isPresent();
        return cookies.of(call)
                .filter(session -> !foreign
                        && cookies.isFormToken(
                                form.getOrDefault("form", ""), session, form.getOrDefault("request", "")))
                .orElseThrow(AuthorizeRoutes::notThisForm);
    }

    private static ProblemException notThisForm() {
        return new ProblemException(
                Code.PERMISSION_DENIED,
                "The form is not one that this browser was shown, or it was open for too long; go back and start again.");
    }

    private static Answer seeOther(String location) {
        return Answer.empty(303).header("Location", location);
    }

    private static Answer style(Call call) {
        byte[] sheet = SignInPages.read("style.css").getBytes(StandardCharsets.UTF_8);
        return Answer.bytes(200, "text/css; charset=utf-8", sheet).header("Cache-Control", "public, max-age=3600");
    }
}
