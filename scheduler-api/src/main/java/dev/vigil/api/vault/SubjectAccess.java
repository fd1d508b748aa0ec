package dev.vigil.api.vault;

import dev.vigil.api.web.AccountRecords;
import dev.vigil.protocol.id.Id;
import dev.vigil.protocol.id.Kind;
import dev.vigil.scheduler.execution.ExecutionFilter;
import dev.vigil.scheduler.execution.ExecutionView;
import dev.vigil.scheduler.execution.Executions;
import dev.vigil.scheduler.task.Page;
import dev.vigil.scheduler.task.Schedule;
import dev.vigil.scheduler.task.SubjectTasks;
import dev.vigil.scheduler.task.SubjectTasks.Person;
import dev.vigil.scheduler.task.TaskView;
import dev.vigil.scheduler.task.Tasks;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// What is known about a person, opened for one access request, in pages.
final class SubjectAccess {
    /// A page ends once it is this long, and always has one item.
    static final int PAGE_BYTES = 4 << 20;

    private static final int TASKS_MAX = 100;
    private static final int EXECUTIONS_MAX = 200;
    private static final int TOKENS_MAX = 500;
    private static final Pattern POSITION =
            Pattern.compile("[0-9]{1,9}:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}");
    private static final UUID START = new UUID(0, 0);

    private final SubjectTasks subjectTasks;
    private final Tasks tasks;
    private final PayloadSealer sealer;
    private final PiiTokens tokens;
    private final Executions executions;
    private final AccountRecords accounts;

    SubjectAccess(ErasureWork.Means means, Executions executions, AccountRecords accounts) {
        this.subjectTasks = means.subjectTasks();
        this.tasks = means.tasks();
        this.sealer = means.sealer();
        this.tokens = means.tokens();
        this.executions = executions;
        this.accounts = accounts;
    }

    /// Where a page begins: after that item of that namespace.
    record Position(int namespace, UUID item) {
        static final Position FIRST = new Position(0, START);

        static Optional<Position> parse(String text) {
            if (!POSITION.matcher(text).matches()) {
                return Optional.empty();
            }
            String[] parts = text.split(":", 2);
            return Optional.of(new Position(Integer.parseInt(parts[0]), UUID.fromString(parts[1])));
        }

        UUID in(Person person) {
            return person.namespace() == namespace ? item : START;
        }

        @Override
        public String toString() {
            return namespace + ":" + item;
        }
    }

    /// Items in JSON, and where the next page begins; null at the end.
    record Part(
            List<Map<String, @Nullable Object>> items,
            @Nullable String next) {}

    /// A page of his tasks, payloads opened.
    Part tasks(List<Person> persons, Position after) {
        var items = new ArrayList<Map<String, @Nullable Object>>();
        long bytes = 0;
        for (Person person : persons) {
            if (person.namespace() < after.namespace()) {
                continue;
            }
            List<TaskView> page = subjectTasks.list(person, after.in(person), TASKS_MAX);
            for (TaskView task : page) {
                byte[] sealed = tasks.payload(task.ref()).orElse(null);
                items.add(view(task, sealed));
                bytes += sealed == null ? 0 : sealed.length;
                if (bytes > PAGE_BYTES || items.size() >= TASKS_MAX) {
                    return new Part(items, new Position(person.namespace(), task.id()).toString());
                }
            }
        }
        return new Part(items, null);
    }

    private Map<String, @Nullable Object> view(TaskView task, byte @Nullable [] sealed) {
        var place = new Place(
                task.id(), task.namespace(), task.payloadVersion(), task.draft().handler());
        Map<String, @Nullable Object> view = new LinkedHashMap<>();
        view.put("id", new Id(Kind.TASK, task.id()).toString());
        view.put("namespace", task.namespace());
        view.put("name", task.draft().name());
        view.put("handler", task.draft().handler());
        view.put("type", task.draft().schedule().type());
        view.put("schedule", schedule(task.draft().schedule()));
        view.put("priority", task.draft().priority().name().toLowerCase(Locale.ROOT));
        view.put("labels", task.draft().labels());
        view.put("state", task.state().name().toLowerCase(Locale.ROOT));
        view.put("created_by", new Id(Kind.USER, task.owner()).toString());
        view.put("created_at", task.createdAt());
        view.put("next_fire_at", task.nextFireAt());
        view.put("payload", sealed == null ? null : json(sealer.open(place, place.payload(task.keyId()), sealed)));
        return view;
    }

