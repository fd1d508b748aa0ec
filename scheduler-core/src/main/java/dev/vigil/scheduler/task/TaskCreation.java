package dev.vigil.scheduler.task;

import dev.vigil.scheduler.task.CreateResult.AlreadyExists;
import dev.vigil.scheduler.task.CreateResult.Created;
import dev.vigil.scheduler.task.CreateResult.OverQuota;
import dev.vigil.scheduler.task.Placement.Turn;
import dev.vigil.scheduler.task.Quotas.Grant;
import dev.vigil.scheduler.task.Quotas.Owner;
import dev.vigil.scheduler.task.ShardHints.ShardHint;
import dev.vigil.scheduler.task.TaskInsert.Planned;
import dev.vigil.scheduler.task.TaskInsert.Row;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.transaction.support.TransactionTemplate;

/// Stores a batch of new tasks. Without limits that is one autocommit statement; owners with a limit need a short
/// transaction, in which their counters are locked first.
final class TaskCreation {
    private final JdbcClient db;
    private final TransactionTemplate transaction;
    private final ShardHints hints;
    private final Placement placement;
    private final TaskInsert insert;
    private final Quotas quotas;
    private final Concurrency concurrency;

    TaskCreation(JdbcClient db, TransactionTemplate transaction, ShardHints hints) {
        this.db = db;
        this.transaction = transaction;
        this.hints = hints;
        this.placement = new Placement(db);
        this.insert = new TaskInsert(db);
        this.quotas = new Quotas(db);
        this.concurrency = new Concurrency(db);
    }

    /// Stores all of a batch that may be stored, or throws and stores none.
    List<CreateResult> create(List<Prepared> batch) {
        var outcome = new Outcome(batch, placement.next());
        outcome.refuseTwins();
        var limits = new HashMap<Owner, @Nullable Integer>();
        batch.forEach(item -> limits.put(item.owner(), item.task.limits().maxConcurrent()));
        limits.forEach(concurrency::keep);
        if (batch.stream().noneMatch(Prepared::isLimited)) {
            insert(outcome);
        } else {
            try {
                transaction.executeWithoutResult(status -> {
                    List<Owner> owners = reserve(outcome);
                    Set<Integer> lost = insert(outcome);
                    owners.forEach(owner -> giveBack(owner, lost, batch));
                });
            } catch (RuntimeException failure) {
                quotas.forgetAll();
                throw failure;
            }
        }
        batch.stream().filter(item -> !item.isLimited()).forEach(item -> quotas.forget(item.owner()));
        List<ShardHint> elsewhere = NearbyOwners.tell(outcome.hints.values());
        if (!elsewhere.isEmpty()) {
            hints.changed(elsewhere);
        }
        return outcome.list();
    }

    /// @return the places of those whose id somebody else stored at the same time
    private Set<Integer> insert(Outcome outcome) {
        List<Integer> open = outcome.open();
        List<Planned> planned = open.stream().map(outcome::planned).toList();
        var lost = new HashSet<Integer>();
        List<@Nullable Row> rows = planned.isEmpty() ? List.of() : insert.insert(planned);
        for (int i = 0; i < rows.size(); i++) {
            int place = open.get(i);
            Row row = rows.get(i);
            if (row == null) {
                lost.add(place);
                outcome.set(place, new AlreadyExists(planned.get(i).task().id()));
            } else {
                outcome.hint(planned.get(i), row);
                outcome.set(place, new Created(view(planned.get(i).task(), row)));
            }
        }
        return lost;
    }

    private static TaskView view(NewTask task, Row row) {
        return new TaskView(
                task.id(),
                task.namespace(),
                task.owner(),
                1,
                task.draft(),
                TaskView.State.SCHEDULED,
                row.dueAt(),
                row.createdAt(),
                task.payload().keyId(),
                task.payload().version());
    }

    /// Which of them are there already.
    private Set<UUID> existing(List<Prepared> batch) {
        var columns = new Columns<>(batch)
                .add("namespaces", new Integer[0], item -> item.task.namespace())
                .add("ids", new UUID[0], item -> item.task.id());
        return Set.copyOf(db.sql("""
                        SELECT DISTINCT id FROM scheduler.task
                          JOIN unnest(:namespaces::int[], :ids::uuid[]) AS v(namespace, id) USING (namespace, id)
                        """).params(columns.arrays()).query(UUID.class).list());
    }

