package dev.vigil.api.access;

import dev.vigil.api.web.Authenticator;
import dev.vigil.api.web.Caller;
import dev.vigil.api.web.Cidr;
import dev.vigil.api.web.Scope;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.time.InstantSource;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.springframework.security.oauth2.jwt.Jwt;

/// Recognises access tokens and API keys. Whom they belong to is remembered for at most a minute, by the SHA-256 of
/// what was shown, and only while nothing changed that could matter: see [Revisions].
final class Callers implements Authenticator {
    private static final int CREDENTIAL_LENGTH_MAX = 8192;
    private static final int REMEMBERED_MAX = 10_000;
    private static final long REMEMBERED_NANOS = 60_000_000_000L;

    private final Tokens tokens;
    private final ApiKeys keys;
    private final Revisions revisions;
    private final InstantSource time;
    private final Map<ByteBuffer, Remembered> remembered = new ConcurrentHashMap<>();

    /// A caller who was recognised.
    ///
    /// @param until     when what he showed ends
    /// @param addresses where it works from; empty for everywhere
    private record Recognised(Caller caller, Instant until, List<Cidr> addresses) {}

    private record Remembered(Recognised recognised, long at, long generation) {}

    Callers(Tokens tokens, ApiKeys keys, Revisions revisions, InstantSource time) {
        this.tokens = tokens;
        this.keys = keys;
        this.revisions = revisions;
        this.time = time;
    }

    @Override
    public Outcome authenticate(String bearer, String address) {
        if (bearer.isEmpty() || bearer.length() > CREDENTIAL_LENGTH_MAX) {
            return new Outcome.Refused();
        }
        ByteBuffer hash = ByteBuffer.wrap(Secrets.hash(bearer));
        Recognised recognised = recall(hash);
        if (recognised == null) {
            recognised = recognise(bearer, hash);
        }
        if (recognised == null
                || (!recognised.addresses.isEmpty()
                        && recognised.addresses.stream().noneMatch(range -> range.contains(address)))) {
            return new Outcome.Refused();
        }
        Caller.Key key = recognised.caller.key();
        if (key != null) {
            keys.used(key.id());
        }
        return new Outcome.Known(recognised.caller);
    }

    private @Nullable Recognised recall(ByteBuffer hash) {
        Remembered known = remembered.get(hash);
        return known != null
                        && System.nanoTime() - known.at < REMEMBERED_NANOS
                        && time.instant().isBefore(known.recognised.until)
                        && known.generation == revisions.generation()
                        && revisions.fresh()
                ? known.recognised
                : null;
    }

    private @Nullable Recognised recognise(String bearer, ByteBuffer hash) {
        long at = System.nanoTime();
        // Read before the rows: a change in between makes what is remembered unusable, not stale.
        long generation = revisions.generation();
        Recognised found = bearer.startsWith(ApiKeyText.BEGINNING) ? byKey(bearer) : byToken(bearer);
        if (found == null) {
            remembered.remove(hash);
            return null;
        }
        if (remembered.size() >= REMEMBERED_MAX) {
            remembered.clear();
        }
        remembered.put(hash, new Remembered(found, at, generation));
        return found;
    }

    private @Nullable Recognised byToken(String bearer) {
        Jwt jwt = tokens.verify(bearer).orElse(null);
        Caller caller = jwt == null ? null : tokens.callerOf(jwt);
        if (jwt == null || caller == null) {
            return null;
        }
        Instant until = jwt.getExpiresAt();
        return new Recognised(caller, until == null ? Instant.MIN : until, List.of());
    }

    private @Nullable Recognised byKey(String bearer) {
        var text = new ApiKeyText(bearer);
        ApiKey key = keys.recognise(text).orElse(null);
        if (key == null) {
            return null;
        }
        Set<Scope> scopes = EnumSet.noneOf(Scope.class);
        key.terms().scopes().forEach(label -> Scope.of(label).ifPresent(scopes::add));
        Caller caller = tokens.callerOf(key, scopes);
        List<String> ips = key.terms().allowedIps();
        List<Cidr> addresses = ips == null
                ? List.of()
                : ips.stream().flatMap(ip -> Cidr.parse(ip).stream()).toList();
        return caller == null ? null : new Recognised(caller, ApiKeys.worksUntil(key, text.hash()), addresses);
    }
}
