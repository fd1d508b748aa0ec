package dev.vigil.api.access;

import dev.vigil.api.web.Answer;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/// The pages of `/oauth2/authorize`, plain forms without a script. Whatever is shown was escaped, and the policy lets
/// nothing run that was not.
final class SignInPages {
    private static final Pattern PLACE = Pattern.compile("\\{\\{([a-z]+)}}");
    private static final String PAGE = read("page.html");
    private static final String LOGIN = read("login.html");
    private static final String CONSENT = read("consent.html");

    private SignInPages() {}

    /// What a form brings back.
    ///
    /// @param query the request that it is about
    /// @param token proves that this browser was shown the form
    record Form(String query, String token) {}

    /// Asks for name and password.
    ///
    /// @param fault why it is asked again; empty at first
    static Answer login(int status, Form form, String fault) {
        String said = fault.isEmpty() ? "" : "<p class=\"error\" role=\"alert\">" + escape(fault) + "</p>";
        String body = fill(LOGIN, Map.of("fault", said, "request", escape(form.query), "form", escape(form.token)));
        return page(status, Map.of("title", "Sign in", "body", body), "form-action 'self'");
    }

    /// Asks whether a program may do what it asks for.
    static Answer consent(AuthorizationRequest request, List<String> scopes, User user, Form form) {
        String items = scopes.stream()
                .map(scope -> "<li><code>" + escape(scope) + "</code></li>")
                .collect(Collectors.joining("\n"));
        URI target = URI.create(request.redirectUri());
        String origin = target.getScheme() + "://" + target.getRawAuthority();
        String body = fill(
                CONSENT,
                Map.of(
                        "user", escape(user.username),
                        "client", escape(request.client().id()),
                        "scopes", items,
                        "origin", escape(origin),
                        "request", escape(form.query),
                        "form", escape(form.token)));
        // Browsers hold the redirect after a form to this policy too.
        return page(200, Map.of("title", "Allow access?", "body", body), "form-action 'self' " + origin);
    }

    private static Answer page(int status, Map<String, String> values, String formAction) {
        byte[] bytes = fill(PAGE, values).getBytes(StandardCharsets.UTF_8);
        return Answer.bytes(status, "text/html; charset=utf-8", bytes)
                .header(
                        "Content-Security-Policy",
                        "default-src 'none'; style-src 'self'; img-src 'self'; frame-ancestors 'none'; base-uri 'none'; "
                                + formAction);
    }

    /// A page with its places filled, in one go: what is filled in is not looked at again.
    private static String fill(String page, Map<String, String> values) {
        return PLACE.matcher(page)
                .replaceAll(place -> Matcher.quoteReplacement(values.getOrDefault(place.group(1), "")));
    }

    /// What a style sheet or page of this folder holds.
    static String read(String name) {
        try (InputStream in = SignInPages.class.getResourceAsStream("/sign-in/" + name)) {
            if (in == null) {
                throw new IllegalStateException("sign-in/" + name + " is missing in the jar; was it built completely?");
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String escape(String text) {
        var escaped = new StringBuilder(text.length() + 16);
        text.chars().forEach(c -> {
            switch (c) {
                case '&' -> escaped.append("&amp;");
                case '<' -> escaped.append("&lt;");
                case '>' -> escaped.append("&gt;");
                case '"' -> escaped.append("&quot;");
                case '\'' -> escaped.append("&#39;");
                default -> escaped.append((char) c);
            }
        });
        return escaped.toString();
    }
}
