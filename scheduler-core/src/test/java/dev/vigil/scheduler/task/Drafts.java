package dev.vigil.scheduler.task;

import dev.vigil.protocol.audit.AuditEvent;
import dev.vigil.protocol.audit.EventType;
import dev.vigil.protocol.audit.Result;
import dev.vigil.protocol.id.UuidV7;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.UUID;

/// Tasks for tests.
public final class Drafts {
    /// Who asks.
    public static final UUID OWNER = UuidV7.next();

    private Drafts() {}

    public static Schedule now() {
        return new Schedule.OneTime(null);
    }

    public static TaskDraft draft(String name, Schedule schedule) {
        return new TaskDraft(
                name,
                "demo.echo",
                schedule,
                Priority.MEDIUM,
                Duration.ofMinutes(15),
                RetryPolicy.NONE,
                Misfire.LATEST,
                TaskDraft.MISFIRE_LIMIT,
                Overlap.SKIP,
                Duration.ZERO,
                Map.of("team", "dba"),
                List.of());
    }

    public static NewTask task(Schedule schedule) {
        return task(draft("nightly", schedule), Limits.NONE, 256);
    }

    public static NewTask task(TaskDraft draft, Limits limits, int payloadBytes) {
        UUID id = UuidV7.next();
        return new NewTask(
                id,
                1,
                OWNER,
                draft,
                new TaskDraft.Sealed(new UUID(7, 7), 1, new byte[payloadBytes], null, null, List.of()),
                limits,
                Events.of(event(id)));
    }

    public static AuditEvent event(UUID task) {
        return AuditEvent.of(EventType.TASK_CREATED, "create", Result.SUCCESS, Instant.EPOCH)
                .user(OWNER)
                .task(task);
    }
}
