package dev.vigil.api.vault;

import dev.vigil.api.vault.PayloadReferences.TokenNamed;
import dev.vigil.protocol.audit.EventType;
import dev.vigil.protocol.audit.Result;
import dev.vigil.protocol.payload.Purpose;
import dev.vigil.scheduler.task.SubjectTasks.Person;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.Collection;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/// The table `vault.pii_token`: what stands for a personal value in payloads. Sealed under the subject's key, so the
/// erasure of the subject is the end of the value.
final class PiiTokens {
    private final VaultStore store;
    private final SubjectIndex subjects;
    private final RowSealer sealer;

    PiiTokens(VaultStore store, SubjectIndex subjects, RowSealer sealer) {
        this.store = store;
        this.subjects = subjects;
        this.sealer = sealer;
    }

    /// A token to be made.
    ///
    /// @param subject the person whose value it is
    record Wish(int namespace, String kind, String subject, byte[] value, UUID by) {
        @Override
        public String toString() {
            return "Wish[" + kind + "]";
        }
    }

    /// A token with its value; not printed.
    record Resolved(String token, String kind, byte[] value) {
        @Override
        public String toString() {
            return "Resolved[" + token + "]";
        }
    }

    /// A token as it is handed to the person himself; not printed.
    ///
    /// @param value     null when it does not open
    /// @param createdBy who made it
    record Kept(UUID id, String token, String kind, byte @Nullable [] value, UUID createdBy, Instant createdAt) {
        @Override
        public String toString() {
            return "Kept[" + token + "]";
        }
    }

    private record Row(UUID id, int namespace, String kind, RowSealer.Sealed sealed) {
        String token() {
            return new TokenNamed(kind, id).stored();
        }
    }

    /// Makes a token. Two for the same value have nothing in common.
    ///
    /// @return its text
    /// @throws SubjectUnderErasureException while the subject is being erased
    String create(Wish wish) {
        byte[] subject = subjects.of(wish.namespace, wish.subject);
        // Random all through: nobody finds a token by counting.
        UUID id = UUID.randomUUID();
        String token = new TokenNamed(wish.kind, id).stored();
        RowSealer.Sealed sealed = sealer.seal(row(id, wish.namespace, wish.kind), subject, wish.value);
        store.transactions().executeWithoutResult(_ -> {
            store.db()
                    .sql("""
                            INSERT INTO vault.pii_token (id, namespace, kind, subject_index, key_id, sealed, created_by)
                            VALUES (:id, :namespace, :kind, :subject, :key, :sealed, :by)
                            """)
                    .param("id", id)
                    .param("namespace", wish.namespace)
                    .param("kind", wish.kind)
                    .param("subject", subject)
                    .param("key", sealed.keyId())
                    .param("sealed", sealed.record())
                    .param("by", wish.by)
                    .update();
            store.events()
                    .append(store.events()
                            .event(EventType.CONFIGURATION_CHANGED, "create_token", Result.SUCCESS)
                            .user(wish.by)
                            .namespace(wish.namespace)
                            .subject(HexFormat.of().formatHex(subject))
                            .with("token", token));
        });
        return token;
    }

    /// Those of the tokens that are there, with the key that their value is sealed under.
    Map<TokenNamed, UUID> known(int namespace, Collection<TokenNamed> tokens) {
        var known = new HashMap<TokenNamed, UUID>();
        store.db()
                .sql("""
                        SELECT id, namespace, kind, key_id, sealed
                          FROM vault.pii_token
                         WHERE namespace = :namespace AND id = ANY (:ids::uuid[])
                        """)
                .param("namespace", namespace)
                .param("ids", tokens.stream().map(TokenNamed::id).toArray(UUID[]::new))
                .query(PiiTokens::row)
                .list()
                .forEach(row -> known.put(new TokenNamed(row.kind, row.id), row.sealed.keyId()));
        known.keySet().retainAll(tokens);
        return known;
    }

    /// The value of a token. Whoever calls this has checked that the reader may, and records it.
    ///
    /// @return empty when there is none, or its subject was erased
    Optional<Resolved> value(int namespace, TokenNamed token) {
        return store.db()
                .sql("""
                        SELECT id, namespace, kind, key_id, sealed
                          FROM vault.pii_token
                         WHERE namespace = :namespace AND id = :id AND kind = :kind
                        """)
                .param("namespace", namespace)
                .param("id", token.id())
                .param("kind", token.kind())
                .query(PiiTokens::row)
                .optional()
                .flatMap(this::open);
    }

    /// A page of a person's tokens with their values, for his own request, in the order of their ids.
    ///
    /// @param after the last id of the page before; all zeros for the first page
    List<Kept> of(Person person, UUID after, int limit) {
        return store.db()
                .sql("""
                        SELECT id, namespace, kind, key_id, sealed, created_by, created_at
                          FROM vault.pii_token
                         WHERE namespace = :namespace AND subject_index = :subject AND id > :after
                         ORDER BY id
                         LIMIT :limit
                        """)
                .param("namespace", person.namespace())
                .param("subject", person.subjectIndex())
                .param("after", after)
                .param("limit", limit)
                .query((row, number) -> kept(
                        row(row, number),
                        row.getObject("created_by", UUID.class),
                        row.getObject("created_at", OffsetDateTime.class)))
                .list();
    }

    private Kept kept(Row row, UUID by, OffsetDateTime at) {
        byte[] value = open(row).map(Resolved::value).orElse(null);
        return new Kept(row.id, row.token(), row.kind, value, by, at.toInstant());
    }

    /// Whether a namespace has any.
    boolean anyIn(int namespace) {
        return store.db()
                .sql("""
                        SELECT EXISTS (SELECT FROM vault.pii_token WHERE namespace = :namespace)
                        """)
                .param("namespace", namespace)
                .query(Boolean.class)
                .single();
    }

    /// Deletes all tokens of a person, inside the caller's transaction. That they cannot be opened any more is his
    /// key's end; this removes what is left.
    int erase(Person person) {
        return store.db()
                .sql("""
                        DELETE FROM vault.pii_token
                         WHERE namespace = :namespace AND subject_index = :subject
                        """)
                .param("namespace", person.namespace())
                .param("subject", person.subjectIndex())
                .update();
    }

    private Optional<Resolved> open(Row row) {
        return sealer.open(row(row.id, row.namespace, row.kind), row.sealed)
                .map(value -> new Resolved(row.token(), row.kind, value));
    }

    private static RowSealer.Row row(UUID id, int namespace, String kind) {
        return new RowSealer.Row(Purpose.TOKEN, namespace, id, 1, kind);
    }

    private static Row row(ResultSet row, int number) throws SQLException {
        return new Row(
                row.getObject("id", UUID.class),
                row.getInt("namespace"),
                row.getString("kind"),
                new RowSealer.Sealed(row.getObject("key_id", UUID.class), row.getBytes("sealed")));
    }
}
