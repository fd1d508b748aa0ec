package dev.vigil.scheduler.execution;

import dev.vigil.protocol.id.Id;
import dev.vigil.protocol.id.Kind;
import dev.vigil.scheduler.execution.Explanation.Reason;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.core.simple.JdbcClient;

/// Reads what is known of an execution, its shard and its owner in one statement, and says what holds it.
final class Explaining {
    /// Up to where those ahead of an execution are counted.
    private static final int AHEAD_MAX = 1000;

    private static final String FACTS = """
            SELECT e.lane, e.due_at, e.attempt, e.losses, e.scheduled_for, e.shard, t.handler, t.max_attempts,
                   s.owner AS core, c.incarnation IS NOT NULL AS core_known,
                   h.kind AS shortage, h.since, l.most, l.taken,
                   nl.most AS namespace_most, nl.taken AS namespace_taken,
                   nl.starts AS namespace_starts, nl.per_ms AS namespace_per, scheduler.started(nl) AS namespace_started,
                   hl.most AS handler_most, hl.taken AS handler_taken,
                   hl.starts AS handler_starts, hl.per_ms AS handler_per, scheduler.started(hl) AS handler_started,
                   clock_timestamp() AS now,
                   (SELECT min(i.kind) FROM scheduler.inbox i
                     WHERE i.shard = e.shard AND i.change_seq IS NOT NULL AND i.ref IN (e.id, e.task_id)) AS command,
                   (SELECT count(*) FROM (
                      SELECT FROM scheduler.execution a
                       WHERE a.shard = e.shard AND a.lane = e.lane AND (a.due_at, a.id) < (e.due_at, e.id)
                       LIMIT :aheadMax) x) AS ahead
              FROM scheduler.shard s
              JOIN scheduler.execution e ON e.shard = s.id AND e.id = :id
              JOIN scheduler.task t ON t.namespace = e.namespace AND t.id = e.task_id AND t.version = e.version
              LEFT JOIN scheduler.core c ON c.incarnation = s.owner
              LEFT JOIN scheduler.shortage h
                ON h.incarnation = s.owner AND h.namespace = e.namespace AND h.handler = t.handler
              LEFT JOIN scheduler.concurrency l ON l.namespace = e.namespace AND l.owner = t.owner
              LEFT JOIN scheduler.concurrency nl ON nl.kind = 2 AND nl.namespace = e.namespace
              LEFT JOIN scheduler.concurrency hl ON hl.kind = 3 AND hl.handler = t.handler
            """;

    private final JdbcClient db;
    private final LiveCores cores;

    Explaining(JdbcClient db) {
        this.db = db;
        this.cores = new LiveCores(db, System::nanoTime);
    }

    Explanation explain(ExecutionView view) {
        if (view.finishedAt() != null) {
            String code = view.errorCode() == null ? "" : " with code " + view.errorCode();
            String state = view.state().label();
            String why = "dependency_failed".equals(view.errorCode())
                    ? " Not all of these have succeeded: " + String.join(", ", predecessors(view)) + "."
                    : "";
            return one(view, "ended", "It ended at " + view.finishedAt() + " as " + state + code + "." + why);
        }
        UUID worker = view.workerId();
        if (worker != null) {
            return one(
                    view,
                    "running",
                    "Attempt " + view.attempt() + " is with " + new Id(Kind.WORKER, worker) + " since "
                            + view.startedAt() + ".");
        }
        Optional<Facts> facts = db.sql(FACTS)
                .param("id", view.id())
                .param("aheadMax", AHEAD_MAX)
                .query((row, index) -> facts(row))
                .optional();
        return facts.map(found -> new Explanation(view.state(), reasons(view, found)))
                .orElseGet(() -> one(view, "changing", "It changed while it was looked at; ask again."));
    }

    private static Explanation one(ExecutionView view, String code, String detail) {
        return new Explanation(view.state(), List.of(new Reason(code, detail)));
    }

    private List<Reason> reasons(ExecutionView view, Facts facts) {
        var reasons = new ArrayList<Reason>();
        placed(view, facts, reasons);
        owner(facts, reasons);
        if (facts.command != null) {
            reasons.add(new Reason("command_pending", "A command that concerns it is being carried out."));
        }
        if (reasons.isEmpty()) {
            workers(facts, reasons);
        }
        if (reasons.isEmpty()) {
            String ahead = facts.ahead >= AHEAD_MAX ? "At least " + AHEAD_MAX : Long.toString(facts.ahead);
            reasons.add(new Reason(
                    "in_line", ahead + " executions of its lane are due before it; it is dispatched next after them."));
        }
        return reasons;
    }

    private void placed(ExecutionView view, Facts facts, List<Reason> reasons) {
        switch (view.state()) {
            case HELD -> reasons.add(new Reason("paused", "Its task is paused; resume it."));
            case WAITING -> {
                if (facts.lane < -200) {
                    reasons.add(new Reason("dependency", dependency(view)));
                } else if (facts.lane < -100) {
                    reasons.add(new Reason(
                            "overlap", "An earlier execution of its task is open; it runs when that has ended."));
                } else {
                    reasons.add(new Reason(
                            "retry_at",
                            "Attempt " + (facts.attempt + 1) + " of " + facts.maxAttempts + " is due at " + facts.dueAt
                                    + "."));
                }
            }
            default -> {
                if (facts.dueAt.isAfter(facts.now)) {
                    reasons.add(new Reason("scheduled", "It is due at " + facts.dueAt + "."));
                }
            }
        }
    }

