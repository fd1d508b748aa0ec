package dev.vigil.api.vault;

import dev.vigil.protocol.audit.EventType;
import dev.vigil.protocol.audit.Result;
import dev.vigil.protocol.id.UuidV7;
import dev.vigil.scheduler.task.SubjectTasks.Person;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Types;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.HexFormat;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.transaction.TransactionDefinition;
import org.springframework.transaction.support.TransactionTemplate;

/// The table `vault.data_key`: one key per namespace and month, and one per subject that a task names.
///
/// Keys in use are kept in memory: at most [#CACHED_MAX], five minutes, those of a subject one minute. A destroyed key
/// leaves the memory of the node that destroyed it at once and that of the others with [#forgetDestroyed()].
final class DataKeys {
    static final int CACHED_MAX = 10_000;
    static final Duration MONTH_KEY_CACHED = Duration.ofMinutes(5);
    static final Duration SUBJECT_KEY_CACHED = Duration.ofSeconds(60);

    private static final String NEWEST_OF_MONTH = """
            SELECT id FROM vault.data_key
             WHERE namespace = :namespace AND month = :slot
             ORDER BY generation DESC LIMIT 1
            """;
    private static final String NEWEST_OF_SUBJECT = """
            SELECT id FROM vault.data_key
             WHERE namespace = :namespace AND subject_index = :slot AND month IS NULL
             ORDER BY generation DESC LIMIT 1
            """;
    private static final int MONTH_LEASE = 65_536;
    private static final int SUBJECT_LEASE = 64;
    /// Overlap of two looks for destroyed keys: longer than any transaction may take to become visible.
    private static final Duration LOOK_BACK = Duration.ofSeconds(40);

    private final JdbcClient db;
    private final TransactionTemplate transactions;
    private final TransactionTemplate alone;
    private final MasterKeys masters;
    private final VaultEvents events;
    private final InstantSource time;
    private final long sealsPerKey;
    private final ExpiringKeys<Slot, Lease> leases = new ExpiringKeys<>(CACHED_MAX);
    private final ExpiringKeys<UUID, Opened> opened = new ExpiringKeys<>(CACHED_MAX);
    private final List<Object> locks = Stream.generate(Object::new).limit(64).toList();
    private Instant looked = Instant.EPOCH;

    /// @param sealsPerKey how often one key seals before the next generation takes over
    DataKeys(VaultStore store, MasterKeys masters, long sealsPerKey) {
        this.db = store.db();
        this.transactions = store.transactions();
        this.alone = new TransactionTemplate(Objects.requireNonNull(transactions.getTransactionManager()));
        alone.setPropagationBehavior(TransactionDefinition.PROPAGATION_REQUIRES_NEW);
        this.events = store.events();
        this.time = store.time();
        this.masters = masters;
        this.sealsPerKey = sealsPerKey;
    }

    /// A key to seal with. Do not keep it.
    record SealingKey(UUID id, byte[] key) {
        @Override
        public String toString() {
            return "SealingKey[" + id + "]";
        }
    }

    /// What became of a key that a record names.
    sealed interface Lookup {
        /// The key, 32 bytes; do not keep them.
        record Found(int namespace, byte[] key) implements Lookup {
            @Override
            public String toString() {
                return "Found[hidden]";
            }
        }

        record Destroyed() implements Lookup {}

        record Unknown() implements Lookup {}
    }

    /// The key that seals for a namespace this month, or for one subject.
    ///
    /// @return empty while the subject is being erased
    Optional<SealingKey> forSealing(int namespace, byte @Nullable [] subjectIndex) {
        LocalDate month = LocalDate.ofInstant(time.instant(), ZoneOffset.UTC).withDayOfMonth(1);
        Slot slot = subjectIndex == null ? new Slot(namespace, month, "") : Slot.of(namespace, subjectIndex);
        Optional<SealingKey> ready = leases.get(slot, time.instant()).flatMap(Lease::use);
        if (ready.isPresent()) {
            return ready;
        }
        // One thread of this node fetches; those that wait for it find its lease.
        synchronized (locks.get(Math.floorMod(slot.hashCode(), locks.size()))) {
            return leases.get(slot, time.instant())
                    .flatMap(Lease::use)
                    .or(() -> committed(slot).flatMap(lease -> {
                        Optional<SealingKey> mine = lease.use();
                        leases.put(slot, lease, time.instant().plus(slot.cached()));
                        return mine;
                    }));
        }
    }

    /// The key that a sealed record names.
    Lookup find(UUID id) {
        Optional<Opened> known = opened.get(id, time.instant());
        if (known.isPresent()) {
            return new Lookup.Found(known.get().namespace(), known.get().key().clone());
        }
        Optional<Row> row = db.sql("""
                        SELECT id, namespace, month, subject_index, generation, wrapped
                          FROM vault.data_key
                         WHERE id = :id
                        """).param("id", id).query(DataKeys::row).optional();
        if (row.isEmpty()) {
            return new Lookup.Unknown();
        }
        if (row.get().wrapped() == null) {
            return new Lookup.Destroyed();
        }
        byte[] key = unwrap(row.get());
        Duration cached = row.get().subjectIndex() == null ? MONTH_KEY_CACHED : SUBJECT_KEY_CACHED;
        opened.put(id, new Opened(row.get().namespace(), key), time.instant().plus(cached));
        return new Lookup.Found(row.get().namespace(), key.clone());
    }

