package dev.vigil.api.access;

import dev.vigil.api.web.Outbox;
import dev.vigil.protocol.audit.AuditEvent;
import dev.vigil.protocol.audit.EventType;
import dev.vigil.protocol.audit.Result;
import dev.vigil.protocol.id.Id;
import dev.vigil.protocol.id.Kind;
import java.security.MessageDigest;
import java.sql.Array;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Timestamp;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.dao.DataAccessException;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.transaction.support.TransactionTemplate;

/// The table `access.api_key`. A key is stored as a hash only; every change raises the revision, so it is in force on
/// all nodes within 2 s.
final class ApiKeys {
    /// Keys of one owner.
    static final int PER_OWNER_MAX = 100;

    private static final Logger LOG = LoggerFactory.getLogger(ApiKeys.class);
    private static final Duration USE_WRITTEN_EVERY = Duration.ofMinutes(1);
    private static final int USES_MAX = 10_000;

    private final JdbcClient db;
    private final TransactionTemplate transaction;
    private final Tools tools;
    private final InstantSource time;
    private final Map<UUID, Instant> uses = new ConcurrentHashMap<>();

    /// What a change needs besides the rows.
    record Tools(RowSigner signer, Outbox outbox, Revisions revisions) {}

    ApiKeys(JdbcClient db, TransactionTemplate transaction, Tools tools, InstantSource time) {
        this.db = db;
        this.transaction = transaction;
        this.tools = tools;
        this.time = time;
    }

    /// A key and its text, which exists nowhere else.
    record Made(ApiKey key, ApiKeyText text) {}

    private record Row(ApiKey key, byte[] mac) {}

    /// Makes a key.
    ///
    /// @return empty when the owner has too many
    Optional<Made> create(UUID owner, ApiKey.Terms terms, Users.Actor actor) {
        ApiKeyText text = ApiKeyText.next(terms.test());
        var key = new ApiKey(
                Id.next(Kind.API_KEY).uuid(),
                owner,
                terms,
                text.prefix(),
                new ApiKey.Hashes(text.hash(), null, null),
                now(),
                null);
        Boolean stored = transaction.execute(_ -> {
            int rows = insert(key);
            if (rows == 1) {
                note("api_key_created", key, actor);
            }
            return rows == 1;
        });
        return Boolean.TRUE.equals(stored) ? Optional.of(new Made(key, text)) : Optional.empty();
    }

    /// Gives a key a new text; the one before goes on working for a while.
    ///
    /// @param overlap how long; zero ends it at once
    /// @return empty when there is no such key
    Optional<Made> roll(ApiKey old, Duration overlap, Users.Actor actor) {
        ApiKeyText text = ApiKeyText.next(old.terms().test());
        var hashes = overlap.isZero()
                ? new ApiKey.Hashes(text.hash(), null, null)
                : new ApiKey.Hashes(text.hash(), old.hashes().current(), now().plus(overlap));
        var rolled = new ApiKey(
                old.id(), old.owner(), old.terms(), text.prefix(), hashes, old.createdAt(), old.lastUsedAt());
        Boolean stored = transaction.execute(_ -> {
            // The hash is part of the condition: of two rolls at once, one finds nothing to roll.
            int rows = db.sql("""
                            UPDATE access.api_key
                               SET prefix = :prefix, hash = :hash, previous_hash = :previous,
                                   previous_until = :previous_until, mac = :mac
                             WHERE id = :id AND hash = :old
                            """)
                    .param("prefix", rolled.prefix())
                    .param("hash", hashes.current())
                    .param("previous", hashes.previous())
                    .param("previous_until", timestamp(hashes.previousUntil()))
                    .param("mac", tools.signer.sign(rolled))
                    .param("id", old.id())
                    .param("old", old.hashes().current())
                    .update();
            if (rows == 1) {
                note("api_key_rolled", rolled, actor);
            }
            return rows == 1;
        });
        tools.revisions.changed();
        return Boolean.TRUE.equals(stored) ? Optional.of(new Made(rolled, text)) : Optional.empty();
    }

    /// Ends a key.
    boolean delete(ApiKey key, Users.Actor actor) {
        Boolean deleted = transaction.execute(_ -> {
            int rows = db.sql("DELETE FROM access.api_key WHERE id = :id")
                    .param("id", key.id())
                    .update();
            if (rows == 1) {
                note("api_key_deleted", key, actor);
            }
            return rows == 1;
        });
        tools.revisions.changed();
        return Boolean.TRUE.equals(deleted);
    }

    /// Ends all keys of an owner who goes, in the transaction of his going.
    void deleteOf(UUID owner) {
        db.sql("DELETE FROM access.api_key WHERE owner = :owner")
                .param("owner", owner)
                .update();
    }

    Optional<ApiKey> find(UUID id) {
        return db.sql("""
                        SELECT id, owner, name, test, prefix, hash, previous_hash, previous_until, scopes, allowed_ips,
                               created_at, expires_at, last_used_at, mac
                          FROM access.api_key
                         WHERE id = :id
                        """)
                .param("id", id)
                .query(ApiKeys::row)
                .optional()
                .filter(row -> tools.signer.signed(row.key, row.mac))
                .map(Row::key);
    }