    private String dependency(ExecutionView view) {
        List<String> open = predecessors(view);
        return open.isEmpty()
                ? "All that it comes after has ended; it is let go in a moment."
                : "It runs when these have succeeded: " + String.join(", ", open) + ".";
    }

    /// What it waits for, or what kept it from running.
    private List<String> predecessors(ExecutionView view) {
        return db.sql("SELECT predecessor FROM scheduler.dependency WHERE dependent = :id ORDER BY predecessor")
                .param("id", view.id())
                .query((row, index) -> new Id(Kind.EXECUTION, row.getObject(1, UUID.class)).toString())
                .list();
    }

    private void owner(Facts facts, List<Reason> reasons) {
        UUID core = facts.core;
        if (core == null) {
            reasons.add(new Reason(
                    "owner_changing", "No core owns shard " + facts.shard + " at the moment; is a core running?"));
        } else if (!facts.coreKnown
                || cores.list().stream().noneMatch(alive -> alive.incarnation().equals(core))) {
            reasons.add(new Reason(
                    "owner_silent",
                    "The core that owns shard " + facts.shard
                            + " is not heard; another one takes the shard over within seconds."));
        }
    }

    private static void workers(Facts facts, List<Reason> reasons) {
        facts.limits.forEach(limit -> limit.reason().ifPresent(reasons::add));
        facts.rates.forEach(rate -> rate.reason().ifPresent(reasons::add));
        if (facts.shortage != null) {
            reasons.add(
                    facts.shortage == Link.Lack.NO_WORKER.code()
                            ? new Reason(
                                    "no_worker",
                                    "No worker that is connected to its core has the handler " + facts.handler
                                            + " and may run it for this namespace, since " + facts.since + ".")
                            : new Reason(
                                    "no_credit",
                                    "All workers with the handler " + facts.handler + " are busy, since " + facts.since
                                            + "; " + facts.ahead + " executions of its lane are due before it."));
        }
    }

    private static Facts facts(ResultSet row) throws SQLException {
        OffsetDateTime since = row.getObject("since", OffsetDateTime.class);
        return new Facts(
                row.getInt("shard"),
                row.getInt("lane"),
                DueRow.instant(row, "due_at"),
                DueRow.instant(row, "now"),
                row.getInt("attempt"),
                row.getInt("max_attempts"),
                row.getString("handler"),
                row.getObject("core", UUID.class),
                row.getBoolean("core_known"),
                row.getObject("command", Integer.class),
                row.getObject("shortage", Integer.class),
                since == null ? null : since.toInstant(),
                List.of(
                        limit(row, "concurrency_limit", "The task's owner", ""),
                        limit(row, "namespace_limit", "Its namespace", "namespace_"),
                        limit(row, "handler_limit", "The handler " + row.getString("handler"), "handler_")),
                List.of(
                        rate(row, "namespace_rate", "Its namespace", "namespace_"),
                        rate(row, "handler_rate", "The handler " + row.getString("handler"), "handler_")),
                row.getLong("ahead"));
    }

    private static Limit limit(ResultSet row, String code, String whose, String prefix) throws SQLException {
        return new Limit(code, whose, row.getObject(prefix + "most", Integer.class), row.getInt(prefix + "taken"));
    }

    private static Rate rate(ResultSet row, String code, String whose, String prefix) throws SQLException {
        return new Rate(
                code,
                whose,
                row.getObject(prefix + "starts", Integer.class),
                Duration.ofMillis(row.getLong(prefix + "per")),
                row.getLong(prefix + "started"));
    }

    /// A limit of starts.
    ///
    /// @param starts  null when there is none
    /// @param started that count now
    private record Rate(String code, String whose, @Nullable Integer starts, Duration per, long started) {
        Optional<Reason> reason() {
            return starts == null || started < starts
                    ? Optional.empty()
                    : Optional.of(new Reason(
                            code, whose + " may start " + starts + " executions in any " + per + ", and has."));
        }
    }

    /// A limit of running executions.
    ///
    /// @param most  null when there is none
    /// @param taken of it by shards
    private record Limit(
            String code, String whose, @Nullable Integer most, int taken) {
        Optional<Reason> reason() {
            return most == null || taken < most
                    ? Optional.empty()
                    : Optional.of(new Reason(
                            code, whose + " may run " + most + " executions at once, and all of that is taken."));
        }
    }

    private record Facts(
            int shard,
            int lane,
            Instant dueAt,
            Instant now,
            int attempt,
            int maxAttempts,
            String handler,
            @Nullable UUID core,
            boolean coreKnown,
            @Nullable Integer command,
            @Nullable Integer shortage,
            @Nullable Instant since,
            List<Limit> limits,
            List<Rate> rates,
            long ahead) {}
}
