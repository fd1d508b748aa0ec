package dev.vigil.api.task;

import dev.vigil.api.access.AccessPolicy;
import dev.vigil.api.access.AccessPolicy.Action;
import dev.vigil.api.access.AccessPolicy.Verdict;
import dev.vigil.api.task.OpenedLogs.Line;
import dev.vigil.api.web.Answer;
import dev.vigil.api.web.Call;
import dev.vigil.api.web.Caller;
import dev.vigil.api.web.Code;
import dev.vigil.api.web.Problem;
import dev.vigil.api.web.ProblemException;
import dev.vigil.api.web.Role;
import dev.vigil.api.web.Route;
import dev.vigil.api.web.Routes;
import dev.vigil.api.web.Scope;
import dev.vigil.protocol.id.Kind;
import dev.vigil.scheduler.execution.ExecutionView;
import dev.vigil.scheduler.execution.Executions;
import java.io.IOException;
import java.io.OutputStream;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.UUID;
import java.util.concurrent.Semaphore;
import java.util.concurrent.locks.LockSupport;
import org.springframework.beans.factory.DisposableBean;

/// What executions said: read once, or followed until the execution ends.
final class LogRoutes implements Routes, DisposableBean {
    /// Logs that one node follows at once.
    static final int FOLLOWED_MAX = 256;

    private static final Duration LOOK = Duration.ofMillis(200);
    private static final Duration REVIEW = Duration.ofSeconds(1);
    private static final Duration BEAT = Duration.ofSeconds(10);

    private final Executions executions;
    private final OpenedLogs logs;
    private final SealedViews records;
    private final Semaphore followed = new Semaphore(FOLLOWED_MAX);
    private volatile boolean closing;

    LogRoutes(Executions executions, OpenedLogs logs, SealedViews records) {
        this.executions = executions;
        this.logs = logs;
        this.records = records;
    }

    @Override
    public List<Route> all() {
        return List.of(Route.get("/api/v1/executions/{id}/logs", "getExecutionLogs")
                .about("Executions", "Read or follow what an execution wrote: events, NDJSON or text, as Accept says")
                .roles(Role.SCHEDULER, Role.OPERATOR)
                .scope(Scope.EXECUTIONS_READ)
                .query("follow", "after")
                .answers(200, "text/event-stream, application/x-ndjson, text/plain")
                .handler(this::logs));
    }

    private Answer logs(Call call) {
        ExecutionView execution = find(call);
        LogFormat format = LogFormat.of(call.header("Accept").orElse(""));
        boolean follow = follow(call);
        int after = after(call);
        records.logsViewed(execution, call);
        if (follow && !followed.tryAcquire()) {
            throw new ProblemException(Problem.of(
                            Code.SERVICE_UNAVAILABLE,
                            "This node follows " + FOLLOWED_MAX + " logs already; read without follow, or try later.")
                    .header("Retry-After", "10"));
        }
        return Answer.stream(200, format.type(), out -> {
                    try {
                        new Reading(call, execution.id(), format, out).write(after, follow);
                    } finally {
                        if (follow) {
                            followed.release();
                        }
                    }
                })
                .header("X-Accel-Buffering", "no");
    }

    private ExecutionView find(Call call) {
        ExecutionView execution = executions
                .get(call.id("id", Kind.EXECUTION))
                .orElseThrow(() -> new ProblemException(Problem.notFound()));
        Verdicts.require(verdict(call.caller(), execution));
        return execution;
    }

    private static Verdict verdict(Caller caller, ExecutionView execution) {
        return AccessPolicy.decide(
                caller,
                Action.READ_LOGS,
                new AccessPolicy.Target(execution.owner(), execution.namespace(), execution.handler()));
    }

    private static boolean follow(Call call) {
        return switch (call.query("follow").orElse("false")) {
            case "true", "" -> true;
            case "false" -> false;
            default ->
                throw new ProblemException(Code.MALFORMED_REQUEST, "The parameter follow is true or false, or absent.");
        };
    }

    private static int after(Call call) {
        String text = call.header("Last-Event-ID")
                .or(() -> call.query("after"))
                .orElse("0")
                .strip();
        if (!text.matches("[0-9]{1,9}")) {
            throw new ProblemException(
                    Code.MALFORMED_REQUEST,
                    "Last-Event-ID, or the parameter after, is the seq of the last line you have; send a number.");
        }
        return Integer.parseInt(text);
    }

    /// One answer that is being written.
    private final class Reading {
        private final Call call;
        private final UUID id;
        private final LogFormat format;
        private final OutputStream out;
        private int last;

        Reading(Call call, UUID id, LogFormat format, OutputStream out) {
            this.call = call;
            this.id = id;
            this.format = format;
            this.out = out;
        }

        void write(int after, boolean follow) throws IOException {
            last = after;
            long reviewedAt = System.nanoTime();
            long wroteAt = reviewedAt;
            while (!closing) {
                ExecutionView now = executions.get(id).orElse(null);
                if (now == null) {
                    return; // Its task was erased.
                }
                // The state was read first: whoever sees an end finds all that was said before it.
                boolean wrote = writeNew(now);
                if (!follow || now.finishedAt() != null) {
                    out.write(format.end(now.state().name().toLowerCase(Locale.ROOT)));
                    out.flush();
                    return;
                }
                long time = System.nanoTime();
                if (wrote || time - wroteAt > BEAT.toNanos()) {
                    out.write(wrote ? new byte[0] : format.beat());
                    out.flush();
                    wroteAt = time;
                }
                if (time - reviewedAt > REVIEW.toNanos()) {
                    reviewedAt = time;
                    if (!mayStillRead(now)) {
                        return;
                    }
                }
                LockSupport.parkNanos(LOOK.toNanos());
            }
        }

        private boolean mayStillRead(ExecutionView execution) {
            return call.callerNow()
                    .filter(caller -> verdict(caller, execution) instanceof Verdict.Allowed)
                    .isPresent();
        }

        private boolean writeNew(ExecutionView execution) throws IOException {
            boolean wrote = false;
            List<Line> lines = logs.after(execution, last);
            while (!lines.isEmpty()) {
                for (Line line : lines) {
                    out.write(format.line(line));
                }
                wrote = true;
                last = lines.getLast().seq();
                lines = logs.after(execution, last);
            }
            return wrote;
        }
    }

    /// Ends what is being followed, so that the service can stop.
    @Override
    public void destroy() {
        closing = true;
    }
}
