package dev.vigil.protocol.link;

import dev.vigil.protocol.link.HeartbeatAnswer.Verdict;
import dev.vigil.protocol.payload.LogChunk;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/// The bodies of sealed frames, packed and read by hand: 176 ns a task where CBOR took 2,304. `docs/reference/
/// worker-protocol.md` has every byte.
public final class Bodies {
    /// A payload or result above this many bytes of sealed record travels over HTTPS instead.
    public static final int INLINE_BYTES_MAX = 16 * 1024 + 46;

    private static final long FENCE_END = 1L << 53;
    private static final int RETRYABLE = 1;
    private static final int RETRY_AFTER = 2;
    private static final int SEALED_RESULT = 4;
    private static final int UPLOADED = 8;
    /// Of a core that has no database and vouches for all that it is asked about; none says so any more.
    private static final int VOUCHES_FOR_ALL = 1;
    private static final int SUSPENDED = 2;
    private static final int DATABASE_DOWN = 4;

    private Bodies() {}

    /// READY, worker to core: slots, and what it holds.
    public static Body ready(int slots, List<Held> held) {
        return Body.of(heldList(new BodyWriter().u16(slots), held));
    }

    public static Ready readReady(byte[] body) throws FrameException {
        var in = new BodyReader(body);
        var ready = new Ready(in.u16(), readHeld(in));
        in.end();
        return ready;
    }

    /// What READY says.
    ///
    /// @param slots how many executions the worker runs at once
    /// @param held  what it holds
    public record Ready(int slots, List<Held> held) {}

    /// HEARTBEAT, worker to core, without its signature.
    public static byte[] heartbeat(long number, List<Held> held) {
        return heldList(new BodyWriter().u64(number), held).toBytes();
    }

    /// HEARTBEAT, worker to core.
    ///
    /// @param signature empty when this one is not signed
    public static Body heartbeat(byte[] unsigned, byte[] signature) {
        return Body.of(new BodyWriter().raw(unsigned).u8(signature.length).raw(signature));
    }

    public static Heartbeat readHeartbeat(byte[] body) throws FrameException {
        var in = new BodyReader(body);
        long number = in.count64();
        List<Held> held = readHeld(in);
        var unsigned = java.util.Arrays.copyOf(body, in.position());
        byte[] signature = in.raw(in.u8());
        in.end();
        return new Heartbeat(number, held, signature, unsigned);
    }

    /// HEARTBEAT, core to worker.
    public static Body answer(HeartbeatAnswer answer) {
        int flags = (answer.databaseDown() ? DATABASE_DOWN : 0) | (answer.suspended() ? SUSPENDED : 0);
        var out = new BodyWriter().u64(answer.number()).u8(flags).u32(answer.backlog());
        out.u16(answer.verdicts().size());
        answer.verdicts().forEach(verdict -> out.u8(verdict.code()));
        return Body.of(out);
    }

    public static HeartbeatAnswer readAnswer(byte[] body) throws FrameException {
        var in = new BodyReader(body);
        long number = in.count64();
        int flags = in.u8();
        int backlog = in.u32();
        int count = in.u16();
        if (backlog < 0 || count > Held.MAX) {
            throw new FrameException("an answer about " + count + " executions, backlog " + backlog);
        }
        var verdicts = new ArrayList<Verdict>(count);
        boolean all = (flags & VOUCHES_FOR_ALL) != 0;
        for (int i = 0; i < count; i++) {
            Verdict verdict = Coded.of(Verdict.values(), in.u8());
            verdicts.add(all && verdict == Verdict.UNKNOWN ? Verdict.OWNED : verdict);
        }
        in.end();
        boolean down = all || (flags & DATABASE_DOWN) != 0;
        return new HeartbeatAnswer(number, down, (flags & SUSPENDED) != 0, backlog, verdicts);
    }

    /// DISPATCH, core to worker: as many bodies as the records need.
    public static List<Packed<DispatchRecord>> dispatches(long heartbeat, List<DispatchRecord> records) {
        return pack(new BodyWriter().u64(heartbeat).toBytes(), records, Bodies::write);
    }

    private static void write(BodyWriter out, DispatchRecord record) {
        out.uuid(record.execution()).uuid(record.task()).u32(record.namespace()).u32(record.payloadVersion());
        out.uuid(record.keyId()).text(record.handler()).u64(record.fence()).u16(record.attempt());
        out.u64(record.timeoutMillis()).u64(record.scheduledForMillis());
        optional(out, record.payload());
    }

    public static DispatchBatch readDispatches(Frame frame) throws FrameException {
        var in = new BodyReader(frame.body());
        long heartbeat = in.count64();
        var records = new ArrayList<DispatchRecord>();
        for (int i = 0; i < recordCount(frame); i++) {
            records.add(new DispatchRecord(
                    in.uuid(),
                    in.uuid(),
                    in.u32(),
                    in.u32(),
                    in.uuid(),
                    in.text(),
                    fence(in),
                    in.u16(),
                    in.count64(),
                    in.u64(),
                    readOptional(in)));
        }
        in.end();
        return new DispatchBatch(heartbeat, records);
    }

