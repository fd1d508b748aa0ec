package dev.vigil.scheduler.task;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.UUID;

/// A draft like another, but for what a test is about.
public final class DraftEdit {
    private String name;
    private String handler;
    private Schedule schedule;
    private Priority priority;
    private Duration timeout;
    private RetryPolicy retry;
    private Misfire misfire;
    private int misfireLimit;
    private Overlap overlap;
    private Duration jitter;
    private Map<String, String> labels;
    private List<UUID> after;

    private DraftEdit(TaskDraft base) {
        this.name = base.name();
        this.handler = base.handler();
        this.schedule = base.schedule();
        this.priority = base.priority();
        this.timeout = base.timeout();
        this.retry = base.retry();
        this.misfire = base.misfire();
        this.misfireLimit = base.misfireLimit();
        this.overlap = base.overlap();
        this.jitter = base.jitter();
        this.labels = base.labels();
        this.after = base.after();
    }

    public static DraftEdit of(TaskDraft base) {
        return new DraftEdit(base);
    }

    public static DraftEdit of(Schedule schedule) {
        return new DraftEdit(Drafts.draft("t", schedule));
    }

    public DraftEdit name(String value) {
        name = value;
        return this;
    }

    public DraftEdit handler(String value) {
        handler = value;
        return this;
    }

    public DraftEdit schedule(Schedule value) {
        schedule = value;
        return this;
    }

    public DraftEdit priority(Priority value) {
        priority = value;
        return this;
    }

    public DraftEdit timeout(Duration value) {
        timeout = value;
        return this;
    }

    /// Tries it so often, with short waits.
    public DraftEdit attempts(int value) {
        retry = new RetryPolicy(value, RetryPolicy.Backoff.EXPONENTIAL, Duration.ofMillis(50), Duration.ofSeconds(1));
        return this;
    }

    public DraftEdit retry(RetryPolicy value) {
        retry = value;
        return this;
    }

    public DraftEdit misfire(Misfire value, int limit) {
        misfire = value;
        misfireLimit = limit;
        return this;
    }

    public DraftEdit overlap(Overlap value) {
        overlap = value;
        return this;
    }

    public DraftEdit jitter(Duration value) {
        jitter = value;
        return this;
    }

    public DraftEdit labels(Map<String, String> value) {
        labels = value;
        return this;
    }

    public DraftEdit after(UUID... executions) {
        after = List.of(executions);
        return this;
    }

    public TaskDraft done() {
        return new TaskDraft(
                name,
                handler,
                schedule,
                priority,
                timeout,
                retry,
                misfire,
                misfireLimit,
                overlap,
                jitter,
                labels,
                after);
    }
}
