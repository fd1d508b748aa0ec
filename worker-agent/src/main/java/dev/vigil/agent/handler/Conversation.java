package dev.vigil.agent.handler;

import dev.vigil.agent.handler.HandlerProcess.Event;
import dev.vigil.agent.sandbox.Watchdog;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// One attempt, told to one process: says the run line, reads until there is an outcome, and sees to it that a
/// process that broke a rule, or was to stop, is gone before the outcome is known.
final class Conversation {
    /// Between SIGTERM and SIGKILL.
    private static final Duration TERM_GRACE = Duration.ofSeconds(1);
    /// Between the end of the channel and the end of the process, or the other way round.
    private static final long AFTERMATH_NANOS = TimeUnit.MILLISECONDS.toNanos(500);
    private static final long PROGRESS_NANOS = TimeUnit.MILLISECONDS.toNanos(100);
    private static final int LINES_MAX = 100_000;
    private static final int EXIT_RETRY = 75;

    private final HandlerProcess process;
    private final ExecutionRequest request;
    private final RunListener listener;
    private final Watchdog watchdog;
    private final long startedAt;
    private final String name;

    private Phase phase = Phase.RUNNING;
    private Stop stop = Stop.NONE;
    private long until;
    private boolean pooled;
    private boolean stays;
    /// True as long as a fresh process has not said hello: its outcome is its last line, or its exit code.
    private boolean oneShot;
    private byte[] runLine = new byte[0];
    private @Nullable HandlerLine last;
    private @Nullable Integer exitCode;
    private boolean silent;
    private int lines;
    private long progressAt;
    private HandlerLine.@Nullable Progress unsaid;
    private final RunLog log;

    private enum Phase {
        RUNNING,
        /// Asked to stop; the grace runs.
        ASKED,
        /// SIGTERM was sent.
        TERMINATED,
        /// Channel or process ended; the other end is awaited.
        ENDING
    }

    private enum Stop {
        NONE,
        CANCEL,
        TIMEOUT
    }

    /// What the conversations of a runner share, and when this attempt began.
    record Setting(RunListener listener, Watchdog watchdog, long startedAt) {}

    Conversation(HandlerProcess process, ExecutionRequest request, Setting setting) {
        this.process = process;
        this.request = request;
        this.listener = setting.listener();
        this.watchdog = setting.watchdog();
        this.startedAt = setting.startedAt();
        this.name = RunLines.name(request.execution());
        this.until = startedAt + request.timeout().toNanos();
        this.progressAt = startedAt - PROGRESS_NANOS;
        this.log = new RunLog(request.execution(), request.mask(), listener);
    }

    /// @param secrets name to the path inside
    Outcome pooled(Map<String, String> secrets) throws InterruptedException {
        pooled = true;
        process.hearLogs(log::write);
        process.say(RunLines.run(request, secrets));
        return converse();
    }

    /// @param secrets name to the path inside
    Outcome fresh(Map<String, String> secrets) throws InterruptedException {
        oneShot = true;
        process.hearLogs(log::write);
        runLine = RunLines.run(request, secrets);
        process.feed(runLine);
        return converse();
    }

    /// Whether the process may serve another attempt. Otherwise it has been killed.
    boolean stays() {
        return stays;
    }

    private Outcome converse() throws InterruptedException {
        listener.started(request.execution());
        try {
            Outcome outcome = awaitOutcome();
            if (unsaid != null) {
                say(unsaid);
            }
            return outcome;
        } finally {
            endLog();
        }
    }

    /// All that was written before the outcome is in the log; after this nothing is. A process that was killed
    /// has been read to its end.
    private void endLog() {
        if (stays) {
            process.catchUp();
        }
        process.hearNothing();
        log.close();
    }

    private Outcome awaitOutcome() throws InterruptedException {
        while (true) {
            Event event = process.await(until - System.nanoTime());
            Outcome outcome = event == null ? timer() : on(event);
            if (outcome != null) {
                return outcome;
            }
        }
    }

    private @Nullable Outcome timer() {
        switch (phase) {
            case RUNNING -> {
                stop = Stop.TIMEOUT;
                process.say(RunLines.cancel(request.execution(), TERM_GRACE));
                terminate();
            }
            case ASKED -> terminate();
            case TERMINATED -> {
                return stopped();
            }
            case ENDING -> {
                return ended();
            }
        }
        return null;
    }

    private void terminate() {
        process.sandbox().terminate();
        phase = Phase.TERMINATED;
        until = System.nanoTime() + TERM_GRACE.toNanos();
    }

    private @Nullable Outcome on(Event event) {
        return switch (event) {
            case Event.Line(HandlerLine line) -> on(line);
            case Event.Silent() -> {
                silent = true;
                yield afterEnd();
            }
            case Event.Exited(int code) -> {
                exitCode = code;
                yield afterEnd();
            }
            case Event.Flooded(String code, String what) -> broke(code, what);
            case Event.Cancel(long grace) -> {
                cancel(grace);
                yield null;
            }
            case Event.Abandon() -> {
                boolean gone = process.kill();
                yield new Outcome.Abandoned("the worker is closing", duration(), gone);
            }
        };
    }

    private void cancel(long graceNanos) {
        long end = System.nanoTime() + graceNanos;
        if (phase == Phase.RUNNING) {
            stop = Stop.CANCEL;
            phase = Phase.ASKED;
            until = end;
            process.say(RunLines.cancel(request.execution(), Duration.ofNanos(graceNanos)));
        } else if (end - until < 0) {
            until = end;
        }
    }

