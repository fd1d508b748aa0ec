package dev.vigil.bench;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vigil.api.access.AccessPolicy;
import dev.vigil.api.web.Caller;
import dev.vigil.api.web.Role;
import dev.vigil.protocol.audit.AuditEvent;
import dev.vigil.protocol.audit.EventBatch;
import dev.vigil.protocol.audit.EventType;
import dev.vigil.protocol.audit.Result;
import dev.vigil.protocol.link.Bodies;
import dev.vigil.protocol.link.DispatchBatch;
import dev.vigil.protocol.link.DispatchRecord;
import dev.vigil.protocol.link.FrameException;
import dev.vigil.protocol.link.FrameType;
import dev.vigil.protocol.link.Handshake;
import dev.vigil.protocol.link.NonceWitness;
import dev.vigil.protocol.link.SealedChannel;
import dev.vigil.protocol.link.SessionTerms;
import dev.vigil.protocol.payload.Purpose;
import dev.vigil.protocol.payload.SealBrokenException;
import dev.vigil.protocol.payload.SealContext;
import dev.vigil.protocol.payload.TaskKey;
import dev.vigil.scheduler.task.CronExpression;
import java.time.Instant;
import java.time.ZoneId;
import java.util.Collections;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;

/// What the hot inner parts cost one by one. No part of the tests; the command is in docs/how-to/measure.md.
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
public class MicroBench {
    private static final int DISPATCHES = 50;

    private final byte[] dataKey = new byte[32];
    private final byte[] payload = new byte[256];
    private final UUID task = new UUID(0x0198_0000_0000_7000L, 1);
    private final SealContext place = new SealContext(Purpose.PAYLOAD, 1, task, 1, "bench.noop", new UUID(7, 7));
    private final TaskKey key = TaskKey.derive(dataKey, task, 1);
    private final byte[] sealedPayload = key.seal(place, payload);
    private final CronExpression cron = CronExpression.parse("0 30 2 * * MON-FRI");
    private final ZoneId berlin = ZoneId.of("Europe/Berlin");
    private final Instant after = Instant.parse("2026-03-28T12:00:00Z");
    private final Caller caller = new Caller(
            task,
            "bench",
            Role.SCHEDULER,
            1,
            "bench",
            Set.of(),
            new Caller.Permissions(Set.of("one_time", "cron"), Set.of("low", "medium"), Set.of("bench.*"), 1_000, 10),
            1_000,
            "token",
            null,
            null);
    private final AccessPolicy.Wish wish = new AccessPolicy.Wish("cron", "medium", "bench.noop");
    private final Link link = Link.handshaken();
    private final DispatchRecord dispatch = new DispatchRecord(
            task, task, 1, 1, task, "bench.noop", 1L << 33, 1, 900_000, 1_795_000_000_000L, sealedPayload);

    /// Both ends of a link.
    private record Link(SealedChannel core, SealedChannel worker) {
        static Link handshaken() {
            var secret = new byte[32];
            var terms = new SessionTerms(new UUID(3, 3), new UUID(4, 4), new UUID(5, 5), 1, "tls", new byte[32]);
            try {
                byte[] hello = Handshake.hello(terms, secret, new byte[32]);
                var accepted =
                        Handshake.accept(terms, secret, hello, new Handshake.CoreEnd(new byte[32], NonceWitness.NONE));
                var finished = Handshake.finish(
                        terms, secret, hello, new Handshake.WorkerEnd(accepted.welcome(), NonceWitness.NONE));
                return new Link(accepted.channel(), finished.channel());
            } catch (FrameException impossible) {
                throw new IllegalStateException(impossible);
            }
        }
    }

    /// The key of a task, and its payload sealed: what a create costs.
    @Benchmark
    public byte[] seal() {
        return TaskKey.derive(dataKey, task, 1).seal(place, payload);
    }

    /// A payload opened under the key that came with the materials.
    @Benchmark
    public byte[] open() throws SealBrokenException {
        return key.open(place, sealedPayload);
    }

    /// A frame of 50 dispatches packed, sealed, opened and read.
    @Benchmark
    public DispatchBatch frame() throws FrameException {
        var packed =
                Bodies.dispatches(1, Collections.nCopies(DISPATCHES, dispatch)).getFirst();
        return Bodies.readDispatches(link.worker.open(link.core.seal(FrameType.DISPATCH, packed.body(), 0)));
    }

    /// The next fire of a calendar over a weekend with a change of the clock.
    @Benchmark
    public Optional<Instant> cron() {
        return cron.next(after, berlin);
    }

    /// Whether a caller may have a task.
    @Benchmark
    public AccessPolicy.Verdict policy() {
        return AccessPolicy.create(caller, wish);
    }

    /// An audit event, framed.
    @Benchmark
    public byte[] event() {
        return EventBatch.frame(AuditEvent.of(EventType.TASK_EXECUTION, "dispatch", Result.SUCCESS, after)
                .user(task)
                .namespace(1)
                .task(task)
                .execution(task)
                .worker(task)
                .with("attempt", 1L)
                .with("fence", 1L << 33));
    }

    @Test
    void the_inner_parts_one_by_one() throws RunnerException {
        var options = new OptionsBuilder()
                .include(MicroBench.class.getName())
                .forks(1)
                .warmupIterations(5)
                .warmupTime(TimeValue.seconds(2))
                .measurementIterations(5)
                .measurementTime(TimeValue.seconds(1))
                .build();

        assertThat(new Runner(options).run()).hasSize(6);
    }
}
