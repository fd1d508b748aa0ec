package dev.vigil.agent.handler;

import static dev.vigil.agent.handler.Workplace.code;
import static dev.vigil.agent.handler.Workplace.done;
import static dev.vigil.agent.handler.Workplace.outcome;
import static dev.vigil.agent.handler.Workplace.request;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/// Cancel, timeout, flood and close: an outcome comes only when no process of the attempt is left.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class StopTest {
    private Workplace workplace;

    @BeforeAll
    void open(@TempDir Path folder) throws Exception {
        workplace = Workplace.in(folder)
                .shell("stubborn", "fresh", """
                        read -r run
                        token=$(printf '%s' "$run" | sed 's/.*"token":"\\([a-z0-9-]*\\)".*/\\1/')
                        trap '' TERM INT HUP
                        sh -c "trap '' TERM; : $token; while :; do sleep 1; done" &
                        echo '{"progress":0.1,"message":"up"}' >&$VIGIL_FD
                        while :; do sleep 1; done
                        """)
                .shell("polite", "fresh", """
                        trap 'exit 0' TERM
                        echo '{"progress":0.1,"message":"up"}' >&$VIGIL_FD
                        sleep 60 & wait
                        """)
                .shell("flood", "fresh", "yes 0123456789012345678901234567890123456789")
                .shell("channel.flood", "fresh", "yes '{\"progress\":0.5,\"message\":\"x\"}' >&$VIGIL_FD")
                .python("finisher", "pooled", """
                        import json, os, socket
                        channel = socket.socket(fileno=int(os.environ["VIGIL_FD"])).makefile("rw", newline="\\n")
                        def say(line):
                            channel.write(json.dumps(line) + "\\n"); channel.flush()
                        say({"hello": 1, "handlers": ["finisher"]})
                        for line in channel:
                            order = json.loads(line)
                            if "run" in order:
                                run = order["run"]
                                say({"run": run, "progress": 0.5, "message": "up"})
                            else:
                                say({"run": run, "done": {"grace": order["grace_ms"], "same": order["cancel"] == run}})
                        """)
                .open(true, Duration.ofSeconds(60), Duration.ofSeconds(120));
    }

    @AfterAll
    void close() {
        workplace.close();
    }

    /// Starts an attempt and returns when its handler has reported progress.
    private Attempt startedUp(ExecutionRequest request) {
        var up = new AtomicReference<String>("");
        Attempt attempt = workplace.runner().run(request, new RunListener() {
            @Override
            public void progress(UUID execution, double fraction, String message) {
                up.set(message);
            }
        });
        await().until(() -> "up".equals(up.get()));
        return attempt;
    }

    /// The processes of this machine that carry a token in their arguments.
    static List<String> processesWith(String token) throws IOException {
        try (Stream<Path> processes = Files.list(Path.of("/proc"))) {
            return processes
                    .filter(process -> arguments(process).contains(token))
                    .map(process -> process.getFileName().toString())
                    .toList();
        }
    }

    private static String arguments(Path process) {
        try {
            return Files.readString(process.resolve("cmdline"), StandardCharsets.ISO_8859_1);
        } catch (IOException e) {
            return ""; // no process, or one that ended meanwhile
        }
    }

    @Test
    void a_cancelled_handler_that_ignores_every_signal_is_gone_with_its_children() throws Exception {
        String token = UUID.randomUUID().toString();
        Attempt attempt = startedUp(request("stubborn", "{\"token\":\"" + token + "\"}"));
        assertThat(processesWith(token)).as("control: it can be found").isNotEmpty();

        attempt.cancel(Duration.ofMillis(200));
        Outcome outcome = outcome(attempt);

        assertThat(processesWith(token)).isEmpty();
        assertThat(outcome).isInstanceOf(Outcome.Cancelled.class);
        assertThat(outcome.processGone()).isTrue();
    }

    @Test
    void a_timeout_ends_a_stubborn_handler_within_its_second_of_grace() throws Exception {
        String token = UUID.randomUUID().toString();
        Attempt attempt = startedUp(request("stubborn", "{\"token\":\"" + token + "\"}", Duration.ofSeconds(1)));

        Outcome outcome = outcome(attempt);

        assertThat(outcome).isInstanceOf(Outcome.TimedOut.class);
        assertThat(outcome.processGone()).isTrue();
        assertThat(outcome.duration()).isBetween(Duration.ofSeconds(2), Duration.ofSeconds(5));
        assertThat(processesWith(token)).isEmpty();
    }

    @Test
    void sigterm_is_enough_for_a_polite_handler() {
        Attempt attempt = startedUp(request("polite", "{}"));

        attempt.cancel(Duration.ZERO);
        Outcome outcome = outcome(attempt);

        assertThat(outcome).isInstanceOf(Outcome.Cancelled.class);
        assertThat(outcome.processGone()).isTrue();
    }

    @Test
    void a_handler_may_finish_within_its_grace_and_is_replaced_afterwards() {
        Attempt attempt = startedUp(request("finisher", "{}"));

        attempt.cancel(Duration.ofSeconds(20));
        Outcome outcome = outcome(attempt);

        assertThat(done(outcome)).isEqualTo("{\"grace\": 20000, \"same\": true}");
        assertThat(outcome.processGone()).isTrue();
    }

    @Test
    void a_second_cancel_may_shorten_the_grace() {
        Attempt attempt = workplace.start("demo.sleep", "{\"ms\":60000}");
        Attempt stubborn = startedUp(request("stubborn", "{\"token\":\"x\"}"));

        stubborn.cancel(Duration.ofMinutes(5));
        stubborn.cancel(Duration.ZERO);
        attempt.cancel(Duration.ofMinutes(5));

        assertThat(outcome(stubborn)).isInstanceOf(Outcome.Cancelled.class);
        assertThat(outcome(attempt)).as("it wakes and says so").isInstanceOf(Outcome.Cancelled.class);
    }

    @Test
    void a_cancel_right_after_the_start_is_heard() {
        Attempt attempt = workplace.start("polite", "{}");

        attempt.cancel(Duration.ZERO);

        assertThat(outcome(attempt)).isInstanceOf(Outcome.Cancelled.class);
    }

    @Test
    void a_flood_of_logs_or_lines_is_cut_off() {
        Outcome flood = workplace.run("flood", "{}");

        assertThat(code(flood)).isEqualTo("log_flood");
        assertThat(flood.processGone()).isTrue();
        assertThat(code(workplace.run("channel.flood", "{}"))).isEqualTo("too_many_lines");
    }

    @Test
    void more_than_the_slots_are_refused_and_a_slot_is_free_before_the_outcome_is_known() {
        var attempts = new ArrayList<Attempt>();
        for (int i = 0; i < workplace.runner().slots(); i++) {
            attempts.add(workplace.start("demo.sleep", "{\"ms\":60000}"));
        }

        Outcome refused = workplace.run("demo.echo", "1");
        attempts.forEach(attempt -> attempt.cancel(Duration.ofSeconds(1)));
        outcome(attempts.getFirst());
        Outcome taken = workplace.run("demo.echo", "1");
        attempts.forEach(Workplace::outcome);

        assertThat(refused).isEqualTo(new Outcome.Refused(Outcome.Reason.NO_SLOT, "all 8 slots are taken"));
        assertThat(done(taken)).isEqualTo("1");
        assertThat(workplace.runner().running()).isEmpty();
    }

    @Test
    void the_same_execution_does_not_run_twice_at_once() {
        ExecutionRequest request = request("demo.sleep", "{\"ms\":60000}");
        Attempt first = workplace.runner().run(request, RunListener.NONE);

        Outcome second = workplace.run(request);
        first.cancel(Duration.ZERO);

        assertThat(second).isInstanceOf(Outcome.Refused.class);
        assertThat(((Outcome.Refused) second).reason()).isEqualTo(Outcome.Reason.ALREADY_RUNNING);
        assertThat(outcome(first)).isInstanceOf(Outcome.Cancelled.class);
    }
}
