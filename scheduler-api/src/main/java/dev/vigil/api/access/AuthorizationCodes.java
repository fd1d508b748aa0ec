package dev.vigil.api.access;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

/// Authorization codes. A code is signed and stored nowhere; it names the sign-in that it begins, so that trading it is
/// one insert that can happen once, and trading it again tells which sign-in to end.
final class AuthorizationCodes {
    private static final String PURPOSE = "access.authorization_code";
    private static final Duration LIFE = Duration.ofSeconds(60);

    private final SignedText texts;
    private final InstantSource time;

    AuthorizationCodes(SignedText texts, InstantSource time) {
        this.texts = texts;
        this.time = time;
    }

    /// What a person granted.
    ///
    /// @param family   the sign-in that the code begins
    /// @param user     who granted it
    /// @param consent  to which program, and what for
    /// @param nonce    for the id token; empty for none
    /// @param signedIn when he showed his password
    record Granted(UUID family, UUID user, Consent consent, String nonce, Instant signedIn) {}

    /// What a program shows for a code.
    record Shown(String client, String redirectUri, String verifier) {}

    /// What a code is worth.
    sealed interface Worth {
        /// It may be traded, if it was not yet.
        record Good(Granted granted) implements Worth {}

        /// Its time is over; whatever it began before ends, because somebody uses it again.
        record Late(UUID family) implements Worth {}

        /// Nothing: forged, or another program's.
        record Nothing() implements Worth {}
    }

    /// A code for what a person granted to a program just now.
    String next(AuthorizationRequest request, List<String> scopes, BrowserSession.SignedIn who) {
        return texts.of(
                PURPOSE,
                List.of(
                        UUID.randomUUID().toString(),
                        who.user().toString(),
                        request.client().id(),
                        request.redirectUri(),
                        request.challenge(),
                        String.join(" ", scopes),
                        request.texts().nonce(),
                        Long.toString(who.at().getEpochSecond()),
                        Long.toString(time.instant().plus(LIFE).toEpochMilli())));
    }

    /// Reads a code that a program shows.
    Worth read(String code, Shown shown) {
        Optional<List<String>> read = texts.read(PURPOSE, code);
        if (read.isEmpty()) {
            return new Worth.Nothing();
        }
        List<String> values = read.get();
        if (!values.get(2).equals(shown.client)
                || !values.get(3).equals(shown.redirectUri)
                || !isVerifier(shown.verifier, values.get(4))) {
            return new Worth.Nothing();
        }
        UUID family = UUID.fromString(values.get(0));
        if (!time.instant().isBefore(Instant.ofEpochMilli(Long.parseLong(values.get(8))))) {
            return new Worth.Late(family);
        }
        List<String> scopes = List.of(values.get(5).split(" "));
        return new Worth.Good(new Granted(
                family,
                UUID.fromString(values.get(1)),
                new Consent(values.get(2), scopes),
                values.get(6),
                Instant.ofEpochSecond(Long.parseLong(values.get(7)))));
    }

    private static boolean isVerifier(String verifier, String challenge) {
        if (!verifier.matches("[A-Za-z0-9._~-]{43,128}")) {
            return false;
        }
        String made = Base64.getUrlEncoder().withoutPadding().encodeToString(Secrets.hash(verifier));
        return MessageDigest.isEqual(
                made.getBytes(StandardCharsets.US_ASCII), challenge.getBytes(StandardCharsets.US_ASCII));
    }
}
