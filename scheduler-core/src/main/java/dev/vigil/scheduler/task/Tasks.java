package dev.vigil.scheduler.task;

import dev.vigil.scheduler.task.Commands.Kind;
import dev.vigil.scheduler.task.CreateResult.Refused;
import dev.vigil.scheduler.task.TaskCreation.Prepared;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.transaction.PlatformTransactionManager;
import org.springframework.transaction.support.TransactionTemplate;

/// Tasks: creates, commands and reads them. A read sees all that was answered before it.
///
/// For use by many threads at once.
public final class Tasks {
    private final JdbcClient db;
    private final InstantSource clock;
    private final Commands commands;
    private final Coalescer<Prepared, CreateResult> creates;

    /// Tasks of this database.
    ///
    /// @param clock from which a calendar's first fire is computed; everything else is by the database's clock
    /// @param hints tells owners after a commit
    public Tasks(JdbcClient db, PlatformTransactionManager transactions, InstantSource clock, ShardHints hints) {
        this.db = db;
        this.clock = clock;
        var transaction = new TransactionTemplate(transactions);
        this.commands = new Commands(db, transaction, hints);
        var creation = new TaskCreation(db, transaction, hints);
        this.creates = new Coalescer<>(creation::create);
    }

    /// Stores a task with its first execution or schedule and its audit event, together with whatever other
    /// callers wait. Returns after the commit.
    public CreateResult create(NewTask task) {
        return createAll(List.of(task)).getFirst();
    }

    /// The same for many tasks at once.
    ///
    /// @return their outcomes, place by place
    public List<CreateResult> createAll(List<NewTask> tasks) {
        Instant now = clock.instant();
        var results = new ArrayList<@Nullable CreateResult>();
        var accepted = new ArrayList<Prepared>();
        for (NewTask task : tasks) {
            TaskDraft draft = task.draft().anchored(now);
            Refused refused = Refusals.of(draft, now).orElse(null);
            results.add(refused);
            if (refused == null) {
                accepted.add(new Prepared(
                        task.withDraft(draft), Fires.next(draft.schedule(), now).orElse(null)));
            }
        }
        Iterator<CreateResult> stored = creates.submit(accepted).iterator();
        return results.stream()
                .map(refused -> refused == null ? stored.next() : refused)
                .toList();
    }

    /// Why a draft would not be stored, whoever asks; empty when it would.
    public Optional<Refused> check(TaskDraft draft) {
        Instant now = clock.instant();
        return Refusals.of(draft.anchored(now), now);
    }

    /// Changes a task. From the answer on it is dispatched as the change says; what has been dispatched before
    /// goes on as it was, its next attempts included.
    public PatchResult patch(TaskRef task, Patch patch) {
        return commands.patch(task, patch, clock.instant());
    }

    /// Runs a task now. A schedule gets one more execution, to which its overlap policy applies; a one_time task's own
    /// execution is brought forward.
    ///
    /// @param wanted id of the execution if it is a new one; the same id again changes nothing
    /// @param events asked for the execution that it is, once it is known
    public TriggerResult trigger(TaskRef task, UUID wanted, Function<UUID, Events> events) {
        if (wanted.version() != 7) {
            throw new IllegalArgumentException(
                    "the execution " + wanted + " is no UUIDv7, by which lists are in order");
        }
        return commands.trigger(task, wanted, events);
    }

    /// A task, of whatever namespace and owner: whether the caller may see it is his policy's question.
    public Optional<TaskView> get(UUID id) {
        return db.sql(TaskQuery.SELECT + " AND t.id = :id")
                .params(TaskQuery.CODES)
                .param("id", id)
                .query(TaskRow::view)
                .optional();
    }

    /// A page of the tasks that pass a filter.
    public List<TaskView> list(TaskFilter filter, Page page) {
        return db.sql(TaskQuery.list(page.ascending()))
                .params(TaskQuery.CODES)
                .params(TaskQuery.parameters(filter, page))
                .query(TaskRow::view)
                .list();
    }

    /// The sealed payload of a task's newest version.
    public Optional<byte[]> payload(TaskRef task) {
        return db.sql("""
                        SELECT coalesce(t.payload, p.sealed) FROM scheduler.task t
                          LEFT JOIN scheduler.payload p
                            ON p.namespace = t.namespace AND p.task_id = t.id AND p.version = t.payload_version
                         WHERE t.namespace = :namespace AND t.id = :id
                         ORDER BY t.version DESC LIMIT 1
                        """)
                .param("namespace", task.namespace())
                .param("id", task.id())
                .query((row, index) -> row.getBytes(1))
                .optional();
    }

