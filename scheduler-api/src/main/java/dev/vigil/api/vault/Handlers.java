package dev.vigil.api.vault;

import dev.vigil.protocol.audit.EventType;
import dev.vigil.protocol.audit.Result;
import java.security.MessageDigest;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Types;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.json.JsonMapper;

/// The registry of operations, table `vault.handler`. What one admin proposes is in force once another one approves
/// it; until then the approved definition, if there is one, stays. Rows carry a seal, so one that SQL wrote or approved
/// is refused.
public final class Handlers {
    private static final String PURPOSE = "vault.handler";
    private static final String SELECT = """
            SELECT number, name, approved, approved_by, approved_at, proposed, proposed_by, proposed_at, mac
              FROM vault.handler
            """;
    private static final Duration CACHED = Duration.ofSeconds(1);
    private static final JsonMapper JSON = JsonMapper.shared();

    private final VaultStore store;
    private final VaultKeys keys;
    private final List<String> bootstrap;
    private volatile @Nullable Known known;

    /// @param bootstrap names that need no approval, for development
    Handlers(VaultStore store, VaultKeys keys, List<String> bootstrap) {
        this.store = store;
        this.keys = keys;
        this.bootstrap = List.copyOf(bootstrap);
    }

    private record Known(Map<String, Handler> approved, Instant at) {}

    /// A handler and how far its approval is.
    ///
    /// @param approved   what is in force; null when nothing is
    /// @param proposed   what waits for approval; null when nothing does
    /// @param proposedBy who proposed it; null for what this installation brought along
    record Entry(
            String name,
            @Nullable Handler approved,
            @Nullable UUID approvedBy,
            @Nullable Instant approvedAt,
            @Nullable Handler proposed,
            @Nullable UUID proposedBy,
            @Nullable Instant proposedAt) {}

    /// What became of an approval.
    sealed interface Approval {
        record Approved(Entry entry) implements Approval {}

        /// Whoever proposed it cannot approve it.
        record OwnProposal() implements Approval {}

        record NothingProposed() implements Approval {}

        record Unknown() implements Approval {}
    }

    /// The approved handler of that name. Its definition is at most a second old; what was approved a moment ago is
    /// found, whichever node was asked to.
    public Optional<Handler> find(String name) {
        Handler known = approved().get(name);
        return known != null ? Optional.of(known) : entry(name).map(Entry::approved);
    }

    /// Whether it is approved or proposed.
    public boolean isRegistered(String name) {
        return entry(name).isPresent();
    }

    /// Names of all approved handlers, for hints.
    public List<String> names() {
        return approved().keySet().stream().sorted().toList();
    }

    /// Names of the approved handlers that may read a secret.
    List<String> readers(String secret) {
        return approved().values().stream()
                .filter(handler -> handler.allowsSecret(secret))
                .map(Handler::name)
                .sorted()
                .toList();
    }

    private Map<String, Handler> approved() {
        Instant now = store.time().instant();
        Known current = known;
        if (current != null && now.isBefore(current.at().plus(CACHED))) {
            return current.approved();
        }
        Map<String, Handler> fresh = new LinkedHashMap<>();
        for (Entry entry : query(SELECT + "WHERE approved IS NOT NULL", Map.of())) {
            fresh.put(entry.name(), Objects.requireNonNull(entry.approved()));
        }
        known = new Known(Map.copyOf(fresh), now);
        return fresh;
    }

    /// One of a page.
    ///
    /// @param number grows with each new name
    /// @param entry  empty when somebody else wrote the row
    record Listed(long number, Optional<Entry> entry) {}

    /// Those with a smaller number, newest first.
    List<Listed> page(long before, int limit) {
        return store.db()
                .sql(SELECT + "WHERE number < :before ORDER BY number DESC LIMIT :limit")
                .param("before", before)
                .param("limit", limit)
                .query((row, _) -> new Listed(row.getLong("number"), checked(row)))
                .list();
    }

    /// One of them, approved or not.
    Optional<Entry> entry(String name) {
        return query(SELECT + "WHERE name = :name", Map.of("name", name)).stream()
                .findFirst();
    }

    /// Proposes a definition. The same as the approved one changes nothing; one on the bootstrap list is in force at
    /// once.
    Entry propose(Handler handler, UUID by) {
        return Objects.requireNonNull(store.transactions().execute(_ -> {
            Optional<Entry> old = hold(handler.name());
            if (old.isPresent()
                    && handler.equals(old.get().approved())
                    && old.get().proposed() == null) {
                return old.get();
            }
            Instant now = store.time().instant();
            Entry proposed = new Entry(
                    handler.name(),
                    old.map(Entry::approved).orElse(null),
                    old.map(Entry::approvedBy).orElse(null),
                    old.map(Entry::approvedAt).orElse(null),
                    handler,
                    by,
                    now);
            Entry entry = bootstrap.contains(handler.name()) ? approved(proposed, by) : proposed;
            write(entry);
            store.events()
                    .append(store.events()
                            .event(
                                    EventType.CONFIGURATION_CHANGED,
                                    entry.proposed() == null ? "approve_handler_by_setting" : "propose_handler",
                                    Result.SUCCESS)
                            .user(by)
                            .with("handler", handler.name()));
            return entry;
        }));
    }

