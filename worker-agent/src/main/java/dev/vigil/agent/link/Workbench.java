package dev.vigil.agent.link;

import dev.vigil.agent.handler.ExecutionRequest;
import dev.vigil.agent.handler.Mask;
import dev.vigil.agent.handler.Outcome;
import dev.vigil.protocol.link.Bodies;
import dev.vigil.protocol.link.DispatchRecord;
import dev.vigil.protocol.link.ResultRecord;
import dev.vigil.protocol.payload.Purpose;
import dev.vigil.protocol.payload.SealBrokenException;
import dev.vigil.protocol.payload.SealContext;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Opens payloads and seals results: the only place of the agent where both a key and a plaintext are at hand.
/// Blocking; called on threads of its own.
final class Workbench {
    private static final Logger LOG = LoggerFactory.getLogger(Workbench.class);
    private static final int TRIES = 5;
    private static final Duration FIRST_WAIT = Duration.ofMillis(100);

    private final Keys keys;
    private final WorkerApi api;
    private final InstantSource clock;

    Workbench(Keys keys, WorkerApi api, InstantSource clock) {
        this.keys = keys;
        this.api = api;
        this.clock = clock;
    }

    /// What became of a dispatch that was prepared: ready to run, or declined with a code.
    sealed interface Preparation {
        record Ready(Prepared prepared) implements Preparation {}

        record Declined(String code) implements Preparation {}
    }

    /// What a worker has to say about an attempt that ended.
    sealed interface Report {
        record Ended(ResultRecord result) implements Report {}

        record Declined(String code) implements Report {}

        /// Somebody else has this execution by now.
        record Nothing() implements Report {}
    }

    /// Fetches the materials of the dispatches of one frame and opens their payloads.
    void prepare(List<DispatchRecord> dispatches, BiConsumer<DispatchRecord, Preparation> done)
            throws InterruptedException {
        Map<UUID, Material> materials;
        try {
            materials = patiently(() -> keys.of(dispatches));
        } catch (IOException e) {
            LOG.warn("event=materials_unavailable executions={} reason=\"{}\"", dispatches.size(), e.getMessage());
            boolean refused = e instanceof WorkerApi.CallRefusedException call && !call.temporary();
            String code = refused ? "not_allowed" : "materials_unavailable";
            dispatches.forEach(dispatch -> done.accept(dispatch, new Preparation.Declined(code)));
            return;
        }
        for (DispatchRecord dispatch : dispatches) {
            done.accept(dispatch, prepare(dispatch, materials.get(dispatch.execution())));
        }
    }

    private Preparation prepare(DispatchRecord dispatch, @Nullable Material material) throws InterruptedException {
        return switch (material) {
            case null -> new Preparation.Declined("materials_unavailable");
            case Material.Refused refused -> new Preparation.Declined(refused.code());
            case Material.Granted granted -> open(dispatch, granted);
        };
    }

    private Preparation open(DispatchRecord dispatch, Material.Granted granted) throws InterruptedException {
        var place = new SealContext(
                Purpose.PAYLOAD,
                dispatch.namespace(),
                dispatch.task(),
                dispatch.payloadVersion(),
                dispatch.handler(),
                dispatch.keyId());
        try {
            byte[] inline = dispatch.payload();
            byte[] sealed = inline != null ? inline : patiently(() -> api.payload(dispatch));
            ResolvedInput input = ResolvedInput.of(granted.key().open(place, sealed), granted.resolved(), dispatch);
            Duration timeout = Duration.ofMillis(dispatch.timeoutMillis());
            var request = new ExecutionRequest(
                    dispatch.execution(),
                    dispatch.namespace(),
                    dispatch.fence(),
                    dispatch.attempt(),
                    dispatch.handler(),
                    input.json(),
                    timeout,
                    Instant.ofEpochMilli(dispatch.scheduledForMillis()),
                    clock.instant().plus(timeout),
                    granted.resolved().secrets(),
                    Mask.of(input.confidential()));
            // Results belong to the execution, payloads to the task; the key is the task's for both.
            var results = new SealContext(
                    Purpose.RESULT,
                    dispatch.namespace(),
                    dispatch.execution(),
                    dispatch.payloadVersion(),
                    dispatch.handler(),
                    dispatch.keyId());
            return new Preparation.Ready(new Prepared(request, granted.key(), results));
        } catch (SealBrokenException e) {
            LOG.error("event=payload_broken execution={} reason=\"{}\"", dispatch.execution(), e.getMessage());
            return new Preparation.Declined("payload_broken");
        } catch (IOException e) {
            LOG.warn("event=payload_unavailable execution={} reason=\"{}\"", dispatch.execution(), e.getMessage());
            return new Preparation.Declined("payload_unavailable");
        } catch (IllegalArgumentException e) {
            LOG.error("event=dispatch_impossible execution={} reason=\"{}\"", dispatch.execution(), e.getMessage());
            return new Preparation.Declined("impossible");
        }
    }

