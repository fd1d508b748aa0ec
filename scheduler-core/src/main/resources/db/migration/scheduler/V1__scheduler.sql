-- The engine. Rules that shape these tables: docs/explanation/engine.md.

-- Which PostgreSQL this is. Another system identifier or timeline means a failover or a restore: epochs may have been
-- lost, so every epoch is raised by 1024 before anybody acts.
CREATE TABLE scheduler.cluster (
    one               boolean PRIMARY KEY DEFAULT true CHECK (one),
    system_identifier text        NOT NULL,
    timeline          text        NOT NULL,
    changed_at        timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- Live cores. Liveness is apart from the shards, so that renewing it never meets a fence.
CREATE TABLE scheduler.core (
    incarnation uuid PRIMARY KEY,
    beat        bigint      NOT NULL DEFAULT 0,
    session_url text        NOT NULL,
    started_at  timestamptz NOT NULL DEFAULT clock_timestamp()
) WITH (fillfactor = 50);

-- Every statement of an owner begins by taking its shard's row FOR SHARE where owner and epoch are its own.
-- `orphaned`: the last owner vanished instead of releasing it.
CREATE TABLE scheduler.shard (
    id         int PRIMARY KEY,
    owner      uuid,
    epoch      bigint  NOT NULL DEFAULT 0,
    change_seq bigint  NOT NULL DEFAULT 0,
    orphaned   boolean NOT NULL DEFAULT false
) WITH (fillfactor = 20);

INSERT INTO scheduler.shard (id) SELECT generate_series(0, 15);

-- Over how many shards a namespace's new executions spread; without a row, over all.
CREATE TABLE scheduler.fan_out (
    namespace int PRIMARY KEY,
    slots     int NOT NULL CHECK (slots > 0)
);

-- What was asked. A version is immutable; completion writes nothing here.
-- kind 1 one_time, 2 cron, 3 interval; a payload above 2 KiB is in scheduler.payload.
CREATE TABLE scheduler.task (
    namespace        int         NOT NULL,
    version          int         NOT NULL,
    id               uuid        NOT NULL,
    owner            uuid        NOT NULL,
    shard            int         NOT NULL,
    payload_version  int         NOT NULL,
    payload_bytes    int         NOT NULL,
    timeout_ms       int         NOT NULL,
    retry_initial_ms int         NOT NULL,
    retry_max_ms     int         NOT NULL,
    kind             smallint    NOT NULL CHECK (kind BETWEEN 1 AND 3),
    priority         smallint    NOT NULL CHECK (priority BETWEEN 0 AND 3),
    max_attempts     smallint    NOT NULL,
    backoff          smallint    NOT NULL,
    misfire          smallint    NOT NULL,
    misfire_limit    smallint    NOT NULL,
    overlap          smallint    NOT NULL,
    created_at       timestamptz NOT NULL DEFAULT clock_timestamp(),
    key_id           uuid        NOT NULL,
    name             text        NOT NULL,
    handler          text        NOT NULL,
    payload          bytea,
    labels           jsonb       NOT NULL DEFAULT '{}',
    at               timestamptz,
    cron             text,
    zone             text,
    on_gap           smallint,
    on_overlap       smallint,
    every_ms         bigint,
    anchor           timestamptz,
    subject_index    bytea,
    subject          bytea,
    PRIMARY KEY (namespace, id, version)
) PARTITION BY RANGE (id);
CREATE INDEX task_subject ON scheduler.task (namespace, subject_index) WHERE subject_index IS NOT NULL;
CREATE TABLE scheduler.task_default PARTITION OF scheduler.task DEFAULT;

CREATE TABLE scheduler.payload (
    namespace int   NOT NULL,
    task_id   uuid  NOT NULL,
    version   int   NOT NULL,
    sealed    bytea STORAGE EXTERNAL NOT NULL,
    PRIMARY KEY (namespace, task_id, version)
);

-- One due occurrence that has not ended. Of a one_time task its id is the task's.
-- lane = priority x 16 + slot of the namespace; held by a pause: -1 - lane; waiting for its predecessor: -101 - lane.
-- attempt and losses count the attempts and the workers that are behind it; a dispatch below fence_min is stale.
CREATE TABLE scheduler.execution (
    shard         int         NOT NULL,
    namespace     int         NOT NULL,
    id            uuid        NOT NULL,
    task_id       uuid        NOT NULL,
    due_at        timestamptz NOT NULL,
    scheduled_for timestamptz NOT NULL,
    fence_min     bigint      NOT NULL DEFAULT 0,
    version       int         NOT NULL,
    lane          smallint    NOT NULL,
    attempt       smallint    NOT NULL DEFAULT 0,
    losses        smallint    NOT NULL DEFAULT 0,
    PRIMARY KEY (shard, id)
) WITH (fillfactor = 90, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000,
        autovacuum_vacuum_cost_delay = 0);
CREATE INDEX execution_due ON scheduler.execution (shard, lane, due_at, id);

-- The moving part of a cron or interval task: when it fires next, and which of its executions may still be open.
CREATE TABLE scheduler.schedule (
    shard     int         NOT NULL,
    namespace int         NOT NULL,
    task_id   uuid        NOT NULL,
    next_at   timestamptz NOT NULL,
    version   int         NOT NULL,
    paused    boolean     NOT NULL DEFAULT false,
    open      uuid[]      NOT NULL DEFAULT '{}',
    PRIMARY KEY (shard, task_id)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000,
        autovacuum_vacuum_cost_delay = 0);
CREATE INDEX schedule_due ON scheduler.schedule (shard, next_at) WHERE NOT paused;

-- The recovery log: who was given what. fence = epoch x 2^32 + n; low = oldest n of the epoch still open.
CREATE TABLE scheduler.dispatch (
    shard      int         NOT NULL,
    epoch      bigint      NOT NULL,
    n          bigint      NOT NULL,
    low        bigint      NOT NULL,
    worker     uuid        NOT NULL,
    boot       uuid        NOT NULL,
    at         timestamptz NOT NULL DEFAULT clock_timestamp(),
    executions uuid[]      NOT NULL,
    attempts   smallint[]  NOT NULL,
    PRIMARY KEY (shard, epoch, n, at)
) PARTITION BY RANGE (at);
CREATE TABLE scheduler.dispatch_default PARTITION OF scheduler.dispatch DEFAULT;

-- What may be open: of each shard's newest epoch that dispatched anything, the rows from `low` on. An execution is
-- running under the newest of them that is not below its fence_min.
CREATE VIEW scheduler.open_dispatch AS
    SELECT d.shard, d.epoch, d.n, (d.epoch << 32) + d.n AS fence, d.worker, d.boot, d.at, x.execution, x.attempt
      FROM scheduler.shard s
     CROSS JOIN LATERAL (SELECT l.epoch, l.low FROM scheduler.dispatch l
                          WHERE l.shard = s.id ORDER BY l.epoch DESC, l.n DESC LIMIT 1) newest
      JOIN scheduler.dispatch d ON d.shard = s.id AND d.epoch = newest.epoch AND d.n >= newest.low
     CROSS JOIN LATERAL unnest(d.executions, d.attempts) AS x(execution, attempt);

-- News for a shard's owner. kind 1 created: `lanes` is a bit set, `due` the earliest of the batch. Every other kind is
-- a command and has change_seq; it stays until it is carried out, and so also says what has been promised.
CREATE TABLE scheduler.inbox (
    shard      int         NOT NULL,
    xid        xid8        NOT NULL DEFAULT pg_current_xact_id(),
    seq        bigint GENERATED ALWAYS AS IDENTITY,
    kind       smallint    NOT NULL,
    at         timestamptz NOT NULL DEFAULT clock_timestamp(),
    lanes      bigint,
    due        timestamptz,
    change_seq bigint,
    namespace  int,
    ref        uuid,
    PRIMARY KEY (shard, xid, seq),
    CHECK ((kind = 1) = (change_seq IS NULL))
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_cost_delay = 0);
CREATE INDEX inbox_command ON scheduler.inbox (ref) WHERE change_seq IS NOT NULL;

-- How an execution ended. state 1 succeeded, 2 failed, 3 timed_out, 4 cancelled, 5 skipped.
CREATE TABLE scheduler.history (
    namespace       int         NOT NULL,
    version         int         NOT NULL,
    id              uuid        NOT NULL,
    task_id         uuid        NOT NULL,
    owner           uuid        NOT NULL,
    worker          uuid,
    fence           bigint      NOT NULL,
    scheduled_for   timestamptz NOT NULL,
    started_at      timestamptz,
    finished_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
    duration_ms     bigint,
    payload_version int         NOT NULL,
    shard           int         NOT NULL,
    state           smallint    NOT NULL,
    attempt         smallint    NOT NULL,
    losses          smallint    NOT NULL,
    uploaded        boolean     NOT NULL,
    key_id          uuid        NOT NULL,
    handler         text        NOT NULL,
    code            text,
    result          bytea
) PARTITION BY RANGE (finished_at);
CREATE INDEX history_id ON scheduler.history (namespace, id);
CREATE INDEX history_task ON scheduler.history (task_id, scheduled_for);
CREATE TABLE scheduler.history_default PARTITION OF scheduler.history DEFAULT;

-- Sealed results above 16 KiB, stored by the API before the worker reports the end.
CREATE TABLE scheduler.result (
    namespace int         NOT NULL,
    execution uuid        NOT NULL,
    fence     bigint      NOT NULL,
    at        timestamptz NOT NULL DEFAULT clock_timestamp(),
    sealed    bytea STORAGE EXTERNAL NOT NULL,
    PRIMARY KEY (namespace, execution, fence)
);

-- max_tasks: `used` counts what is reserved of the limit, allotments of nodes included. What ends is appended to
-- quota_freed and folded in by whoever needs room, so that no close waits for a counter.
CREATE TABLE scheduler.quota (
    namespace int    NOT NULL,
    owner     uuid   NOT NULL,
    used      bigint NOT NULL CHECK (used >= 0),
    PRIMARY KEY (namespace, owner)
) WITH (fillfactor = 50);
CREATE TABLE scheduler.quota_freed (
    namespace int    NOT NULL,
    owner     uuid   NOT NULL,
    seq       bigint GENERATED ALWAYS AS IDENTITY,
    n         bigint NOT NULL CHECK (n > 0),
    PRIMARY KEY (namespace, owner, seq)
);

-- What each core last heard of each worker; for people only.
CREATE TABLE scheduler.worker_report (
    worker            uuid        NOT NULL,
    incarnation       uuid        NOT NULL,
    boot              uuid        NOT NULL,
    version           text        NOT NULL,
    slots             int         NOT NULL,
    running           int         NOT NULL,
    sandbox           text        NOT NULL,
    limits            text        NOT NULL,
    last_heartbeat_at timestamptz NOT NULL,
    PRIMARY KEY (worker, incarnation)
) WITH (fillfactor = 50);

-- What the engine changed, for the audit sequencer: written in the transaction of the change, read in commit-safe
-- order (xid below pg_snapshot_xmin of a snapshot), pruned once it stands in the tree.
CREATE TABLE scheduler.outbox (
    id     bigint GENERATED ALWAYS AS IDENTITY,
    xid    xid8        NOT NULL DEFAULT pg_current_xact_id(),
    at     timestamptz NOT NULL DEFAULT clock_timestamp(),
    n      int         NOT NULL CHECK (n > 0),
    events bytea       NOT NULL,
    PRIMARY KEY (xid, id)
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_cost_delay = 0);

CREATE FUNCTION scheduler.prune_outbox(below_xid xid8) RETURNS bigint
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    WITH gone AS (DELETE FROM scheduler.outbox WHERE xid < below_xid RETURNING 1)
    SELECT count(*) FROM gone
$$;
REVOKE ALL ON FUNCTION scheduler.prune_outbox(xid8) FROM PUBLIC;

-- The smallest UUIDv7 of an instant.
CREATE FUNCTION scheduler.uuid_floor(at timestamptz) RETURNS uuid
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT rpad(lpad(to_hex(floor(extract(epoch FROM at) * 1000)::bigint), 12, '0'), 32, '0')::uuid
$$;

-- Makes the partitions of the coming days and months and drops dispatch rows nobody can need: what is open is listed
-- again every ten minutes, so three days are plenty. Attaching takes no lock that a writer of other partitions feels.
CREATE FUNCTION scheduler.maintain() RETURNS int
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '2s' SET timezone = 'UTC'
AS $$
DECLARE
    part   record;
    made   int := 0;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('vigil scheduler.maintain'));
    FOR part IN
        SELECT 'dispatch' AS parent, format('dispatch_%s', to_char(d, 'YYYYMMDD')) AS name,
               quote_literal(d) AS low, quote_literal(d + interval '1 day') AS high
          FROM generate_series(date_trunc('day', now()), now() + interval '3 days', interval '1 day') d
        UNION ALL
        SELECT 'history', format('history_%s', to_char(m, 'YYYYMM')),
               quote_literal(m), quote_literal(m + interval '1 month')
          FROM generate_series(date_trunc('month', now()), now() + interval '2 months', interval '1 month') m
        UNION ALL
        SELECT 'task', format('task_%s', to_char(m, 'YYYYMM')), quote_literal(scheduler.uuid_floor(m)),
               quote_literal(scheduler.uuid_floor(m + interval '1 month'))
          FROM generate_series(date_trunc('month', now()), now() + interval '2 months', interval '1 month') m
    LOOP
        CONTINUE WHEN to_regclass('scheduler.' || part.name) IS NOT NULL;
        EXECUTE format('CREATE TABLE scheduler.%I (LIKE scheduler.%I INCLUDING ALL)', part.name, part.parent);
        EXECUTE format('ALTER TABLE scheduler.%I ATTACH PARTITION scheduler.%I FOR VALUES FROM (%s) TO (%s)',
                       part.parent, part.name, part.low, part.high);
        made := made + 1;
    END LOOP;
    FOR part IN
        SELECT c.relname AS name FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
         WHERE i.inhparent = 'scheduler.dispatch'::regclass AND c.relname ~ '^dispatch_\d{8}$'
           AND c.relname < format('dispatch_%s', to_char(now() - interval '3 days', 'YYYYMMDD'))
    LOOP
        EXECUTE format('DROP TABLE scheduler.%I', part.name);
    END LOOP;
    RETURN made;