    private @Nullable Outcome on(HandlerLine line) {
        if (++lines > LINES_MAX) {
            return broke("too_many_lines", "more than " + LINES_MAX + " lines in one attempt");
        }
        return switch (line) {
            case HandlerLine.Hello hello -> greeted(hello);
            case HandlerLine.Progress progress -> {
                if (foreign(progress.run())) {
                    yield foreign();
                }
                last = line;
                progress(progress);
                yield null;
            }
            case HandlerLine.Done(String run, byte[] output) -> foreign(run) ? foreign() : outcomeLine(line);
            case HandlerLine.Fail fail -> foreign(fail.run()) ? foreign() : outcomeLine(line);
            case HandlerLine.Malformed(String why) -> broke("malformed_line", why);
        };
    }

    private @Nullable Outcome greeted(HandlerLine.Hello hello) {
        if (!oneShot || last != null) {
            return broke("malformed_line", "a hello comes once, and first");
        }
        if (!hello.handlers().contains(request.handler())) {
            return broke("wrong_hello", "the hello does not list " + request.handler());
        }
        oneShot = false;
        process.say(runLine);
        return null;
    }

    /// Only the one-shot form may leave the name out.
    private boolean foreign(@Nullable String run) {
        return run == null ? !oneShot : !run.equals(name);
    }

    private Outcome foreign() {
        return broke("foreign_line", "a line names another execution than the one that runs, or none");
    }

    /// Of what comes too fast the last is said with the outcome.
    private void progress(HandlerLine.Progress progress) {
        unsaid = progress;
        long now = System.nanoTime();
        if (now - progressAt >= PROGRESS_NANOS) {
            progressAt = now;
            say(progress);
        }
    }

    private void say(HandlerLine.Progress progress) {
        unsaid = null;
        listener.progress(
                request.execution(), progress.fraction(), request.mask().text(progress.message()));
    }

    private @Nullable Outcome outcomeLine(HandlerLine line) {
        last = line;
        return oneShot ? null : said(line);
    }

    /// Channel or process has ended. A one-shot handler's outcome is known when both have; any other should not
    /// end.
    private @Nullable Outcome afterEnd() {
        if (silent && exitCode != null) {
            return ended();
        }
        if (phase != Phase.ENDING && (!oneShot || exitCode != null)) {
            phase = Phase.ENDING;
            until = System.nanoTime() + AFTERMATH_NANOS;
        }
        return null;
    }

    private Outcome ended() {
        if (oneShot && last != null && !(last instanceof HandlerLine.Progress)) {
            return said(last);
        }
        if (stop != Stop.NONE) {
            return stopped();
        }
        boolean memory = process.sandbox().outOfMemory();
        boolean gone = process.kill();
        if (watchdog.killed(process.sandbox()) || watchdog.lapsed(request.execution())) {
            return new Outcome.Abandoned("no core owned it any longer, so the watchdog killed it", duration(), gone);
        }
        if (memory) {
            return failed("out_of_memory", "it used more memory than its limit", true, gone);
        }
        Integer code = exitCode;
        if (code == null) {
            return failed("channel_closed", "it closed its channel and did not end", true, gone);
        }
        if (!oneShot) {
            return failed("handler_died", "it ended with exit code " + code + " before its outcome", true, gone);
        }
        return switch (code) {
            case 0 -> new Outcome.Done(new byte[] {'n', 'u', 'l', 'l'}, duration(), gone);
            case EXIT_RETRY -> failed("retry", "it asks to be tried again (exit code 75)", true, gone);
            default -> failed("exit_code", "it ended with exit code " + code, false, gone);
        };
    }

    /// The handler said how it ended. After a cancel it may still have finished; after a timeout it is too late.
    private Outcome said(HandlerLine line) {
        if (stop == Stop.TIMEOUT || (stop == Stop.CANCEL && !(line instanceof HandlerLine.Done))) {
            return stopped();
        }
        boolean tooLarge =
                line instanceof HandlerLine.Done(String run, byte[] output) && output.length > HandlerLine.OUTPUT_MAX;
        stays = pooled && stop == Stop.NONE && exitCode == null && !tooLarge;
        boolean gone = !stays && process.kill();
        return switch (line) {
            case HandlerLine.Done(String run, byte[] output) ->
                tooLarge
                        ? failed("output_too_large", "its output is longer than " + HandlerLine.OUTPUT_MAX, false, gone)
                        : new Outcome.Done(output, duration(), gone);
            case HandlerLine.Fail fail -> {
                String detail = request.mask().text(fail.why().detail());
                var why = new Outcome.Failure(fail.why().code(), detail);
                yield new Outcome.Failed(why, fail.retryable(), fail.after(), duration(), gone);
            }
            case HandlerLine.Hello hello -> throw new IllegalStateException("a hello is no outcome");
            case HandlerLine.Progress progress -> throw new IllegalStateException("progress is no outcome");
            case HandlerLine.Malformed malformed -> throw new IllegalStateException("handled where it was read");
        };
    }

    private Outcome stopped() {
        boolean gone = process.kill();
        return stop == Stop.TIMEOUT ? new Outcome.TimedOut(duration(), gone) : new Outcome.Cancelled(duration(), gone);
    }

    /// The handler broke a rule of the protocol: it cannot be trusted with another execution.
    private Outcome broke(String code, String detail) {
        if (stop != Stop.NONE) {
            return stopped();
        }
        return failed(code, detail, false, process.kill());
    }

    private Outcome failed(String code, String detail, boolean retryable, boolean gone) {
        endLog();
        String words = log.lastWords();
        String masked = request.mask().text(detail);
        String all = words.isEmpty() ? masked : masked + "; the end of its stderr:\n" + words;
        return new Outcome.Failed(new Outcome.Failure(code, all), retryable, Optional.empty(), duration(), gone);
    }

    private Duration duration() {
        return Duration.ofNanos(System.nanoTime() - startedAt);
    }
}
