package dev.vigil.scheduler.worker;

import dev.vigil.protocol.identity.TestAuthority;
import dev.vigil.protocol.link.Bodies;
import dev.vigil.protocol.link.FrameType;
import dev.vigil.protocol.link.NonceWitness;
import dev.vigil.scheduler.execution.Dispatch;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import org.awaitility.Awaitility;

/// A core's end of the link with one honest worker, as a process with a small heap. Prints the link's port; then
/// answers each line it reads with `works` once the worker was heard and given something to do.
final class SmallCore {
    private static final int CONNECTIONS = 4_096;

    private SmallCore() {}

    public static void main(String[] args) throws Exception {
        var settings = new WorkerLinkSettings("127.0.0.1", "", 0, 0, CONNECTIONS, CONNECTIONS, Duration.ofHours(1));
        var authority = new TestAuthority();
        try (var core = new TestCore(authority, settings, NonceWitness.NONE);
                var honest = TestWorker.of(authority).join(core.sessions());
                var lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8))) {
            Awaitility.await().until(() -> core.engine.joined.contains(honest.workerBoot()));
            say("" + core.link.linkPort());
            while (lines.readLine() != null) {
                honest.beat(List.of());
                honest.receive(FrameType.HEARTBEAT);
                Dispatch dispatch = TestCore.newDispatch(new byte[10]);
                core.dispatchTo(honest.workerBoot(), dispatch);
                UUID received = Bodies.readDispatches(honest.receive(FrameType.DISPATCH))
                        .records()
                        .getFirst()
                        .execution();
                boolean works = received.equals(dispatch.execution()) && core.link.ready();
                say(works ? "works" : "another dispatch came than was sent");
            }
        }
    }

    private static void say(String words) {
        System.out.println("> " + words);
    }
}
