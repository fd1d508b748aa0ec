package dev.vigil.scheduler.worker;

import dev.vigil.protocol.link.AckRecord;
import dev.vigil.protocol.link.DispatchRecord;
import dev.vigil.protocol.link.FrameException;
import dev.vigil.protocol.link.HeartbeatAnswer.Verdict;
import dev.vigil.protocol.link.Held;
import dev.vigil.protocol.link.LogRecord;
import dev.vigil.protocol.link.ProgressRecord;
import dev.vigil.protocol.link.ResultRecord;
import dev.vigil.scheduler.execution.AttemptEnd;
import dev.vigil.scheduler.execution.Dispatch;
import dev.vigil.scheduler.execution.Link.Running;
import dev.vigil.scheduler.execution.LinkEvents.Declined;
import dev.vigil.scheduler.execution.LinkEvents.Ownership;
import dev.vigil.scheduler.execution.Saying;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;

/// Between the engine's words and the records on the wire. What a worker wrote is checked here.
final class Records {
    private static final Pattern RESULT_CODE = Pattern.compile("[a-z0-9_.-]{0,64}");
    private static final Pattern DECLINE_CODE = Pattern.compile("[a-z_]{1,64}");

    private Records() {}

    static DispatchRecord of(Dispatch dispatch) {
        return new DispatchRecord(
                dispatch.execution(),
                dispatch.task(),
                dispatch.namespace(),
                dispatch.payloadVersion(),
                dispatch.keyId(),
                dispatch.handler(),
                dispatch.fence(),
                dispatch.attempt(),
                dispatch.timeout().toMillis(),
                dispatch.scheduledFor().toEpochMilli(),
                dispatch.payload());
    }

    static List<Running> running(List<Held> held) {
        return held.stream()
                .map(one -> new Running(one.execution(), one.fence()))
                .toList();
    }

    static List<Running> started(List<AckRecord> acks) {
        return acks.stream()
                .filter(AckRecord::started)
                .map(ack -> new Running(ack.execution(), ack.fence()))
                .toList();
    }

    static List<Declined> declined(List<AckRecord> acks) throws FrameException {
        var declined = new ArrayList<Declined>();
        for (AckRecord ack : acks) {
            if (!ack.started()) {
                if (!DECLINE_CODE.matcher(ack.declined()).matches()) {
                    throw new FrameException("a decline code is malformed");
                }
                declined.add(new Declined(new Running(ack.execution(), ack.fence()), ack.declined()));
            }
        }
        return declined;
    }

    static List<AttemptEnd> ends(List<ResultRecord> results) throws FrameException {
        var ends = new ArrayList<AttemptEnd>(results.size());
        for (ResultRecord result : results) {
            if (!RESULT_CODE.matcher(result.code()).matches()) {
                throw new FrameException("an error code is malformed");
            }
            ends.add(new AttemptEnd(
                    new Running(result.execution(), result.fence()),
                    AttemptEnd.Outcome.valueOf(result.outcome().name()),
                    Duration.ofMillis(result.durationMillis()),
                    result.code().isEmpty() ? null : result.code(),
                    result.retryable(),
                    result.retryAfterMillis() < 0 ? null : Duration.ofMillis(result.retryAfterMillis()),
                    result.sealed(),
                    result.uploaded()));
        }
        return ends;
    }

    static List<Saying> lines(List<LogRecord> records) {
        return records.stream()
                .<Saying>map(record -> new Saying.Lines(
                        new Running(record.execution(), record.fence()),
                        record.firstLine(),
                        record.lines(),
                        record.sealed()))
                .toList();
    }

    static List<Saying> progress(List<ProgressRecord> records) {
        return records.stream()
                .<Saying>map(record -> new Saying.Progress(
                        new Running(record.execution(), record.fence()), record.millionths(), record.sealed()))
                .toList();
    }

    static List<Verdict> verdicts(List<Running> running, Ownership ownership) {
        Set<Running> owned = new HashSet<>(ownership.owned());
        Set<Running> stale = new HashSet<>(ownership.stale());
        return running.stream()
                .map(one -> owned.contains(one) ? Verdict.OWNED : stale.contains(one) ? Verdict.STALE : Verdict.UNKNOWN)
                .toList();
    }
}
