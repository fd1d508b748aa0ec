package dev.vigil.bench;

import dev.vigil.bench.Contestant.NoOp;
import dev.vigil.protocol.audit.CreateEvent;
import dev.vigil.protocol.audit.Origin;
import dev.vigil.protocol.id.UuidV7;
import dev.vigil.protocol.payload.Purpose;
import dev.vigil.protocol.payload.SealBrokenException;
import dev.vigil.protocol.payload.SealContext;
import dev.vigil.protocol.payload.TaskKey;
import dev.vigil.scheduler.execution.Dispatch;
import dev.vigil.scheduler.task.Events;
import dev.vigil.scheduler.task.Limits;
import dev.vigil.scheduler.task.Misfire;
import dev.vigil.scheduler.task.NewTask;
import dev.vigil.scheduler.task.Overlap;
import dev.vigil.scheduler.task.Priority;
import dev.vigil.scheduler.task.RetryPolicy;
import dev.vigil.scheduler.task.Schedule;
import dev.vigil.scheduler.task.TaskDraft;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.UUID;

/// Tasks as the API makes them, sealed and with their audit event, under a data key that all processes of a run know.
/// A payload has 256 bytes; the first eight tell what its delay is measured from.
final class BenchTasks {
    static final int NAMESPACE = 1;
    static final UUID OWNER = new UUID(0x0198_0000_0000_7000L, 0x8000_0000_0000_0001L);
    static final String HANDLER = "bench.noop";

    private static final int PAYLOAD_BYTES = 256;
    private static final UUID KEY_ID = new UUID(0x0198_0000_0000_7000L, 0x8000_0000_0000_0002L);
    /// No secret: what it seals are zeros.
    private static final byte[] DATA_KEY = new byte[32];

    private static final Origin CALL = new Origin("req_0000000000000000000000", "127.0.0.1");

    private final InstantSource clock;
    private final Limits limits;
    private final boolean sealing;

    /// @param limits  of the one user
    /// @param sealing whether payloads are sealed
    BenchTasks(InstantSource clock, Limits limits, boolean sealing) {
        this.clock = clock;
        this.limits = limits;
        this.sealing = sealing;
    }

    NewTask of(NoOp task) {
        return of(
                new Schedule.OneTime(task.dueMicros() == 0 ? null : Starts.instant(task.dueMicros())), task.t0Micros());
    }

    NewTask of(Schedule schedule, long t0Micros) {
        UUID id = UuidV7.next();
        byte[] payload = ByteBuffer.allocate(PAYLOAD_BYTES).putLong(t0Micros).array();
        byte[] sealed = sealing ? TaskKey.derive(DATA_KEY, id, 1).seal(place(id, 1), payload) : payload;
        return new NewTask(
                id,
                NAMESPACE,
                OWNER,
                draft(schedule),
                new TaskDraft.Sealed(KEY_ID, 1, sealed, null, null, List.of()),
                limits,
                Events.of(created(id, schedule)));
    }

    private static TaskDraft draft(Schedule schedule) {
        return new TaskDraft(
                "bench",
                HANDLER,
                schedule,
                Priority.MEDIUM,
                Duration.ofMinutes(15),
                RetryPolicy.NONE,
                Misfire.LATEST,
                TaskDraft.MISFIRE_LIMIT,
                Overlap.SKIP,
                Duration.ZERO,
                Map.of(),
                List.of());
    }

    /// As the API writes it.
    private CreateEvent created(UUID id, Schedule schedule) {
        return CreateEvent.of(
                clock.instant(), new CreateEvent.Made(NAMESPACE, OWNER, id, HANDLER, schedule.type()), CALL);
    }

    private static SealContext place(UUID task, int payloadVersion) {
        return new SealContext(Purpose.PAYLOAD, NAMESPACE, task, payloadVersion, HANDLER, KEY_ID);
    }

    /// Opens what a worker was sent.
    ///
    /// @return what its delay is measured from, in microseconds of the epoch
    long open(Dispatch dispatch) {
        byte[] sealed = dispatch.payload();
        if (sealed == null) {
            throw new IllegalStateException("execution " + dispatch.execution() + " came without its payload");
        }
        if (!sealing) {
            return t0Micros(dispatch, sealed);
        }
        try {
            byte[] payload = TaskKey.derive(DATA_KEY, dispatch.task(), dispatch.payloadVersion())
                    .open(place(dispatch.task(), dispatch.payloadVersion()), sealed);
            return t0Micros(dispatch, payload);
        } catch (SealBrokenException broken) {
            throw new IllegalStateException("execution " + dispatch.execution() + " does not open", broken);
        }
    }

    private static long t0Micros(Dispatch dispatch, byte[] payload) {
        long t0Micros = ByteBuffer.wrap(payload).getLong();
        return t0Micros == 0 ? Starts.micros(dispatch.scheduledFor()) : t0Micros;
    }
}