    /// Destroys every key of a subject, inside the caller's transaction. The rows stay, without their bytes.
    ///
    /// @return the destroyed keys
    List<UUID> destroy(int namespace, byte[] subjectIndex) {
        List<UUID> destroyed = db.sql("""
                        UPDATE vault.data_key
                           SET wrapped = NULL, destroyed_at = clock_timestamp()
                         WHERE namespace = :namespace AND subject_index = :subject AND month IS NULL
                           AND destroyed_at IS NULL
                        RETURNING id
                        """)
                .param("namespace", namespace)
                .param("subject", subjectIndex)
                .query(UUID.class)
                .list();
        forget(namespace, subjectIndex, destroyed);
        return destroyed;
    }

    /// The destroyed keys of a person.
    List<UUID> destroyed(Person person) {
        return db.sql("""
                        SELECT id
                          FROM vault.data_key
                         WHERE namespace = :namespace AND subject_index = :subject AND month IS NULL
                           AND destroyed_at IS NOT NULL
                         ORDER BY generation
                        """)
                .param("namespace", person.namespace())
                .param("subject", person.subjectIndex())
                .query(UUID.class)
                .list();
    }

    /// Whether every node had two looks at the table since the last key of a person was destroyed, and no key of his
    /// is left.
    boolean forgottenEverywhere(Person person) {
        return db.sql("""
                        SELECT coalesce(bool_and(coalesce(destroyed_at < clock_timestamp() - interval '2 seconds', false)), true)
                          FROM vault.data_key
                         WHERE namespace = :namespace AND subject_index = :subject AND month IS NULL
                        """)
                .param("namespace", person.namespace())
                .param("subject", person.subjectIndex())
                .query(Boolean.class)
                .single();
    }

    /// Drops a subject's keys from this node's memory.
    void forget(int namespace, byte[] subjectIndex, List<UUID> keys) {
        leases.remove(Slot.of(namespace, subjectIndex));
        keys.forEach(opened::remove);
    }

    /// Drops what other nodes destroyed, or began to erase, since the last look. Called once a second.
    void forgetDestroyed() {
        Instant now = time.instant();
        db.sql("""
                        SELECT namespace, subject_index, id
                          FROM vault.data_key
                         WHERE destroyed_at > :since
                        UNION ALL
                        SELECT namespace, subject_index, NULL
                          FROM vault.erasure
                         WHERE ended_at IS NULL
                        """)
                .param("since", looked.minus(LOOK_BACK).atOffset(ZoneOffset.UTC))
                .query(row -> {
                    UUID id = row.getObject(3, UUID.class);
                    forget(row.getInt(1), row.getBytes(2), id == null ? List.of() : List.of(id));
                });
        looked = now;
        leases.dropExpired(now);
        opened.dropExpired(now);
    }

    /// In a transaction of its own: the key is kept in memory, so it must stay when the caller rolls back.
    private Optional<Lease> committed(Slot slot) {
        return Objects.requireNonNull(alone.execute(_ -> lease(slot)));
    }

    private Optional<Lease> lease(Slot slot) {
        for (int tries = 0; tries < 10; tries++) {
            if (slot.subject() != null && erasing(slot)) {
                return Optional.empty();
            }
            Optional<Lease> lease = renew(slot).map(row -> new Lease(row.id(), unwrap(row), lease(slot.month())));
            if (lease.isPresent()) {
                return lease;
            }
            replaceUnusable(slot);
        }
        throw new VaultException("no data key for namespace " + slot.namespace()
                + " after ten tries; are keys destroyed as fast as they are made?");
    }

    private boolean erasing(Slot slot) {
        return db.sql("""
                        SELECT EXISTS (SELECT FROM vault.erasure
                                        WHERE namespace = :namespace AND subject_index = :subject AND ended_at IS NULL)
                        """)
                .param("namespace", slot.namespace())
                .param("subject", slot.subject())
                .query(Boolean.class)
                .single();
    }

    /// Counts a batch of seals on the newest generation; empty when there is none, it is used up or destroyed.
    private Optional<Row> renew(Slot slot) {
        return db.sql("""
                        UPDATE vault.data_key
                           SET seals = seals + :lease
                         WHERE id = (%s) AND destroyed_at IS NULL AND seals + :lease <= :max
                        RETURNING id, namespace, month, subject_index, generation, wrapped
                        """.formatted(slot.month() == null ? NEWEST_OF_SUBJECT : NEWEST_OF_MONTH))
                .param("namespace", slot.namespace())
                .param("slot", slot.value())
                .param("lease", lease(slot.month()))
                .param("max", sealsPerKey)
                .query(DataKeys::row)
                .optional();
    }