    /// Tasks of a namespace whose newest version names a reference, newest first.
    public List<UUID> referring(int namespace, String reference, int limit) {
        return db.sql("""
                        SELECT t.id
                          FROM scheduler.task t
                         WHERE t.namespace = :namespace AND t.refs @> ARRAY[:reference::text] AND t.refs IS NOT NULL
                           AND NOT EXISTS (SELECT FROM scheduler.task n
                                            WHERE n.namespace = t.namespace AND n.id = t.id AND n.version > t.version)
                         ORDER BY t.id DESC
                         LIMIT :limit
                        """)
                .param("namespace", namespace)
                .param("reference", reference)
                .param("limit", limit)
                .query(UUID.class)
                .list();
    }

    /// The blind index of the subject that a task names; empty when it names none.
    public Optional<byte[]> subjectIndex(TaskRef task) {
        return db.sql("""
                        SELECT subject_index FROM scheduler.task WHERE namespace = :namespace AND id = :id
                         ORDER BY version DESC LIMIT 1
                        """)
                .param("namespace", task.namespace())
                .param("id", task.id())
                .query((row, index) -> Optional.ofNullable(row.getBytes(1)))
                .optional()
                .flatMap(found -> found);
    }

    /// How many tasks of an owner are neither finished nor deleted: what his limit is about.
    public long unfinished(int namespace, UUID owner) {
        return db.sql("""
                        SELECT count(*) FROM (
                          SELECT task_id, version FROM scheduler.execution
                           WHERE namespace = :namespace AND id = task_id
                          UNION ALL
                          SELECT task_id, version FROM scheduler.schedule WHERE namespace = :namespace
                        ) o
                          JOIN scheduler.task t
                            ON t.namespace = :namespace AND t.id = o.task_id AND t.version = o.version
                         WHERE t.owner = :owner
                           AND NOT EXISTS (SELECT FROM scheduler.inbox i
                                            WHERE i.ref = t.id AND i.change_seq IS NOT NULL AND i.kind = :delete)
                        """)
                .param("namespace", namespace)
                .param("owner", owner)
                .param("delete", Kind.DELETE.code())
                .query(Long.class)
                .single();
    }

    /// Whether a deletion of one of an owner's tasks has been promised that still takes room in his quota.
    public boolean isFreeing(int namespace, UUID owner) {
        return db.sql("""
                        SELECT EXISTS (
                          SELECT FROM scheduler.inbox i
                            JOIN scheduler.task t ON t.namespace = i.namespace AND t.id = i.ref
                           WHERE i.change_seq IS NOT NULL AND i.kind = :delete
                             AND t.namespace = :namespace AND t.owner = :owner
                        )
                        """)
                .param("delete", Kind.DELETE.code())
                .param("namespace", namespace)
                .param("owner", owner)
                .query(Boolean.class)
                .single();
    }

    /// Sets how many executions of an owner's tasks run at once. What runs goes on; within seconds no more of it starts
    /// than the limit says.
    ///
    /// @param most null for no limit
    public void limitRunning(int namespace, UUID owner, @Nullable Integer most) {
        new Concurrency(db).set(new Quotas.Owner(namespace, owner), most);
    }

    /// Holds every dispatch of this task from the answer on. What runs goes on.
    public CommandResult pause(TaskRef task, Events events) {
        return commands.task(task, Kind.PAUSE, events);
    }

    /// Lets a paused task go on. What a schedule missed while it was paused is not made up for.
    public CommandResult resume(TaskRef task, Events events) {
        return commands.task(task, Kind.RESUME, events);
    }

    /// Deletes a task: it is gone for every reader from the answer on, its open executions are cancelled.
    public CommandResult delete(TaskRef task, Events events) {
        return commands.task(task, Kind.DELETE, events);
    }

    /// Deletes a task as [#delete] does; besides, its executions lose their results and what ties them to it. A
    /// task whose deletion is on its way can still be erased.
    public CommandResult erase(TaskRef task, Events events) {
        return commands.task(task, Kind.ERASE, events);
    }
}