    /// The keys of an owner, or of everybody, newest first. A row that nobody signed is left out.
    List<ApiKey> page(@Nullable UUID owner, @Nullable UUID before, int limit) {
        return db
                .sql("""
                        SELECT id, owner, name, test, prefix, hash, previous_hash, previous_until, scopes, allowed_ips,
                               created_at, expires_at, last_used_at, mac
                          FROM access.api_key
                         WHERE (CAST(:owner AS uuid) IS NULL OR owner = :owner)
                           AND (CAST(:before AS uuid) IS NULL OR id < :before)
                         ORDER BY id DESC
                         LIMIT :limit
                        """)
                .param("owner", owner)
                .param("before", before)
                .param("limit", limit)
                .query(ApiKeys::row)
                .stream()
                .filter(row -> tools.signer.signed(row.key, row.mac))
                .map(Row::key)
                .toList();
    }

    /// The key of a text that somebody shows, if it works now.
    Optional<ApiKey> recognise(ApiKeyText shown) {
        if (!shown.isWellFormed()) {
            return Optional.empty();
        }
        byte[] hash = shown.hash();
        Instant now = time.instant();
        return db.sql("""
                        SELECT id, owner, name, test, prefix, hash, previous_hash, previous_until, scopes, allowed_ips,
                               created_at, expires_at, last_used_at, mac
                          FROM access.api_key
                         WHERE hash = :hash OR previous_hash = :hash
                        """)
                .param("hash", hash)
                .query(ApiKeys::row)
                .optional()
                .filter(row -> tools.signer.signed(row.key, row.mac))
                .map(Row::key)
                .filter(key -> worksUntil(key, hash).isAfter(now));
    }

    /// When this text of a key ends.
    static Instant worksUntil(ApiKey key, byte[] hash) {
        Instant end = key.terms().expiresAt();
        Instant until = key.hashes().previousUntil();
        // In constant time, although the look-up by hash has told all there is to learn.
        boolean current = MessageDigest.isEqual(hash, key.hashes().current());
        return current || until == null || until.isAfter(end) ? end : until;
    }

    /// Notes that a key was used, in the table at most once a minute.
    void used(UUID id) {
        Instant now = now();
        Instant last = uses.get(id);
        if (last != null && last.plus(USE_WRITTEN_EVERY).isAfter(now)) {
            return;
        }
        if (uses.size() >= USES_MAX) {
            uses.clear();
        }
        uses.put(id, now);
        try {
            db.sql("""
                            UPDATE access.api_key
                               SET last_used_at = :now
                             WHERE id = :id AND (last_used_at IS NULL OR last_used_at <= :before)
                            """)
                    .param("now", Timestamp.from(now))
                    .param("before", Timestamp.from(now.minus(USE_WRITTEN_EVERY)))
                    .param("id", id)
                    .update();
        } catch (DataAccessException e) {
            LOG.warn("event=api_key_use_not_noted the call goes on; it is noted with the next one after a minute");
        }
    }

    private int insert(ApiKey key) {
        List<String> ips = key.terms().allowedIps();
        return db.sql("""
                        INSERT INTO access.api_key (id, owner, name, test, prefix, hash, scopes, allowed_ips, created_at,
                                                    expires_at, mac)
                        SELECT :id, :owner, :name, :test, :prefix, :hash, :scopes::text[], :allowed_ips::text[],
                               :created_at, :expires_at, :mac
                         WHERE (SELECT count(*) FROM access.api_key WHERE owner = :owner) < :max
                        """)
                .param("id", key.id())
                .param("owner", key.owner())
                .param("name", key.terms().name())
                .param("test", key.terms().test())
                .param("prefix", key.prefix())
                .param("hash", key.hashes().current())
                .param("scopes", key.terms().scopes().toArray(String[]::new))
                .param("allowed_ips", ips == null ? null : ips.toArray(String[]::new))
                .param("created_at", Timestamp.from(key.createdAt()))
                .param("expires_at", Timestamp.from(key.terms().expiresAt()))
                .param("mac", tools.signer.sign(key))
                .param("max", PER_OWNER_MAX)
                .update();
    }

    private void note(String action, ApiKey key, Users.Actor actor) {
        tools.outbox.append(List.of(actor.note(
                AuditEvent.of(EventType.CONFIGURATION_CHANGED, action, Result.SUCCESS, time.instant())
                        .with("target", key.publicId())
                        .with("owner", new Id(Kind.USER, key.owner()).toString()))));
        tools.revisions.raise();
    }

    private Instant now() {
        // As fine as the table keeps it, because the row's HMAC covers it.
        return time.instant().truncatedTo(ChronoUnit.MICROS);
    }

    private static Row row(ResultSet row, int n) throws SQLException {
        var terms = new ApiKey.Terms(
                row.getString("name"),
                row.getBoolean("test"),
                texts(row.getArray("scopes")),
                row.getArray("allowed_ips") == null ? null : texts(row.getArray("allowed_ips")),
                row.getTimestamp("expires_at").toInstant());
        var hashes = new ApiKey.Hashes(
                row.getBytes("hash"), row.getBytes("previous_hash"), instant(row.getTimestamp("previous_until")));
        var key = new ApiKey(
                row.getObject("id", UUID.class),
                row.getObject("owner", UUID.class),
                terms,
                row.getString("prefix"),
                hashes,
                row.getTimestamp("created_at").toInstant(),
                instant(row.getTimestamp("last_used_at")));
        return new Row(key, row.getBytes("mac"));
    }

    private static List<String> texts(Array array) throws SQLException {
        return List.of((String[]) array.getArray());
    }

    private static @Nullable Instant instant(@Nullable Timestamp at) {
        return at == null ? null : at.toInstant();
    }

    private static @Nullable Timestamp timestamp(@Nullable Instant at) {
        return at == null ? null : Timestamp.from(at);
    }
}
