package dev.vigil.api.vault;

import dev.vigil.api.web.Cidr;
import dev.vigil.protocol.audit.EventType;
import dev.vigil.protocol.audit.Result;
import dev.vigil.protocol.id.Id;
import dev.vigil.protocol.id.Kind;
import dev.vigil.protocol.id.UuidV7;
import io.jsonwebtoken.Claims;
import io.jsonwebtoken.ExpiredJwtException;
import io.jsonwebtoken.JwtException;
import io.jsonwebtoken.JwtParser;
import io.jsonwebtoken.Jwts;
import io.jsonwebtoken.security.Keys;
import java.security.MessageDigest;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.Date;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.UUID;
import javax.crypto.SecretKey;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.json.JsonMapper;

/// Invitations to enrol, table `vault.join_token`. The token is a JWT under a key of the vault and says what it allows;
/// the row counts its uses, sealed so that SQL cannot set it back. A token is shown once and not stored.
final class JoinTokens {
    static final Duration LIFE = Duration.ofMinutes(15);
    static final Duration LIFE_MAX = Duration.ofDays(1);

    private static final int TOKEN_LENGTH_MAX = 8192;
    private static final String ISSUER = "vigil";
    private static final String AUDIENCE = "enrol";
    private static final JsonMapper JSON = JsonMapper.shared();

    private final VaultStore store;
    private final VaultKeys keys;
    private final SecretKey key;
    private final JwtParser parser;

    JoinTokens(VaultStore store, MasterKeys masters) {
        this.store = store;
        this.keys = new VaultKeys(masters);
        this.key = Keys.hmacShaKeyFor(masters.key("join-token"));
        // One algorithm, no compression, and everything that must be there is asked for: jjwt alone accepts a token
        // that never ends, and inflates one of 194 KB to 200 MB.
        this.parser = Jwts.parser()
                .verifyWith(key)
                .sig()
                .clear()
                .add(Jwts.SIG.HS256)
                .and()
                .zip()
                .clear()
                .and()
                .requireIssuer(ISSUER)
                .requireAudience(AUDIENCE)
                .clock(() -> Date.from(store.time().instant()))
                .build();
    }

    /// What a token allows.
    ///
    /// @param group  the group of the workers it admits; `service:<name>` admits that service
    /// @param labels labels they get
    /// @param hosts  names and addresses in the certificate of a service
    /// @param cidr   where they may call from; null for anywhere
    record Grant(
            String group,
            SortedMap<String, String> labels,
            List<String> hosts,
            @Nullable String cidr) {
        Grant {
            labels = new TreeMap<>(labels);
            hosts = List.copyOf(hosts);
        }
    }

    /// A token that was just made. It is not shown again.
    record Minted(UUID id, String token, Instant expiresAt) {
        @Override
        public String toString() {
            return "Minted[" + id + "]";
        }
    }

    /// A token as lists show it.
    ///
    /// @param state `open`, `used`, `expired` or `revoked`
    record Listed(
            String id,
            String group,
            Map<String, String> labels,
            List<String> hosts,
            @Nullable String cidr,
            int uses,
            int used,
            String state,
            String createdBy,
            Instant createdAt,
            Instant expiresAt) {
        static UUID uuid(Listed token) {
            return Id.parse(Kind.JOIN_TOKEN, token.id).orElseThrow().uuid();
        }
    }

    /// What redeeming a token gave.
    sealed interface Redeemed {
        record Granted(UUID id, Grant grant) implements Redeemed {}

        /// Not ours, changed, revoked, or from an address it does not allow.
        record Invalid(String why) implements Redeemed {}

        record Expired() implements Redeemed {}

        record Used(UUID id) implements Redeemed {}
    }