    /// ACK, worker to core.
    public static List<Packed<AckRecord>> acks(List<AckRecord> records) {
        return pack(
                new byte[0],
                records,
                (out, record) ->
                        out.uuid(record.execution()).u64(record.fence()).text(record.declined()));
    }

    public static List<AckRecord> readAcks(Frame frame) throws FrameException {
        return read(frame, in -> new AckRecord(in.uuid(), fence(in), in.text()));
    }

    /// RESULT, worker to core.
    public static List<Packed<ResultRecord>> results(List<ResultRecord> records) {
        return pack(new byte[0], records, Bodies::write);
    }

    private static void write(BodyWriter out, ResultRecord record) {
        byte[] sealed = record.sealed();
        int flags = (record.retryable() ? RETRYABLE : 0)
                | (record.retryAfterMillis() >= 0 ? RETRY_AFTER : 0)
                | (sealed != null ? SEALED_RESULT : 0)
                | (record.uploaded() ? UPLOADED : 0);
        out.uuid(record.execution()).u64(record.fence());
        out.u8(record.outcome().code()).u64(record.durationMillis()).text(record.code());
        out.u8(flags);
        if (record.retryAfterMillis() >= 0) {
            out.u64(record.retryAfterMillis());
        }
        if (sealed != null) {
            out.bytes(sealed);
        }
    }

    public static List<ResultRecord> readResults(Frame frame) throws FrameException {
        return read(frame, in -> {
            UUID execution = in.uuid();
            long fence = fence(in);
            ResultRecord.Outcome outcome = Coded.of(ResultRecord.Outcome.values(), in.u8());
            long duration = in.count64();
            String code = in.text();
            int flags = in.u8();
            if ((flags & ~(RETRYABLE | RETRY_AFTER | SEALED_RESULT | UPLOADED)) != 0) {
                throw new FrameException("a result has unknown flags " + flags);
            }
            long retryAfter = (flags & RETRY_AFTER) != 0 ? in.count64() : -1;
            byte[] sealed = (flags & SEALED_RESULT) != 0 ? in.bytes() : null;
            boolean retryable = (flags & RETRYABLE) != 0;
            boolean uploaded = (flags & UPLOADED) != 0;
            return new ResultRecord(execution, fence, outcome, duration, code, retryable, retryAfter, uploaded, sealed);
        });
    }

    /// RESULT_ACK, core to worker.
    public static List<Packed<SettledRecord>> settled(List<SettledRecord> records) {
        return pack(
                new byte[0],
                records,
                (out, record) ->
                        out.uuid(record.execution()).u64(record.fence()).u8(record.committed() ? 1 : 2));
    }

    public static List<SettledRecord> readSettled(Frame frame) throws FrameException {
        return read(frame, in -> new SettledRecord(in.uuid(), fence(in), either(in.u8(), 1, 2)));
    }

    /// CANCEL, core to worker.
    public static List<Packed<CancelRecord>> cancels(List<CancelRecord> records) {
        return pack(
                new byte[0],
                records,
                (out, record) ->
                        out.uuid(record.execution()).u64(record.fence()).u32(record.graceMillis()));
    }

    public static List<CancelRecord> readCancels(Frame frame) throws FrameException {
        return read(frame, in -> {
            var record = new CancelRecord(in.uuid(), fence(in), in.u32());
            if (record.graceMillis() < 0) {
                throw new FrameException("a grace beyond 2^31 ms");
            }
            return record;
        });
    }

    /// PROGRESS, worker to core.
    public static List<Packed<ProgressRecord>> progress(List<ProgressRecord> records) {
        return pack(new byte[0], records, (out, record) -> {
            out.uuid(record.execution()).u64(record.fence()).u32(record.millionths());
            optional(out, record.sealed());
        });
    }

    public static List<ProgressRecord> readProgress(Frame frame) throws FrameException {
        return read(frame, in -> {
            var record = new ProgressRecord(in.uuid(), fence(in), in.u32(), readOptional(in));
            byte[] sealed = record.sealed();
            if (record.millionths() < 0 || record.millionths() > ProgressRecord.WHOLE) {
                throw new FrameException("progress is 0 to 1,000,000 millionths");
            }
            if (sealed != null && sealed.length > ProgressRecord.SEALED_BYTES_MAX) {
                throw new FrameException("a progress sentence of " + sealed.length + " bytes");
            }
            return record;
        });
    }

    /// LOG, worker to core.
    public static List<Packed<LogRecord>> logs(List<LogRecord> records) {
        return pack(
                new byte[0],
                records,
                (out, record) -> out.uuid(record.execution())
                        .u64(record.fence())
                        .u32(record.firstLine())
                        .u16(record.lines())
                        .bytes(record.sealed()));
    }

