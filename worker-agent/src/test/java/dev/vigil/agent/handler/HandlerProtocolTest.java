package dev.vigil.agent.handler;

import static dev.vigil.agent.handler.Workplace.code;
import static dev.vigil.agent.handler.Workplace.done;
import static dev.vigil.agent.handler.Workplace.failed;
import static dev.vigil.agent.handler.Workplace.outcome;
import static dev.vigil.agent.handler.Workplace.request;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/// The protocol of `docs/reference/handlers.md`, spoken by real handlers in sh and Python inside real sandboxes.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class HandlerProtocolTest {
    /// A pooled handler in Python whose `answer(run)` is given.
    private static final String POOLED = """
            import json, os, socket, sys, time
            channel = socket.socket(fileno=int(os.environ["VIGIL_FD"])).makefile("rw", encoding="utf-8", newline="\\n")
            def say(line):
                channel.write(json.dumps(line) + "\\n"); channel.flush()
            %s
            say({"hello": 1, "handlers": ["%s"]})
            for line in channel:
                run = json.loads(line)
                if "run" in run:
                    answer(run)
            """;

    /// Writes a word twice, the second time without a line break, just before it answers.
    private static final String TALKS = """
            def answer(run):
                print(run["input"]["word"], flush=True)
                print(run["input"]["word"] + " again", end="", flush=True)
                say({"run": run["run"], "done": None})
            """;

    /// Tells its secret in every way it has, once in two writes.
    private static final String TELLS = """
            secret=$(cat /run/task/secrets/db)
            printf '{"progress":0.5,"message":"it is %s"}\\n' "$secret" >&$VIGIL_FD
            printf 'out hunter2-'; sleep 0.1; echo 'is-long'
            echo "err $secret twice $secret" >&2
            exit 9
            """;

    private static final int MIB = 1 << 20;

    private Workplace workplace;

    @BeforeAll
    void open(@TempDir Path folder) throws Exception {
        workplace = Workplace.in(folder)
                .python(
                        "fdopen",
                        "fresh",
                        "import os; os.fdopen(int(os.environ['VIGIL_FD']), 'w').write('{\"done\":[]}')")
                .shell("line.echo", "fresh", "read -r run; printf '{\"done\":%s}\\n' \"$run\" >&$VIGIL_FD")
                .shell("stdin.length", "fresh", "printf '{\"done\":%s}' $(wc -c) >&$VIGIL_FD")
                .shell(
                        "exit.code",
                        "fresh",
                        "read -r run; exit $(printf '%s' \"$run\" | sed 's/.*\"code\":\\([0-9]*\\).*/\\1/')")
                .shell("stderr.exit", "fresh", "echo 'the disk is full' >&2; exit 3")
                .python("talks", "pooled", POOLED.formatted(TALKS, "talks"))
                .shell("tells", "fresh", TELLS)
                .shell("last.line", "fresh", """
                        echo '{"progress":0.5,"message":"half"}' >&$VIGIL_FD
                        echo '{"done":"first"}' >&$VIGIL_FD
                        echo '{"fail":{"code":"second","detail":"d","retryable":true,"after_ms":1500}}' >&$VIGIL_FD
                        """)
                .shell("no.line.feed", "fresh", "printf '{\"done\":1.50}' >&$VIGIL_FD; exit 9")
                .shell("garbage", "fresh", "echo 'hello world' >&$VIGIL_FD; sleep 60")
                .shell("foreign", "fresh", "echo '{\"run\":\"exe_00000000000000000000000000\",\"done\":1}' >&$VIGIL_FD")
                .shell("endless.line", "fresh", "head -c 3000000 /dev/zero | tr '\\0' x >&$VIGIL_FD; sleep 60")
                .shell("no.output", "fresh", "echo just a log")
                .shell("logs", "fresh", "head -c 400000 /dev/zero; echo end")
                .shell("words", "fresh", "echo out; echo err >&2")
                .python("fresh.hello", "fresh", POOLED.formatted("""
                        def answer(run):
                            say({"run": run["run"], "progress": 1, "message": "done"})
                            say({"run": run["run"], "done": {"pid": os.getpid(), "stdin": sys.stdin.readline() != ""}})
                        """.indent(0), "fresh.hello"))
                .python("pooled", "pooled", POOLED.formatted("""
                        served = 0
                        def answer(run):
                            global served
                            served += 1
                            input = run["input"]
                            if "die" in input:
                                os._exit(input["die"])
                            if "say" in input:
                                print(input["say"], file=channel, flush=True)
                                time.sleep(60)
                            if "fail" in input:
                                say({"run": run["run"], "fail": input["fail"]})
                            elif "size" in input:
                                say({"run": run["run"], "done": "x" * (input["size"] - 2)})
                            elif "pad" in input:
                                say({"run": run["run"], "done": len(input["pad"])})
                            elif "unasked" in input:
                                say({"run": run["run"], "done": 1}); say({"run": run["run"], "done": 2})
                            elif "close" in input:
                                channel.close(); time.sleep(60)
                            else:
                                say({"run": run["run"], "done": {"served": served, "line": run}})
                        """, "pooled"))
                .python(
                        "no.hello",
                        "pooled",
                        "import time; print('starting', flush=True); time.sleep(0.1); raise SystemExit('no such table')")
                .python("wrong.hello", "pooled", POOLED.formatted("def answer(run): pass", "another.name"))
                .open();
    }

    @AfterAll
    void close() {
        workplace.close();
    }

    @Test
    void a_one_shot_handler_finds_the_run_line_on_stdin_and_answers_on_its_channel() {
        ExecutionRequest request =
                request("line.echo", "{\"greeting\": \"héllo \\u0000\",\n \"n\": 12345678901234567890.10}");

        String line = done(workplace.run(request));

        String id = RunLines.name(request.execution());
        assertThat(line)
                .isEqualTo("{\"run\":\"" + id + "\",\"attempt\":1,\"fence\":7,\"handler\":\"line.echo\","
                        + "\"input\":{\"greeting\": \"héllo \\u0000\",  \"n\": 12345678901234567890.10},"
                        + "\"timeout_ms\":30000,\"scheduled_for\":\"2026-11-21T08:00:00Z\","
                        + "\"deadline\":\"2026-11-21T08:15:00Z\",\"idempotency_key\":\"" + id + "\",\"secrets\":{}}");
    }

    @Test
    void a_one_shot_handler_without_an_outcome_speaks_by_its_exit_code() {
        assertThat(done(workplace.run("exit.code", "{\"code\":0}"))).isEqualTo("null");
        assertThat(failed(workplace.run("exit.code", "{\"code\":75}")).retryable())
                .isTrue();
        assertThat(code(workplace.run("exit.code", "{\"code\":75}"))).isEqualTo("retry");
        assertThat(failed(workplace.run("exit.code", "{\"code\":1}")).retryable())
                .isFalse();
        assertThat(code(workplace.run("exit.code", "{\"code\":1}"))).isEqualTo("exit_code");
        assertThat(done(workplace.run("no.output", "{}"))).isEqualTo("null");
    }

    @Test
    void the_end_of_stderr_stands_in_the_detail_and_is_not_printed() {
        Outcome.Failed failure = failed(workplace.run("stderr.exit", "{}"));

        assertThat(failure.why().detail()).contains("exit code 3").contains("the disk is full");
        assertThat(failure.toString()).doesNotContain("disk");
    }

    @Test
    void the_last_line_of_a_one_shot_handler_is_its_outcome() {
        Outcome.Failed failure = failed(workplace.run("last.line", "{}"));

        assertThat(failure.why()).isEqualTo(new Outcome.Failure("second", "d"));
        assertThat(failure.retryable()).isTrue();
        assertThat(failure.retryAfter()).contains(Duration.ofMillis(1500));
        assertThat(failure.processGone()).isTrue();
    }

    @Test
    void an_outcome_line_counts_more_than_the_exit_code_and_needs_no_line_feed() {
        assertThat(workplace.output("no.line.feed", "{}")).isEqualTo("1.50");
        assertThat(workplace.output("fdopen", "{}")).isEqualTo("[]");
    }

    @Test
    void a_fresh_handler_that_says_hello_is_given_the_line_on_its_channel() {
        Outcome outcome = workplace.run("fresh.hello", "{}");

        assertThat(done(outcome)).matches("\\{\"pid\": \\d+, \"stdin\": true}");
        assertThat(outcome.processGone()).isTrue();
    }

    @Test
    void a_pooled_process_serves_many_executions_and_two_namespaces_never_share_one() {
        String first = workplace.output("pooled", "{}");
        String second = workplace.output("pooled", "{}");
        ExecutionRequest stranger = request("pooled", "{}");
        String other = done(workplace.run(new ExecutionRequest(
                stranger.execution(),
                2,
                stranger.fence(),
                stranger.attempt(),
                stranger.handler(),
                stranger.input(),
                stranger.timeout(),
                stranger.scheduledFor(),
                stranger.deadline(),
                stranger.secrets(),
                Mask.NONE)));

        assertThat(served(second)).isEqualTo(served(first) + 1);
        assertThat(served(other)).isEqualTo(1);
    }

    private static int served(String output) {
        return Integer.parseInt(output.replaceAll(".*\"served\": (\\d+).*", "$1"));
    }

    @Test
    void a_failure_of_a_pooled_handler_leaves_its_process_alive() {
        int before = served(workplace.output("pooled", "{}"));

        Outcome.Failed failure = failed(workplace.run(
                "pooled",
                "{\"fail\":{\"code\":\"smtp_451\",\"detail\":\"busy\",\"retryable\":true,\"after_ms\":60000}}"));

        assertThat(failure.why()).isEqualTo(new Outcome.Failure("smtp_451", "busy"));
        assertThat(failure.retryAfter()).contains(Duration.ofMinutes(1));
        assertThat(failure.processGone()).isFalse();
        assertThat(served(workplace.output("pooled", "{}"))).isEqualTo(before + 2);
    }

    @Test
    void a_pooled_process_that_dies_fails_this_attempt_only() {
        Outcome.Failed failure = failed(workplace.run("pooled", "{\"die\":7}"));

        assertThat(failure.why().code()).isEqualTo("handler_died");
        assertThat(failure.why().detail()).contains("exit code 7");
        assertThat(failure.retryable()).isTrue();
        assertThat(failure.processGone()).isTrue();
        assertThat(workplace.output("pooled", "{}")).contains("\"served\":");
    }

    @Test
    void lines_that_break_the_protocol_fail_the_attempt_and_end_the_process() {
        for (String said : List.of(
                "\"not json\"",
                "\"[1]\"",
                "\"{\\\"done\\\":1}\"",
                "\"{\\\"run\\\":\\\"exe_x\\\",\\\"done\\\":1}\"",
                "\"{\\\"hello\\\":1,\\\"handlers\\\":[\\\"pooled\\\"]}\"",
                "\"{\\\"done\\\":1,\\\"fail\\\":{}}\"")) {
            Outcome.Failed failure = failed(workplace.run("pooled", "{\"say\":" + said + "}"));

            assertThat(failure.why().code()).as(said).isIn("malformed_line", "foreign_line");
            assertThat(failure.processGone()).as(said).isTrue();
            assertThat(failure.retryable()).as(said).isFalse();
        }
    }

    @Test
    void a_process_that_speaks_unasked_is_replaced_before_the_next_execution() {
        assertThat(workplace.output("pooled", "{\"unasked\":1}")).isEqualTo("1");

        // The second line may arrive while the process waits or while it has its next execution.
        var outcomes = new ArrayList<Outcome>();
        for (int i = 0; i < 3; i++) {
            outcomes.add(workplace.run("pooled", "{}"));
        }

        assertThat(outcomes.getLast()).isInstanceOf(Outcome.Done.class);
        assertThat(outcomes)
                .noneMatch(outcome -> outcome instanceof Outcome.Done(byte[] output, Duration d, boolean g)
                        && new String(output, StandardCharsets.UTF_8).equals("2"));
    }

    @Test
    void a_handler_that_closes_its_channel_and_stays_is_killed() {
        Outcome.Failed failure = failed(workplace.run("pooled", "{\"close\":1}"));

        assertThat(failure.why().code()).isEqualTo("channel_closed");
        assertThat(failure.processGone()).isTrue();
    }

    @Test
    void garbage_from_a_one_shot_handler_ends_it_at_once() {
        assertThat(code(workplace.run("garbage", "{}"))).isEqualTo("malformed_line");
        assertThat(code(workplace.run("foreign", "{}"))).isEqualTo("foreign_line");
        assertThat(code(workplace.run("endless.line", "{}"))).isEqualTo("line_too_long");
    }

    @Test
    void one_mebibyte_goes_in_and_out_and_one_byte_more_does_not() {
        String text = "\"" + "x".repeat(MIB - 2) + "\"";

        assertThat(workplace.output("pooled", "{\"size\":" + MIB + "}")).isEqualTo(text);
        assertThat(code(workplace.run("pooled", "{\"size\":" + (MIB + 1) + "}")))
                .isEqualTo("output_too_large");
        assertThat(code(workplace.run("pooled", "{\"size\":" + 2 * MIB + "}"))).isEqualTo("line_too_long");
        assertThat(Integer.parseInt(workplace.output("stdin.length", text))).isGreaterThan(MIB);
        assertThat(workplace.output("pooled", "{\"pad\":" + text + "}")).isEqualTo("" + (MIB - 2));
    }

    @Test
    void an_input_that_is_not_json_never_reaches_a_handler() {
        assertThat(code(workplace.run("line.echo", "{\"a\":1} {"))).isEqualTo("input_not_json");
        assertThat(code(workplace.run("line.echo", ""))).isEqualTo("input_not_json");
    }

    @Test
    void progress_and_logs_are_heard_and_bounded() {
        var heard = new CopyOnWriteArrayList<String>();
        var bytes = new CopyOnWriteArrayList<Integer>();
        var listener = new RunListener() {
            @Override
            public void started(UUID execution) {
                heard.add("started");
            }

            @Override
            public void progress(UUID execution, double fraction, String message) {
                heard.add(fraction + " " + message);
            }

            @Override
            public void log(UUID execution, LogStream stream, byte[] line) {
                if (stream != LogStream.AGENT) {
                    bytes.add(line.length);
                }
                heard.add(stream + " " + new String(line, StandardCharsets.UTF_8));
            }
        };

        outcome(workplace.runner().run(request("last.line", "{}"), listener));
        outcome(workplace.runner().run(request("words", "{}"), listener));
        bytes.clear();
        outcome(workplace.runner().run(request("logs", "{}"), listener));

        assertThat(heard).contains("started", "0.5 half", "STDOUT out", "STDERR err");
        assertThat(bytes.stream().mapToInt(Integer::intValue).sum())
                .isBetween(RunLog.BYTES_MAX - RunLog.LINE_BYTES_MAX, RunLog.BYTES_MAX);
        assertThat(heard.getLast()).startsWith("AGENT ").endsWith("were dropped");
    }

    @Test
    void what_a_pooled_handler_wrote_just_before_its_answer_is_in_the_log_of_that_run_and_of_no_other() {
        for (int i = 0; i < 50; i++) {
            var heard = new CopyOnWriteArrayList<String>();
            String word = "word-" + i;
            outcome(workplace.runner().run(request("talks", "{\"word\":\"" + word + "\"}"), new RunListener() {
                @Override
                public void log(UUID execution, LogStream stream, byte[] line) {
                    heard.add(new String(line, StandardCharsets.UTF_8));
                }
            }));

            assertThat(heard).containsExactly(word, word + " again");
        }
    }

    @Test
    void secrets_are_hidden_in_log_lines_progress_and_error_details() {
        var heard = new CopyOnWriteArrayList<String>();
        ExecutionRequest bare = request("tells", "{}");
        byte[] secret = "hunter2-is-long".getBytes(StandardCharsets.UTF_8);
        var request = new ExecutionRequest(
                bare.execution(),
                1,
                7,
                1,
                "tells",
                bare.input(),
                Workplace.TIMEOUT,
                bare.scheduledFor(),
                bare.deadline(),
                java.util.Map.of("db", secret),
                Mask.of(List.of(secret)));

        Outcome outcome = outcome(workplace.runner().run(request, new RunListener() {
            @Override
            public void progress(UUID execution, double fraction, String message) {
                heard.add(message);
            }

            @Override
            public void log(UUID execution, LogStream stream, byte[] line) {
                heard.add(new String(line, StandardCharsets.UTF_8));
            }
        }));

        assertThat(heard).contains("it is ***", "out ***", "err *** twice ***");
        assertThat(failed(outcome).why().detail()).contains("err *** twice ***");
        assertThat(heard.toString() + failed(outcome).why().detail()).doesNotContain("hunter2");
    }

    @Test
    void a_pooled_program_that_does_not_start_fails_with_its_last_words_and_is_left_alone_for_a_while() {
        Outcome.Failed first = failed(workplace.run("no.hello", "{}"));
        Outcome.Failed second = failed(workplace.run("no.hello", "{}"));

        assertThat(first.why().code()).isEqualTo("handler_not_started");
        assertThat(first.why().detail()).contains("exit code 1").contains("no such table");
        assertThat(first.retryAfter()).isPresent();
        assertThat(second.duration()).as("nothing was started").isLessThan(Duration.ofMillis(50));
        assertThat(code(workplace.run("wrong.hello", "{}"))).isEqualTo("wrong_hello");
    }

    @Test
    void an_unknown_handler_is_refused_without_an_attempt() {
        assertThat(workplace.run("nobody.knows", "{}"))
                .isEqualTo(new Outcome.Refused(Outcome.Reason.UNKNOWN_HANDLER, "no handler nobody.knows here"));
    }
}
