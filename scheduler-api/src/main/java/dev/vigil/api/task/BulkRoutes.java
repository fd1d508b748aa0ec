package dev.vigil.api.task;

import dev.vigil.api.web.Answer;
import dev.vigil.api.web.Call;
import dev.vigil.api.web.Code;
import dev.vigil.api.web.Fields;
import dev.vigil.api.web.Parts;
import dev.vigil.api.web.Problem;
import dev.vigil.api.web.ProblemException;
import dev.vigil.api.web.Problems;
import dev.vigil.api.web.Role;
import dev.vigil.api.web.Route;
import dev.vigil.api.web.Routes;
import dev.vigil.api.web.Scope;
import dev.vigil.protocol.id.Id;
import dev.vigil.protocol.id.Kind;
import dev.vigil.scheduler.task.NewTask;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/// Many tasks in one call, one JSON object a line. Memory holds one part of the body and what went wrong so far.
///
/// Results are written once the body has been read: many clients read nothing before they have sent all, and would
/// wait for a server that waits for them.
final class BulkRoutes implements Routes {
    static final int LINES_MAX = 100_000;

    private static final String NDJSON = "application/x-ndjson";

    private final TaskIntake intake;
    private final InstantSource time;

    BulkRoutes(TaskIntake intake, InstantSource time) {
        this.intake = intake;
        this.time = time;
    }

    @Override
    public List<Route> all() {
        return List.of(Route.post("/api/v1/tasks:bulk", "createTasks")
                .about("Tasks", "Create up to 100,000 tasks, one a line; each line succeeds or fails by itself")
                .roles(Role.SCHEDULER)
                .scope(Scope.TASKS_WRITE)
                .body("NewTasks")
                .answers(200, NDJSON)
                .creates(Route.Means.PARTS)
                .dryRun(Route.Means.HANDLER)
                .handler(this::create));
    }

    private Answer create(Call call) throws IOException {
        var lines = new BulkLines(call.stream(NDJSON));
        Parts parts = call.parts();
        var outcomes = new ArrayList<BulkOutcome>();
        int place = 0;
        boolean done = true;
        while (lines.hasMore()) {
            if (place == LINES_MAX) {
                outcomes.add(BulkOutcome.of(List.of(Problems.bytes(call, tooMany()))));
                break;
            }
            BulkLines.Part part = lines.next(LINES_MAX - place);
            Optional<byte[]> known = parts.done(outcomes.size(), part.digest());
            BulkOutcome outcome = known.map(BulkOutcome::unpack).orElse(null);
            if (outcome == null) {
                Stored stored = store(part.lines(), place, call);
                outcome = BulkOutcome.of(stored.failures);
                done &= stored.done;
                if (stored.done) {
                    parts.remember(outcomes.size(), part.digest(), outcome.packed());
                }
            }
            outcomes.add(outcome);
            place += part.lines().size();
        }
        if (done) {
            parts.end(outcomes.size());
        } else {
            parts.release();
        }
        boolean dry = call.isDryRun();
        return Answer.stream(200, NDJSON, out -> {
            var buffered = new BufferedOutputStream(out, 64 * 1024);
            int at = 0;
            for (BulkOutcome outcome : outcomes) {
                at = outcome.writeTo(
                        buffered,
                        at,
                        line -> dry ? "{\"dry_run\":true}" : "{\"id\":\"" + new Id(Kind.TASK, parts.id(line)) + "\"}");
            }
            buffered.flush();
        });
    }

    /// What became of a part.
    ///
    /// @param failures what went wrong, by line
    /// @param done     false when a line failed by this side's fault: it may succeed another time
    private record Stored(List<byte @Nullable []> failures, boolean done) {}

    /// Stores the lines of a part together.
    private Stored store(List<byte @Nullable []> lines, int first, Call call) {
        var failures = new ArrayList<byte @Nullable []>();
        var tasks = new TreeMap<Integer, NewTask>();
        boolean done = true;
        for (int i = 0; i < lines.size(); i++) {
            failures.add(null);
            try {
                NewTask task = prepare(lines.get(i), call.parts().id(first + i), call);
                if (task != null) {
                    tasks.put(i, task);
                }
            } catch (ProblemException e) {
                failures.set(i, Problems.bytes(call, e.problem()));
                done &= isTheClients(e.problem());
            }
        }
        List<Optional<Problem>> results = tasks.isEmpty() ? List.of() : intake.store(List.copyOf(tasks.values()));
        int next = 0;
        for (int line : tasks.keySet()) {
            Problem problem = results.get(next++).orElse(null);
            if (problem != null) {
                failures.set(line, Problems.bytes(call, problem));
                done &= isTheClients(problem);
            }
        }
        return new Stored(failures, done);
    }

    private static boolean isTheClients(Problem problem) {
        return problem.code().status() < 500;
    }

    /// @return null when nothing shall be stored
    private @Nullable NewTask prepare(byte @Nullable [] line, UUID id, Call call) {
        if (line == null) {
            throw new ProblemException(
                    Code.TOO_LARGE, "The line is longer than " + BulkLines.LINE_BYTES_MAX + " bytes; send less.");
        }
        TaskBody body = TaskBody.read(Fields.of(line, "payload"), time.instant(), intake::longestTimeout);
        if (call.isDryRun()) {
            var _ = intake.rehearse(body, call);
            return null;
        }
        intake.check(body, call.caller());
        return intake.prepare(body, call, id);
    }

    private static Problem tooMany() {
        return Problem.of(
                Code.TOO_LARGE,
                "A bulk has at most " + LINES_MAX + " lines; this line and those behind it were not read. Send them in"
                        + " another call.");
    }
}