    /// Puts what is proposed in force.
    Approval approve(String name, UUID by) {
        return Objects.requireNonNull(store.transactions().execute(_ -> {
            Optional<Entry> held = hold(name);
            if (held.isEmpty()) {
                return new Approval.Unknown();
            }
            if (held.get().proposed() == null) {
                return new Approval.NothingProposed();
            }
            if (by.equals(held.get().proposedBy())) {
                return new Approval.OwnProposal();
            }
            Entry entry = approved(held.get(), by);
            write(entry);
            store.events()
                    .append(store.events()
                            .event(EventType.CONFIGURATION_CHANGED, "approve_handler", Result.SUCCESS)
                            .user(by)
                            .with("handler", name));
            return new Approval.Approved(entry);
        }));
    }

    /// Registers the names of the bootstrap list that are not there yet.
    void bootstrap() {
        for (String name : bootstrap) {
            store.transactions().executeWithoutResult(_ -> {
                Optional<Entry> old = hold(name);
                if (old.isPresent() && old.get().approved() != null) {
                    return;
                }
                Handler handler = old.map(Entry::proposed).orElseGet(() -> Handler.named(name));
                Instant now = store.time().instant();
                write(new Entry(name, handler, null, now, null, null, null));
                store.events()
                        .append(store.events()
                                .event(EventType.CONFIGURATION_CHANGED, "approve_handler_by_setting", Result.SUCCESS)
                                .with("handler", name));
            });
        }
    }

    private Entry approved(Entry entry, @Nullable UUID by) {
        known = null;
        return new Entry(entry.name(), entry.proposed(), by, store.time().instant(), null, null, null);
    }

    private Optional<Entry> hold(String name) {
        return query(SELECT + "WHERE name = :name FOR UPDATE", Map.of("name", name)).stream()
                .findFirst();
    }

    private List<Entry> query(String sql, Map<String, ?> parameters) {
        return store.db().sql(sql).params(parameters).query((row, _) -> checked(row)).list().stream()
                .flatMap(Optional::stream)
                .toList();
    }

    private Optional<Entry> checked(ResultSet row) throws SQLException {
        String name = row.getString("name");
        var entry = new Entry(
                name,
                handler(row.getString("approved")),
                row.getObject("approved_by", UUID.class),
                instant(row, "approved_at"),
                handler(row.getString("proposed")),
                row.getObject("proposed_by", UUID.class),
                instant(row, "proposed_at"));
        byte[] mac = mac(entry, row.getString("approved"), row.getString("proposed"));
        if (MessageDigest.isEqual(mac, row.getBytes("mac"))) {
            return Optional.of(entry);
        }
        store.events().brokenRow("vault.handler", name);
        return Optional.empty();
    }

    private byte[] mac(Entry entry, @Nullable String approved, @Nullable String proposed) {
        return keys.mac(
                PURPOSE, SealedBytes.fields(entry.name(), approved, entry.approvedBy(), proposed, entry.proposedBy()));
    }

    private void write(Entry entry) {
        String approved = text(entry.approved());
        String proposed = text(entry.proposed());
        store.db()
                .sql("""
                        INSERT INTO vault.handler
                               (name, approved, approved_by, approved_at, proposed, proposed_by, proposed_at, mac)
                        VALUES (:name, :approved, :approvedBy, :approvedAt, :proposed, :proposedBy, :proposedAt, :mac)
                        ON CONFLICT (name) DO UPDATE
                           SET approved = excluded.approved, approved_by = excluded.approved_by,
                               approved_at = excluded.approved_at, proposed = excluded.proposed,
                               proposed_by = excluded.proposed_by, proposed_at = excluded.proposed_at,
                               mac = excluded.mac
                        """)
                .param("name", entry.name())
                .param("approved", approved, Types.VARCHAR)
                .param("approvedBy", entry.approvedBy(), Types.OTHER)
                .param("approvedAt", Rows.at(entry.approvedAt()), Types.TIMESTAMP_WITH_TIMEZONE)
                .param("proposed", proposed, Types.VARCHAR)
                .param("proposedBy", entry.proposedBy(), Types.OTHER)
                .param("proposedAt", Rows.at(entry.proposedAt()), Types.TIMESTAMP_WITH_TIMEZONE)
                .param("mac", mac(entry, approved, proposed))
                .update();
    }

    private static @Nullable String text(@Nullable Handler handler) {
        return handler == null ? null : JSON.writeValueAsString(handler);
    }

    private static @Nullable Handler handler(@Nullable String text) {
        return text == null ? null : JSON.readValue(text, Handler.class);
    }

    private static @Nullable Instant instant(ResultSet row, String column) throws SQLException {
        OffsetDateTime at = row.getObject(column, OffsetDateTime.class);
        return at == null ? null : at.toInstant();
    }
}
