package dev.vigil.api.vault;

import dev.vigil.protocol.audit.EventType;
import dev.vigil.protocol.audit.Result;
import dev.vigil.scheduler.execution.WorkerReports;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.SortedMap;
import java.util.UUID;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// The workers as operators see them: what the registry allows, and what the cores last heard.
final class Fleet {
    private static final Duration ONLINE = Duration.ofSeconds(5);
    private static final Duration SUSPECT = Duration.ofSeconds(20);

    private final VaultStore store;
    private final Workers workers;
    private final WorkerReports reports;
    private final Consumer<UUID> changed;

    /// Takes what to tell the cores about a change.
    Fleet(VaultStore store, Workers workers, WorkerReports reports, Consumer<UUID> changed) {
        this.store = store;
        this.workers = workers;
        this.reports = reports;
        this.changed = changed;
    }

    /// What an operator may do to a worker.
    enum Change {
        DRAIN(EventType.CONFIGURATION_CHANGED, "drain_worker"),
        RESUME(EventType.CONFIGURATION_CHANGED, "resume_worker"),
        BLOCK(EventType.WORKER_BLOCKED, "block"),
        UNBLOCK(EventType.WORKER_BLOCKED, "unblock"),
        REMOVE(EventType.WORKER_DEREGISTERED, "remove");

        private final EventType type;
        private final String action;

        Change(EventType type, String action) {
            this.type = type;
            this.action = action;
        }
    }

    /// What became of a change.
    sealed interface Changed {
        record Done(Member member) implements Changed {}

        record Absent() implements Changed {}

        /// A blocked worker is neither drained nor resumed.
        record Blocked() implements Changed {}
    }

    /// A worker and where it stands in the list.
    record Member(UUID uuid, View view) {}

    /// A worker as the API shows it.
    record View(
            String id,
            String name,
            String group,
            SortedMap<String, String> labels,
            String state,
            @Nullable String blockedReason,
            @Nullable String version,
            int slots,
            int running,
            @Nullable String sandbox,
            @Nullable String limits,
            Instant certificateExpiresAt,
            @Nullable Instant lastHeartbeatAt,
            Instant enrolledAt) {}

    Optional<Member> get(UUID id) {
        return workers.find(id)
                .filter(worker -> !worker.removed() && !worker.isService())
                .map(worker -> member(worker, reports.newest()));
    }

    List<Member> list(UUID before, int limit) {
        Map<UUID, WorkerReports.Report> heard = reports.newest();
        return workers.list(before, limit).stream()
                .map(worker -> member(worker, heard))
                .toList();
    }

    /// Blocks a worker whose identity two processes use, as a core has seen it.
    ///
    /// @return false when there is no such worker
    boolean lock(UUID id, String detail) {
        Boolean found = store.transactions().execute(_ -> {
            Optional<WorkerRow> held = workers.hold(id).filter(worker -> !worker.removed() && !worker.isService());
            held.filter(worker -> worker.state() != WorkerRow.State.BLOCKED).ifPresent(worker -> {
                workers.update(worker.with(WorkerRow.State.BLOCKED, "two processes use this worker's identity"));
                store.events()
                        .append(store.events()
                                .event(EventType.WORKER_BLOCKED, "clone_seen", Result.SUCCESS)
                                .worker(id)
                                .with("detail", detail));
            });
            return held.isPresent();
        });
        changed.accept(id);
        return Boolean.TRUE.equals(found);
    }

    /// Changes what a worker may do, and tells the cores after the commit. What is so already stays so, without event.
    Changed change(UUID id, Change change, UUID by) {
        Changed outcome = Objects.requireNonNull(store.transactions().execute(_ -> {
            Optional<WorkerRow> held = workers.hold(id).filter(worker -> !worker.removed() && !worker.isService());
            if (held.isEmpty()) {
                return new Changed.Absent();
            }
            WorkerRow worker = held.get();
            boolean blocked = worker.state() == WorkerRow.State.BLOCKED;
            if (blocked && (change == Change.DRAIN || change == Change.RESUME)) {
                return new Changed.Blocked();
            }
            WorkerRow after = switch (change) {
                case DRAIN -> worker.with(WorkerRow.State.DRAINING, null);
                case RESUME -> worker.with(WorkerRow.State.ACTIVE, null);
                case BLOCK -> blocked ? worker : worker.with(WorkerRow.State.BLOCKED, "by an admin");
                case UNBLOCK -> blocked ? worker.with(WorkerRow.State.ACTIVE, null) : worker;
                case REMOVE -> worker.asRemoved();
            };
            if (after.state() != worker.state() || after.removed()) {
                workers.update(after);
                store.events()
                        .append(store.events()
                                .event(change.type, change.action, Result.SUCCESS)
                                .user(by)
                                .worker(id));
            }
            return new Changed.Done(member(after, reports.newest()));
        }));
        if (outcome instanceof Changed.Done) {
            changed.accept(id);
        }
        return outcome;
    }

    private Member member(WorkerRow worker, Map<UUID, WorkerReports.Report> heard) {
        WorkerReports.Report report = heard.get(worker.id());
        return new Member(
                worker.id(),
                new View(
                        worker.publicId(),
                        worker.name(),
                        worker.group(),
                        worker.labels(),
                        state(worker, report),
                        worker.blockedReason(),
                        report == null ? null : report.version(),
                        report == null ? 0 : report.slots(),
                        report == null ? 0 : report.running(),
                        report == null ? null : report.sandbox(),
                        report == null ? null : report.limits(),
                        Authority.certificate(worker.certificate())
                                .getNotAfter()
                                .toInstant(),
                        report == null ? null : report.lastHeartbeatAt(),
                        worker.enrolledAt()));
    }

    private static String state(WorkerRow worker, WorkerReports.@Nullable Report report) {
        if (worker.state() != WorkerRow.State.ACTIVE) {
            return worker.state().label();
        }
        if (report == null || report.silence().compareTo(SUSPECT) >= 0) {
            return "offline";
        }
        return report.silence().compareTo(ONLINE) < 0 ? "online" : "suspect";
    }
}