    /// Makes a token.
    ///
    /// @param by who asked for it
    Minted mint(Grant grant, int uses, Duration life, UUID by) {
        UUID id = UuidV7.next();
        Instant now = store.time().instant();
        Instant end = now.plus(life);
        String token = Jwts.builder()
                .id(new Id(Kind.JOIN_TOKEN, id).toString())
                .issuer(ISSUER)
                .audience()
                .add(AUDIENCE)
                .and()
                .issuedAt(Date.from(now))
                .expiration(Date.from(end))
                .claim("grp", grant.group())
                .claim("lbl", grant.labels())
                .claim("hosts", grant.hosts())
                .claim("cidr", grant.cidr())
                .claim("uses", uses)
                .signWith(key, Jwts.SIG.HS256)
                .compact();
        store.transactions().executeWithoutResult(_ -> {
            store.db()
                    .sql("""
                            INSERT INTO vault.join_token
                                   (id, worker_group, labels, hosts, cidr, uses_max, created_by, expires_at, mac)
                            VALUES (:id, :group, :labels::jsonb, :hosts, :cidr, :uses, :by, :end, :mac)
                            """)
                    .param("id", id)
                    .param("group", grant.group())
                    .param("labels", JSON.writeValueAsString(grant.labels()))
                    .param("hosts", grant.hosts().toArray(String[]::new))
                    .param("cidr", grant.cidr())
                    .param("uses", uses)
                    .param("by", by)
                    .param("end", end.atOffset(ZoneOffset.UTC))
                    .param("mac", seal(id, new Counter(uses, 0, false, null)))
                    .update();
            store.events()
                    .append(store.events()
                            .event(EventType.CONFIGURATION_CHANGED, "create_join_token", Result.SUCCESS)
                            .user(by)
                            .with("join_token_id", new Id(Kind.JOIN_TOKEN, id).toString())
                            .with("group", grant.group()));
        });
        return new Minted(id, token, end);
    }

    /// Uses a token once, inside the caller's transaction: when that rolls back, the use is given back.
    ///
    /// @param address where the call came from
    Redeemed redeem(String token, String address) {
        Claims claims;
        try {
            if (token.length() > TOKEN_LENGTH_MAX) {
                return new Redeemed.Invalid("too_long");
            }
            claims = parser.parseSignedClaims(token).getPayload();
        } catch (ExpiredJwtException _) {
            return new Redeemed.Expired();
        } catch (JwtException | IllegalArgumentException _) {
            return new Redeemed.Invalid("not_ours");
        }
        Optional<UUID> id = Optional.ofNullable(claims.getId())
                .flatMap(text -> Id.parse(Kind.JOIN_TOKEN, text))
                .map(Id::uuid);
        if (id.isEmpty() || claims.getExpiration() == null) {
            return new Redeemed.Invalid("not_ours");
        }
        Grant grant = grant(claims);
        if (grant.cidr() != null
                && !Cidr.parse(grant.cidr())
                        .map(range -> range.contains(address))
                        .orElse(false)) {
            return new Redeemed.Invalid("address");
        }
        return use(id.get(), grant);
    }

    private Redeemed use(UUID id, Grant grant) {
        // Of a hundred that come at once the row lock lets one by one in, and each sees what the one before counted.
        Optional<Counter> held = hold(id);
        if (held.isEmpty()) {
            return new Redeemed.Invalid("unknown");
        }
        Counter counter = held.get();
        if (!MessageDigest.isEqual(seal(id, counter), counter.mac)) {
            store.events().brokenRow("vault.join_token", new Id(Kind.JOIN_TOKEN, id).toString());
            return new Redeemed.Invalid("row_seal_broken");
        }
        if (counter.revoked) {
            return new Redeemed.Invalid("revoked");
        }
        if (counter.uses >= counter.usesMax) {
            return new Redeemed.Used(id);
        }
        store.db()
                .sql("""
                        UPDATE vault.join_token
                           SET uses = uses + 1, mac = :mac
                         WHERE id = :id
                        """)
                .param("id", id)
                .param("mac", seal(id, new Counter(counter.usesMax, counter.uses + 1, false, null)))
                .update();
        return new Redeemed.Granted(id, grant);
    }