    /// Locks the counters in one order for everybody, so that two batches never wait for each other in a ring.
    /// Tasks that are there already need no room. Whether there are such is only asked where room is short, else
    /// the insert tells.
    private List<Owner> reserve(Outcome outcome) {
        TreeMap<Owner, List<Integer>> wanted = outcome.open().stream()
                .filter(place -> outcome.batch.get(place).isLimited())
                .collect(Collectors.groupingBy(
                        place -> outcome.batch.get(place).owner(),
                        () -> new TreeMap<>(Owner.ORDER),
                        Collectors.toList()));
        wanted.forEach((owner, places) -> {
            int limit = outcome.batch.get(places.getLast()).limit();
            Grant grant = quotas.reserve(owner, limit, places.size());
            List<Integer> open = places;
            if (grant.granted() < places.size()) {
                outcome.existing(
                        existing(places.stream().map(outcome.batch::get).toList()));
                open = places.stream().filter(outcome::isOpen).toList();
                if (open.size() < grant.granted()) {
                    quotas.giveBack(owner, grant.granted() - open.size());
                }
            }
            open.subList(Math.min(open.size(), grant.granted()), open.size())
                    .forEach(place -> outcome.set(place, new OverQuota(grant.used(), limit)));
        });
        return new ArrayList<>(wanted.keySet());
    }

    private void giveBack(Owner owner, Set<Integer> lost, List<Prepared> batch) {
        long unused = lost.stream()
                .filter(place ->
                        batch.get(place).isLimited() && batch.get(place).owner().equals(owner))
                .count();
        if (unused > 0) {
            quotas.giveBack(owner, (int) unused);
        }
    }

    /// A task that passed its checks.
    ///
    /// @param nextAt when a schedule first fires; null for a one_time task
    record Prepared(NewTask task, @Nullable Instant nextAt) {
        Owner owner() {
            return new Owner(task.namespace(), task.owner());
        }

        boolean isLimited() {
            return task.limits().maxTasks() != null;
        }

        int limit() {
            Integer limit = task.limits().maxTasks();
            return limit == null ? Integer.MAX_VALUE : limit;
        }
    }

    /// The answers of a batch, place by place.
    private static final class Outcome {
        final List<Prepared> batch;
        final Map<Integer, ShardHint> hints = new HashMap<>();
        private final Turn turn;
        private final @Nullable CreateResult[] results;

        Outcome(List<Prepared> batch, Turn turn) {
            this.batch = batch;
            this.turn = turn;
            this.results = new @Nullable CreateResult[batch.size()];
        }

        void set(int place, CreateResult result) {
            results[place] = result;
        }

        void hint(Planned planned, Row row) {
            long lane = planned.nextAt() == null && Lane.isDispatchable(planned.lane()) ? 1L << planned.lane() : 0;
            hints.merge(planned.shard(), ShardHint.created(planned.shard(), lane, row.dueAt()), ShardHint::and);
        }

        /// Of several callers with the same id the first one stores it.
        void refuseTwins() {
            var seen = new HashSet<UUID>();
            for (int i = 0; i < results.length; i++) {
                UUID id = batch.get(i).task.id();
                if (!seen.add(id)) {
                    results[i] = new AlreadyExists(id);
                }
            }
        }

        void existing(Set<UUID> ids) {
            for (int place : open()) {
                UUID id = batch.get(place).task.id();
                if (ids.contains(id)) {
                    set(place, new AlreadyExists(id));
                }
            }
        }

        boolean isOpen(int place) {
            return results[place] == null;
        }

        List<Integer> open() {
            return IntStream.range(0, results.length)
                    .filter(this::isOpen)
                    .boxed()
                    .toList();
        }

        Planned planned(int place) {
            Prepared item = batch.get(place);
            return new Planned(item.task, turn.shard(item.task.namespace(), place), item.nextAt);
        }

        List<CreateResult> list() {
            return Arrays.stream(results)
                    .map(result -> Objects.requireNonNull(result, "every task has an outcome"))
                    .toList();
        }
    }
}