END
$$;
REVOKE ALL ON FUNCTION scheduler.maintain() FROM PUBLIC;
SELECT scheduler.maintain();

GRANT USAGE ON SCHEMA scheduler TO vigil_api, vigil_core, vigil_audit;

GRANT SELECT ON ALL TABLES IN SCHEMA scheduler TO vigil_api, vigil_core;
REVOKE SELECT ON scheduler.outbox FROM vigil_api, vigil_core;
GRANT INSERT ON scheduler.task, scheduler.payload, scheduler.execution, scheduler.schedule, scheduler.inbox,
                scheduler.outbox, scheduler.result, scheduler.quota TO vigil_api;
GRANT UPDATE (change_seq) ON scheduler.shard TO vigil_api;
GRANT UPDATE (used) ON scheduler.quota TO vigil_api;
GRANT DELETE ON scheduler.quota_freed TO vigil_api;

GRANT INSERT, UPDATE, DELETE ON scheduler.core, scheduler.execution, scheduler.schedule, scheduler.worker_report
    TO vigil_core;
GRANT INSERT, UPDATE ON scheduler.cluster TO vigil_core;
GRANT UPDATE (owner, epoch, orphaned) ON scheduler.shard TO vigil_core;
GRANT DELETE ON scheduler.task, scheduler.payload, scheduler.inbox, scheduler.result TO vigil_core;
GRANT INSERT ON scheduler.dispatch, scheduler.history, scheduler.outbox, scheduler.quota_freed TO vigil_core;
GRANT UPDATE (task_id, owner, result) ON scheduler.history TO vigil_core;
GRANT EXECUTE ON FUNCTION scheduler.maintain() TO vigil_core;

GRANT SELECT ON scheduler.outbox TO vigil_audit;
GRANT EXECUTE ON FUNCTION scheduler.prune_outbox(xid8) TO vigil_audit;