    /// What is counted of a token; what it allows stands in the token itself.
    ///
    /// @param mac as stored; null in rows that nobody sealed
    private record Counter(int usesMax, int uses, boolean revoked, byte @Nullable [] mac) {}

    private Optional<Counter> hold(UUID id) {
        return store.db()
                .sql("""
                        SELECT uses_max, uses, revoked_at IS NOT NULL AS revoked, mac
                          FROM vault.join_token
                         WHERE id = :id
                           FOR UPDATE
                        """)
                .param("id", id)
                .query((row, _) -> new Counter(
                        row.getInt("uses_max"), row.getInt("uses"), row.getBoolean("revoked"), row.getBytes("mac")))
                .optional();
    }

    private byte[] seal(UUID id, Counter counter) {
        return keys.mac("vault.join_token", SealedBytes.fields(id, counter.usesMax, counter.uses, counter.revoked));
    }

    private static Grant grant(Claims claims) {
        var labels = new TreeMap<String, String>();
        if (claims.get("lbl") instanceof Map<?, ?> map) {
            map.forEach((name, value) -> labels.put(String.valueOf(name), String.valueOf(value)));
        }
        List<String> hosts = claims.get("hosts") instanceof List<?> list
                ? list.stream().map(String::valueOf).toList()
                : List.of();
        return new Grant(String.valueOf(claims.get("grp")), labels, hosts, claims.get("cidr", String.class));
    }

    /// Tokens, newest first.
    ///
    /// @param before the last of the page before; [Workers#NEWEST] for the first page
    List<Listed> page(UUID before, int limit) {
        Instant now = store.time().instant();
        return store.db()
                .sql("""
                        SELECT id, worker_group, labels, hosts, cidr, uses_max, uses, revoked_at, created_by,
                               created_at, expires_at
                          FROM vault.join_token
                         WHERE id < :before
                         ORDER BY id DESC
                         LIMIT :limit
                        """)
                .param("before", before)
                .param("limit", limit)
                .query((row, _) -> {
                    Instant end =
                            row.getObject("expires_at", OffsetDateTime.class).toInstant();
                    String state = row.getObject("revoked_at") != null
                            ? "revoked"
                            : row.getInt("uses") >= row.getInt("uses_max")
                                    ? "used"
                                    : now.isBefore(end) ? "open" : "expired";
                    return new Listed(
                            new Id(Kind.JOIN_TOKEN, row.getObject("id", UUID.class)).toString(),
                            row.getString("worker_group"),
                            Rows.labels(row.getString("labels")),
                            Rows.texts(row, "hosts"),
                            row.getString("cidr"),
                            row.getInt("uses_max"),
                            row.getInt("uses"),
                            state,
                            new Id(Kind.USER, row.getObject("created_by", UUID.class)).toString(),
                            row.getObject("created_at", OffsetDateTime.class).toInstant(),
                            end);
                })
                .list();
    }

    /// Revokes a token; those it admitted stay.
    ///
    /// @return false when there is no such token, or it is revoked already
    boolean revoke(UUID id, UUID by) {
        return Boolean.TRUE.equals(store.transactions().execute(_ -> {
            Optional<Counter> open = hold(id).filter(counter -> !counter.revoked);
            if (open.isPresent()) {
                Counter revoked = new Counter(open.get().usesMax, open.get().uses, true, null);
                store.db()
                        .sql("""
                                UPDATE vault.join_token
                                   SET revoked_at = clock_timestamp(), mac = :mac
                                 WHERE id = :id
                                """)
                        .param("id", id)
                        .param("mac", seal(id, revoked))
                        .update();
                store.events()
                        .append(store.events()
                                .event(EventType.CONFIGURATION_CHANGED, "revoke_join_token", Result.SUCCESS)
                                .user(by)
                                .with("join_token_id", new Id(Kind.JOIN_TOKEN, id).toString()));
            }
            return open.isPresent();
        }));
    }
}
