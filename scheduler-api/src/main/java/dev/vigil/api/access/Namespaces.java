package dev.vigil.api.access;

import dev.vigil.api.web.NamespaceNumbers;
import dev.vigil.api.web.Occupancy;
import dev.vigil.api.web.Outbox;
import dev.vigil.protocol.audit.AuditEvent;
import dev.vigil.protocol.audit.EventType;
import dev.vigil.protocol.audit.Result;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.dao.DataIntegrityViolationException;
import org.springframework.data.domain.Limit;
import org.springframework.transaction.support.TransactionTemplate;

/// The table `access.namespace`. A name never changes while its namespace is there, and neither does whether it is a
/// sandbox; so both are remembered once known.
public final class Namespaces implements NamespaceNumbers {
    private final NamespaceRows rows;
    private final UserRows users;
    private final Tools tools;
    private final Map<Integer, String> names = new ConcurrentHashMap<>();
    private final Map<Integer, Boolean> sandboxes = new ConcurrentHashMap<>();

    /// What a change needs besides the rows.
    record Tools(
            RowSigner signer,
            Outbox outbox,
            TransactionTemplate transaction,
            InstantSource time,
            ObjectProvider<Occupancy> occupancies) {}

    Namespaces(NamespaceRows rows, UserRows users, Tools tools) {
        this.rows = rows;
        this.users = users;
        this.tools = tools;
    }

    /// The name of a namespace, as clients see it.
    public String nameOf(int number) {
        return names.computeIfAbsent(
                number,
                id -> rows.findById(id)
                        .map(namespace -> namespace.name)
                        .orElseThrow(() -> new IllegalStateException("namespace " + id + " has rows and no name")));
    }

    /// The number of a namespace.
    @Override
    public Optional<Integer> numberOf(String name) {
        return find(name).map(namespace -> namespace.id);
    }

    /// Whether test keys may run tasks there. A row that SQL made a sandbox is none.
    boolean isSandbox(int number) {
        return sandboxes.computeIfAbsent(
                number,
                id -> rows.findById(id)
                        .filter(namespace -> namespace.sandbox)
                        .filter(tools.signer::signed)
                        .isPresent());
    }

    Optional<Namespace> find(String name) {
        return rows.findByNameAndDeletedAtIsNull(name);
    }

    /// Those with a smaller number, newest first.
    List<Namespace> page(int before, int limit) {
        return rows.findByDeletedAtIsNullAndIdLessThanOrderByIdDesc(before, Limit.of(limit));
    }

    /// Makes a namespace.
    ///
    /// @return empty when the name is taken
    Optional<Namespace> create(String name, boolean sandbox, Users.Actor actor) {
        try {
            return Optional.ofNullable(tools.transaction.execute(_ -> {
                Namespace made = rows.saveAndFlush(new Namespace(name, sandbox));
                if (sandbox) {
                    // Only now it has the number that its HMAC covers.
                    made.mac = tools.signer.sign(made);
                    rows.saveAndFlush(made);
                }
                note("namespace_created", made, actor);
                return made;
            }));
        } catch (DataIntegrityViolationException e) {
            return Optional.empty();
        }
    }

    /// What became of a deletion.
    sealed interface Deletion {
        /// It is gone.
        record Deleted() implements Deletion {}

        /// There is none of that name.
        record Absent() implements Deletion {}

        /// It stays: there is always `default`.
        record Default() implements Deletion {}

        /// It stays, because this lies in it.
        record Occupied(List<String> by) implements Deletion {}
    }

    /// Deletes an empty namespace. Its row and number stay for the executions that ran there; its name is free.
    Deletion delete(String name, Users.Actor actor) {
        return Objects.requireNonNull(tools.transaction.execute(_ -> {
            Namespace found = find(name).orElse(null);
            if (found == null) {
                return new Deletion.Absent();
            }
            if (found.id == Namespace.DEFAULT) {
                return new Deletion.Default();
            }
            List<String> occupants = occupants(found.id);
            if (!occupants.isEmpty()) {
                return new Deletion.Occupied(occupants);
            }
            note("namespace_deleted", found, actor);
            found.name = "deleted-" + found.id;
            found.deletedAt = tools.time.instant();
            found.mac = null;
            rows.saveAndFlush(found);
            return new Deletion.Deleted();
        }));
    }

    private List<String> occupants(int namespace) {
        Stream<String> people = users.existsByNamespaceAndDeletedAtIsNull(namespace)
                ? Stream.of("users or service accounts")
                : Stream.empty();
        return Stream.concat(people, tools.occupancies.stream().flatMap(feature -> feature.of(namespace).stream()))
                .toList();
    }

    private void note(String action, Namespace namespace, Users.Actor actor) {
        tools.outbox.append(List.of(
                actor.note(AuditEvent.of(EventType.CONFIGURATION_CHANGED, action, Result.SUCCESS, tools.time.instant()))
                        .with("target", namespace.name)
                        .with("sandbox", namespace.sandbox)));
    }
}