    /// Seals what came out of an attempt; what is too long for a frame is brought to the API first.
    Report report(Prepared prepared, Outcome outcome) throws InterruptedException {
        return switch (outcome) {
            case Outcome.Done done -> sealed(prepared, done);
            case Outcome.Failed failed -> {
                byte[] detail = failed.why().detail().getBytes(StandardCharsets.UTF_8);
                byte[] record = prepared.key().seal(prepared.place().withPurpose(Purpose.ERROR_DETAIL), detail);
                long after = failed.retryAfter().map(Duration::toMillis).orElse(-1L);
                yield new Report.Ended(new ResultRecord(
                        prepared.request().execution(),
                        prepared.request().fence(),
                        ResultRecord.Outcome.FAILED,
                        failed.duration().toMillis(),
                        failed.why().code(),
                        failed.retryable(),
                        after,
                        false,
                        record));
            }
            case Outcome.TimedOut timedOut -> bare(prepared, ResultRecord.Outcome.TIMED_OUT, timedOut.duration());
            case Outcome.Cancelled cancelled -> bare(prepared, ResultRecord.Outcome.CANCELLED, cancelled.duration());
            case Outcome.Refused refused ->
                new Report.Declined(
                        switch (refused.reason()) {
                            case NO_SLOT, ALREADY_RUNNING -> "no_slot";
                            case UNKNOWN_HANDLER -> "unknown_handler";
                            case NO_SANDBOX -> "no_sandbox";
                            case DRAINING -> "draining";
                        });
            case Outcome.Abandoned abandoned -> new Report.Nothing();
        };
    }

    private Report sealed(Prepared prepared, Outcome.Done done) throws InterruptedException {
        ExecutionRequest request = prepared.request();
        byte[] record = prepared.key().seal(prepared.place(), done.output());
        boolean large = record.length > Bodies.INLINE_BYTES_MAX;
        if (large) {
            try {
                patiently(() -> {
                    api.putResult(request.execution(), request.fence(), record);
                    return true;
                });
            } catch (IOException e) {
                LOG.warn("event=result_not_stored execution={} reason=\"{}\"", request.execution(), e.getMessage());
                boolean refused = e instanceof WorkerApi.CallRefusedException call && !call.temporary();
                // Refused: the fence is old, somebody else has it. Otherwise the dispatch ends by the watchdog's rule
                // and runs again.
                return refused ? new Report.Nothing() : new Report.Declined("result_unavailable");
            }
        }
        return new Report.Ended(new ResultRecord(
                request.execution(),
                request.fence(),
                ResultRecord.Outcome.SUCCEEDED,
                done.duration().toMillis(),
                "",
                false,
                -1,
                large,
                large ? null : record));
    }

    private static Report bare(Prepared prepared, ResultRecord.Outcome outcome, Duration duration) {
        return new Report.Ended(new ResultRecord(
                prepared.request().execution(),
                prepared.request().fence(),
                outcome,
                duration.toMillis(),
                outcome.name().toLowerCase(java.util.Locale.ROOT),
                outcome == ResultRecord.Outcome.TIMED_OUT,
                -1,
                false,
                null));
    }

    private interface Call<T> {
        T call() throws IOException, InterruptedException;
    }

    /// Five tries over about three seconds; an answer that says no is not asked again.
    private static <T> T patiently(Call<T> call) throws IOException, InterruptedException {
        Duration wait = FIRST_WAIT;
        for (int attempt = 1; ; attempt++) {
            try {
                return call.call();
            } catch (IOException e) {
                boolean no = e instanceof WorkerApi.CallRefusedException refused && !refused.temporary();
                if (no || attempt == TRIES) {
                    throw e;
                }
                Thread.sleep(wait);
                wait = wait.multipliedBy(2);
            }
        }
    }
}