    /// A page of what stands for his data in payloads, with the values.
    Part tokens(List<Person> persons, Position after) {
        var items = new ArrayList<Map<String, @Nullable Object>>();
        for (Person person : persons) {
            if (person.namespace() < after.namespace()) {
                continue;
            }
            for (PiiTokens.Kept token : tokens.of(person, after.in(person), TOKENS_MAX)) {
                items.add(view(person, token));
                if (items.size() >= TOKENS_MAX) {
                    return new Part(items, new Position(person.namespace(), token.id()).toString());
                }
            }
        }
        return new Part(items, null);
    }

    private static Map<String, @Nullable Object> view(Person person, PiiTokens.Kept token) {
        Map<String, @Nullable Object> view = new LinkedHashMap<>();
        view.put("token", token.token());
        view.put("namespace", person.namespace());
        view.put("kind", token.kind());
        view.put("value", token.value() == null ? null : new String(token.value(), StandardCharsets.UTF_8));
        view.put("created_by", new Id(Kind.USER, token.createdBy()).toString());
        view.put("created_at", token.createdAt());
        return view;
    }

    /// What is stored about his account.
    Optional<Map<String, @Nullable Object>> account(Optional<Person> person) {
        return person.flatMap(found -> accounts.of(found.owner()));
    }

    private static String schedule(Schedule schedule) {
        return switch (schedule) {
            case Schedule.OneTime(var at) -> at == null ? "now" : at.toString();
            case Schedule.Cron cron -> cron.expression() + " " + cron.zone().getId();
            case Schedule.Interval interval -> interval.every().toString();
        };
    }

    /// A page of one task's executions, newest first, results opened.
    ///
    /// @param after the last id of the page before; null for the first page
    Part executions(UUID task, @Nullable UUID after) {
        var items = new ArrayList<Map<String, @Nullable Object>>();
        long bytes = 0;
        List<ExecutionView> page =
                executions.list(ExecutionFilter.ofTask(task), new Page(after, EXECUTIONS_MAX, false));
        for (ExecutionView execution : page) {
            byte[] sealed = executions.sealedResult(execution).orElse(null);
            items.add(view(execution, sealed));
            bytes += sealed == null ? 0 : sealed.length;
            if (bytes > PAGE_BYTES || items.size() >= EXECUTIONS_MAX) {
                return new Part(items, new Id(Kind.EXECUTION, execution.id()).toString());
            }
        }
        return new Part(items, null);
    }

    private Map<String, @Nullable Object> view(ExecutionView execution, byte @Nullable [] sealed) {
        var place =
                new Place(execution.taskId(), execution.namespace(), execution.payloadVersion(), execution.handler());
        boolean succeeded = execution.state() == ExecutionView.State.SUCCEEDED;
        Opened opened = sealed == null
                ? new Opened.Erased()
                : sealer.open(
                        place,
                        succeeded
                                ? place.result(execution.id(), execution.keyId())
                                : place.errorDetail(execution.id(), execution.keyId()),
                        sealed);
        Map<String, @Nullable Object> view = new LinkedHashMap<>();
        view.put("id", new Id(Kind.EXECUTION, execution.id()).toString());
        view.put("task_id", new Id(Kind.TASK, execution.taskId()).toString());
        view.put("state", execution.state().name().toLowerCase(Locale.ROOT));
        view.put("attempt", execution.attempt());
        view.put("scheduled_for", execution.scheduledFor());
        view.put("started_at", execution.startedAt());
        view.put("finished_at", execution.finishedAt());
        view.put(
                "duration_ms",
                execution.duration() == null ? null : execution.duration().toMillis());
        view.put(
                "worker_id",
                execution.workerId() == null ? null : new Id(Kind.WORKER, execution.workerId()).toString());
        view.put("result", succeeded ? json(opened) : null);
        view.put("error_code", execution.errorCode());
        view.put("error_detail", succeeded ? null : text(opened));
        return view;
    }

    private static @Nullable Object json(Opened opened) {
        String text = text(opened);
        return text == null ? null : Rows.json(text);
    }

    private static @Nullable String text(Opened opened) {
        return opened instanceof Opened.Plain(byte[] bytes) ? new String(bytes, StandardCharsets.UTF_8) : null;
    }
}
