package dev.vigil.api.task;

import dev.vigil.api.web.Code;
import dev.vigil.api.web.Fields;
import dev.vigil.api.web.ProblemException;
import dev.vigil.protocol.id.Id;
import dev.vigil.protocol.id.Kind;
import dev.vigil.scheduler.task.Priority;
import dev.vigil.scheduler.task.RetryPolicy;
import dev.vigil.scheduler.task.TaskDraft;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/// The body of `POST /api/v1/tasks`: the one place where it is read and where its defaults are.
///
/// @param draft   what the engine gets
/// @param payload its JSON text as received; sealed next, and nowhere else
/// @param subject the person in the data; null when none is named
record TaskBody(TaskDraft draft, byte[] payload, @Nullable String subject) {
    /// Largest payload, in bytes of JSON text as received.
    static final int PAYLOAD_BYTES_MAX = 1_048_576;

    /// Largest body: a payload, and room for the rest.
    static final int BODY_BYTES_MAX = PAYLOAD_BYTES_MAX + 65_536;

    private static final Duration TIMEOUT_DEFAULT = Duration.ofMinutes(15);
    private static final Duration TIMEOUT_MIN = Duration.ofSeconds(1);
    private static final Duration TIMEOUT_MAX = Duration.ofHours(24);
    private static final Duration WAIT_MAX = Duration.ofDays(1);
    private static final int LABELS_MAX = 32;

    /// How long an attempt of a handler may take.
    interface Timeouts {
        /// Each handler as long as any.
        Timeouts ANY = handler -> TIMEOUT_MAX;

        /// The longest, at most 24 h; also of a handler that is not known.
        Duration longest(String handler);
    }

    /// Reads a body.
    ///
    /// @param fields read with `payload` as its raw member
    /// @throws ProblemException 400, 413 or 422
    static TaskBody read(Fields fields, Instant now, Timeouts timeouts) {
        if (fields.raw().isEmpty()) {
            fields.refuse("payload", "required", "is required", "send {} when the handler needs none");
        }
        return changed(fields, now, timeouts);
    }

    /// Reads the next version of a task, which may leave the payload as it is: then it is empty here.
    ///
    /// @throws ProblemException 400, 413 or 422
    static TaskBody changed(Fields fields, Instant now, Timeouts timeouts) {
        byte[] payload = fields.raw().orElse(new byte[0]);
        if (payload.length > PAYLOAD_BYTES_MAX) {
            throw new ProblemException(
                    Code.TOO_LARGE, "The payload has " + payload.length + " bytes; at most " + PAYLOAD_BYTES_MAX);
        }
        String name = fields.text("name", TaskDraft.NAME_LENGTH_MAX);
        String handler = fields.text("handler", 200);
        Optional<Fields> when = fields.object("schedule");
        ScheduleBody schedule = when.map(inner -> ScheduleBody.read(inner, now)).orElse(null);
        if (when.isEmpty()) {
            fields.missing("schedule", "");
        }
        Priority priority = fields.oneOf("priority", Priority.class).orElse(Priority.MEDIUM);
        Duration timeout = timeout(fields, timeouts.longest(handler));
        RetryPolicy retry = fields.object("retry").map(TaskBody::retry).orElse(RetryPolicy.NONE);
        Map<String, String> labels = fields.textMap("labels", LABELS_MAX);
        String subject = fields.optionalText("subject", 200).orElse(null);
        List<UUID> after = after(fields);
        fields.finish();
        if (schedule == null) {
            throw new IllegalStateException("a body without a schedule passed");
        }
        var draft = new TaskDraft(
                name,
                handler,
                schedule.schedule(),
                priority,
                timeout,
                retry,
                schedule.misfire(),
                schedule.misfireLimit(),
                schedule.overlap(),
                schedule.jitter(),
                labels,
                after);
        return new TaskBody(draft, payload, subject);
    }

    /// Ids of executions, or of one_time tasks, whose id is also their execution's. Whether they are there is not known
    /// yet.
    private static List<UUID> after(Fields fields) {
        var after = new LinkedHashSet<UUID>();
        for (String text : fields.texts("after", TaskDraft.AFTER_MAX).orElse(List.of())) {
            Optional<Id> id = Id.parse(Kind.EXECUTION, text).or(() -> Id.parse(Kind.TASK, text));
            if (id.isEmpty()) {
                fields.refuse("after", "format", "holds what is no id", "use ids such as exe_… and tsk_…");
            }
            id.ifPresent(found -> after.add(found.uuid()));
        }
        return List.copyOf(after);
    }

    /// Without one a task has the usual timeout, or the longest that its handler allows.
    private static Duration timeout(Fields fields, Duration longest) {
        Duration usual = TIMEOUT_DEFAULT.compareTo(longest) > 0 ? longest : TIMEOUT_DEFAULT;
        Duration timeout = fields.duration("timeout").orElse(usual);
        if (timeout.compareTo(TIMEOUT_MIN) < 0 || timeout.compareTo(TIMEOUT_MAX) > 0) {
            fields.refuse("timeout", "range", "is outside the range", "use PT1S to PT24H");
        } else if (timeout.compareTo(longest) > 0) {
            fields.refuse("timeout", "range", "is longer than this handler may take", "use at most " + longest);
        }
        return timeout;
    }

    private static RetryPolicy retry(Fields fields) {
        int attempts = fields.integer("max_attempts", 1, 100).orElse(RetryPolicy.NONE.maxAttempts());
        RetryPolicy.Backoff backoff =
                fields.oneOf("backoff", RetryPolicy.Backoff.class).orElse(RetryPolicy.NONE.backoff());
        Duration max = wait(fields, "max", RetryPolicy.NONE.max());
        // A ceiling below the default first wait lowers that wait with it.
        Duration first = RetryPolicy.NONE.initial().compareTo(max) > 0 ? max : RetryPolicy.NONE.initial();
        Duration initial = wait(fields, "initial", first);
        if (initial.compareTo(max) > 0) {
            fields.refuse("initial", "range", "is longer than max", "use at most max");
            return RetryPolicy.NONE;
        }
        return new RetryPolicy(attempts, backoff, initial, max);
    }

    private static Duration wait(Fields fields, String name, Duration absent) {
        Duration wait = fields.duration(name).orElse(absent);
        if (wait.isNegative() || wait.compareTo(WAIT_MAX) > 0) {
            fields.refuse(name, "range", "is outside the range", "use PT0S to P1D");
            return absent;
        }
        return wait;
    }

    @Override
    public String toString() {
        return "TaskBody[hidden]";
    }
}
