package dev.vigil.api.access;

import dev.vigil.api.web.Call;
import java.security.MessageDigest;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/// A browser on the pages of `/oauth2/authorize`, known by its cookie, which is signed and stored nowhere. It lasts
/// just long enough to sign in and to consent; a new password, a disabled user and a deleted one end it at once.
///
/// @param id       random, new with each sign-in
/// @param signedIn who; null before he did
/// @param endsAt   to the second
record BrowserSession(String id, @Nullable SignedIn signedIn, Instant endsAt) {
    /// Where the cookie is sent.
    static final String PATH = "/oauth2/authorize";

    private static final String NAME = "vigil_sign_in";
    private static final Duration BEFORE = Duration.ofMinutes(30);
    private static final Duration AFTER = Duration.ofMinutes(10);

    /// Who signed in, and when.
    ///
    /// @param proof changes with the password
    record SignedIn(UUID user, Instant at, String proof) {
        boolean still(User user) {
            return MessageDigest.isEqual(
                    BrowserSession.proof(user).getBytes(java.nio.charset.StandardCharsets.US_ASCII),
                    proof.getBytes(java.nio.charset.StandardCharsets.US_ASCII));
        }
    }

    /// Reads and writes sessions.
    static final class Cookies {
        private static final String PURPOSE = "access.browser_session";
        private static final String CSRF = "access.browser_session.form";

        private final SignedText texts;
        private final InstantSource time;
        private final boolean secure;

        Cookies(SignedText texts, AccessSettings settings, InstantSource time) {
            this.texts = texts;
            this.time = time;
            this.secure = settings.issuer().startsWith("https:");
        }

        /// A browser that nobody knows yet.
        BrowserSession begin() {
            return new BrowserSession(Secrets.next(), null, seconds().plus(BEFORE));
        }

        /// The browser of somebody who has just shown his password. The id is a new one, so that nobody can have
        /// planted it.
        BrowserSession signedIn(User user) {
            Instant now = seconds();
            return new BrowserSession(Secrets.next(), new SignedIn(user.id, now, proof(user)), now.plus(AFTER));
        }

        Optional<BrowserSession> of(Call call) {
            return call.header("Cookie").stream()
                    .flatMap(header -> List.of(header.split(";\\s*")).stream())
                    .filter(cookie -> cookie.startsWith(NAME + "="))
                    .map(cookie -> cookie.substring(NAME.length() + 1))
                    .flatMap(text -> texts.read(PURPOSE, text).stream())
                    .map(Cookies::read)
                    .filter(session -> session.endsAt.isAfter(time.instant()))
                    .findFirst();
        }

        /// The value of `Set-Cookie`.
        String cookie(BrowserSession session) {
            SignedIn who = session.signedIn;
            String text = texts.of(
                    PURPOSE,
                    List.of(
                            session.id,
                            Long.toString(session.endsAt.getEpochSecond()),
                            who == null ? "" : who.user.toString(),
                            who == null ? "" : Long.toString(who.at.getEpochSecond()),
                            who == null ? "" : who.proof));
            return cookie(text) + "; Max-Age="
                    + Duration.between(time.instant(), session.endsAt).toSeconds();
        }

        /// The value of `Set-Cookie` that makes a browser forget.
        String forget() {
            return cookie("") + "; Max-Age=0";
        }

        private String cookie(String value) {
            return NAME + "=" + value + "; Path=" + PATH + "; HttpOnly; SameSite=Strict" + (secure ? "; Secure" : "");
        }

        /// What a form carries, so that it can only come from a page that this browser was shown.
        String formToken(BrowserSession session, String query) {
            return texts.of(CSRF, List.of(session.id, query));
        }

        boolean isFormToken(String token, BrowserSession session, String query) {
            return texts.read(CSRF, token)
                    .filter(List.of(session.id, query)::equals)
                    .isPresent();
        }

        private static BrowserSession read(List<String> values) {
            SignedIn who = values.get(2).isEmpty()
                    ? null
                    : new SignedIn(
                            UUID.fromString(values.get(2)),
                            Instant.ofEpochSecond(Long.parseLong(values.get(3))),
                            values.get(4));
            return new BrowserSession(values.get(0), who, Instant.ofEpochSecond(Long.parseLong(values.get(1))));
        }

        private Instant seconds() {
            return Instant.ofEpochSecond(time.instant().getEpochSecond());
        }
    }

    private static String proof(User user) {
        return Secrets.text(Secrets.hash(String.valueOf(user.password)));
    }

    @Override
    public String toString() {
        return "BrowserSession until " + endsAt;
    }
}