    /// Makes the next generation, unless the newest one can seal: then another node made it meanwhile.
    private void replaceUnusable(Slot slot) {
        record Newest(int generation, boolean usable) {}
        Newest newest = db.sql("""
                        SELECT generation, destroyed_at IS NULL AND seals + :lease <= :max AS usable
                          FROM vault.data_key
                         WHERE id = (%s)
                        """.formatted(slot.month() == null ? NEWEST_OF_SUBJECT : NEWEST_OF_MONTH))
                .param("namespace", slot.namespace())
                .param("slot", slot.value())
                .param("lease", lease(slot.month()))
                .param("max", sealsPerKey)
                .query((row, _) -> new Newest(row.getInt("generation"), row.getBoolean("usable")))
                .optional()
                .orElse(new Newest(0, false));
        if (!newest.usable()) {
            create(slot, newest.generation() + 1);
        }
    }

    private void create(Slot slot, int generation) {
        UUID id = UuidV7.next();
        var row = new Row(id, slot.namespace(), slot.month(), slot.subject(), generation, null);
        byte[] wrapped = SealedBytes.seal(namespaceKey(slot.namespace()), row.context(), SealedBytes.newKey());
        transactions.executeWithoutResult(_ -> {
            int created = db.sql("""
                            INSERT INTO vault.data_key (id, namespace, month, subject_index, generation, wrapped)
                            VALUES (:id, :namespace, :month, :subject, :generation, :wrapped)
                            ON CONFLICT DO NOTHING
                            """)
                    .param("id", id)
                    .param("namespace", slot.namespace())
                    .param("month", slot.month(), Types.DATE)
                    .param("subject", slot.subject(), Types.BINARY)
                    .param("generation", generation)
                    .param("wrapped", wrapped)
                    .update();
            if (created == 1) {
                events.append(events.event(EventType.KEY_ROTATED, "create_data_key", Result.SUCCESS)
                        .namespace(slot.namespace())
                        .with("key_id", id.toString())
                        .with("generation", (long) generation));
            }
        });
    }

    private int lease(@Nullable LocalDate month) {
        return (int) Math.min(month == null ? SUBJECT_LEASE : MONTH_LEASE, sealsPerKey);
    }

    private byte[] unwrap(Row row) {
        return SealedBytes.open(namespaceKey(row.namespace()), row.context(), Objects.requireNonNull(row.wrapped()))
                .orElseThrow(() -> {
                    events.appendAlone(events.event(EventType.KEY_ROTATED, "unwrap_data_key", Result.FAILURE)
                            .namespace(row.namespace())
                            .with("key_id", row.id().toString()));
                    return new VaultException("data key " + row.id() + " does not unwrap: its row was changed; restore "
                            + "vault.data_key from a backup and look for who wrote it");
                });
    }

    private byte[] namespaceKey(int namespace) {
        return masters.key("namespace:" + namespace);
    }

    private static Row row(ResultSet row, int number) throws SQLException {
        return new Row(
                row.getObject("id", UUID.class),
                row.getInt("namespace"),
                row.getObject("month", LocalDate.class),
                row.getBytes("subject_index"),
                row.getInt("generation"),
                row.getBytes("wrapped"));
    }

    private record Row(
            UUID id,
            int namespace,
            @Nullable LocalDate month,
            byte @Nullable [] subjectIndex,
            int generation,
            byte @Nullable [] wrapped) {
        byte[] context() {
            return SealedBytes.fields("vigil/data-key/v1", id, namespace, month, subjectIndex, generation);
        }
    }

    /// What a sealing key is for: a month, or a subject by its index in hexadecimal.
    private record Slot(int namespace, @Nullable LocalDate month, String subjectHex) {
        static Slot of(int namespace, byte[] subjectIndex) {
            return new Slot(namespace, null, HexFormat.of().formatHex(subjectIndex));
        }

        byte @Nullable [] subject() {
            return month == null ? HexFormat.of().parseHex(subjectHex) : null;
        }

        Object value() {
            return month == null ? HexFormat.of().parseHex(subjectHex) : month;
        }

        Duration cached() {
            return month == null ? SUBJECT_KEY_CACHED : MONTH_KEY_CACHED;
        }
    }

    private record Opened(int namespace, byte[] key) {}

    /// A key with the seals that this node has counted for it in advance.
    private static final class Lease {
        private final UUID id;
        private final byte[] key;
        private final AtomicInteger left;

        Lease(UUID id, byte[] key, int seals) {
            this.id = id;
            this.key = key;
            this.left = new AtomicInteger(seals);
        }

        Optional<SealingKey> use() {
            return left.getAndDecrement() > 0 ? Optional.of(new SealingKey(id, key)) : Optional.empty();
        }
    }
}