    public static List<LogRecord> readLogs(Frame frame) throws FrameException {
        return read(frame, in -> {
            var record = new LogRecord(in.uuid(), fence(in), in.u32(), in.u16(), in.bytes());
            boolean numbered = record.firstLine() >= 1 && record.lines() >= 1 && record.lines() <= LogChunk.LINES_MAX;
            if (!numbered || record.sealed().length > LogRecord.SEALED_BYTES_MAX) {
                throw new FrameException(
                        "a log record of " + record.lines() + " lines and " + record.sealed().length + " bytes");
            }
            return record;
        });
    }

    /// GOODBYE, both ways. Worker: no more work, please (draining), or: nothing runs here any more (done).
    public static Body goodbye(boolean done) {
        return Body.of(new BodyWriter().u8(done ? 2 : 1));
    }

    /// Reads GOODBYE.
    ///
    /// @return whether nothing runs any more
    public static boolean readGoodbye(byte[] body) throws FrameException {
        var in = new BodyReader(body);
        boolean done = either(in.u8(), 2, 1);
        in.end();
        return done;
    }

    /// ERROR, both ways; the sender cuts the connection after it.
    public static Body error(String code, String text) {
        return Body.of(new BodyWriter().text(code).text(text));
    }

    public static LinkError readError(byte[] body) throws FrameException {
        var in = new BodyReader(body);
        var error = new LinkError(in.text(), in.text());
        in.end();
        return error;
    }

    /// What ERROR says.
    ///
    /// @param code for programs, `[a-z_]`
    /// @param text for people
    public record LinkError(String code, String text) {}

    /// One body of a batch and the records in it.
    public record Packed<R>(Body body, List<R> records) {}

    private interface RecordReader<R> {
        R read(BodyReader in) throws FrameException;
    }

    private static <R> List<R> read(Frame frame, RecordReader<R> reader) throws FrameException {
        var in = new BodyReader(frame.body());
        var records = new ArrayList<R>();
        for (int i = 0; i < recordCount(frame); i++) {
            records.add(reader.read(in));
        }
        in.end();
        return records;
    }

    private static int recordCount(Frame frame) throws FrameException {
        int records = frame.header().records();
        if (records < 1 || records > DispatchBatch.RECORDS_MAX) {
            throw new FrameException(records + " records in a frame; 1 to " + DispatchBatch.RECORDS_MAX + " may be");
        }
        return records;
    }

    private static <R> List<Packed<R>> pack(byte[] prefix, List<R> records, BiConsumer<BodyWriter, R> writer) {
        var bodies = new ArrayList<Packed<R>>();
        var out = new BodyWriter().raw(prefix);
        int length = prefix.length;
        var packed = new ArrayList<R>();
        for (R record : records) {
            var one = new BodyWriter();
            writer.accept(one, record);
            byte[] bytes = one.toBytes();
            if (length + bytes.length > SealedChannel.BODY_BYTES_MAX || packed.size() == DispatchBatch.RECORDS_MAX) {
                bodies.add(new Packed<>(new Body(packed.size(), out.toBytes()), List.copyOf(packed)));
                out = new BodyWriter().raw(prefix);
                length = prefix.length;
                packed.clear();
            }
            out.raw(bytes);
            length += bytes.length;
            packed.add(record);
        }
        if (!packed.isEmpty()) {
            bodies.add(new Packed<>(new Body(packed.size(), out.toBytes()), List.copyOf(packed)));
        }
        return bodies;
    }

    private static BodyWriter heldList(BodyWriter out, List<Held> held) {
        if (held.size() > Held.MAX) {
            throw new IllegalArgumentException(held.size() + " executions held; at most " + Held.MAX);
        }
        out.u16(held.size());
        for (Held one : held) {
            out.uuid(one.execution()).u64(one.fence()).u8(one.state().code());
        }
        return out;
    }

    private static List<Held> readHeld(BodyReader in) throws FrameException {
        int count = in.u16();
        if (count > Held.MAX) {
            throw new FrameException(count + " executions held; at most " + Held.MAX);
        }
        var held = new ArrayList<Held>(count);
        Set<UUID> seen = new HashSet<>();
        for (int i = 0; i < count; i++) {
            var one = new Held(in.uuid(), fence(in), Coded.of(Held.State.values(), in.u8()));
            if (!seen.add(one.execution())) {
                throw new FrameException("an execution is listed twice");
            }
            held.add(one);
        }
        return held;
    }

    private static long fence(BodyReader in) throws FrameException {
        long fence = in.u64();
        if (fence < 0 || fence >= FENCE_END) {
            throw new FrameException("a fence is below 2^53");
        }
        return fence;
    }

    private static boolean either(int code, int yes, int no) throws FrameException {
        if (code != yes && code != no) {
            throw new FrameException("code " + code + " is neither " + yes + " nor " + no);
        }
        return code == yes;
    }

    private static void optional(BodyWriter out, byte @Nullable [] value) {
        if (value == null) {
            out.u8(0);
        } else {
            out.u8(1).bytes(value);
        }
    }

    private static byte @Nullable [] readOptional(BodyReader in) throws FrameException {
        return either(in.u8(), 1, 0) ? in.bytes() : null;
    }
}
