-- The audit log. Every table of the log only grows: vigil_audit may INSERT and SELECT, nobody may UPDATE, DELETE or
-- TRUNCATE. What a growing tile or bundle gains is a further row, so nothing has to be changed to complete it.

-- Entries, 256 to a bundle (C2SP tlog-tiles: a 16-bit length and the event's bytes, each). A bundle is the
-- concatenation of its parts in the order of start. Under traffic a part is a whole bundle.
CREATE TABLE audit.entry_part (
    bundle  bigint   NOT NULL CHECK (bundle >= 0),
    start   smallint NOT NULL CHECK (start BETWEEN 0 AND 255),
    n       smallint NOT NULL CHECK (n > 0 AND start + n <= 256),
    entries bytea    NOT NULL,
    PRIMARY KEY (bundle, start)
);

-- Hashes of the tree, 256 to a tile; level 0 has the leaf hashes, level 1 the hashes of full tiles of level 0, …
-- A tile is the concatenation of its parts, and a partial tile a beginning of it.
CREATE TABLE audit.hash_part (
    level  smallint NOT NULL CHECK (level BETWEEN 0 AND 7),
    tile   bigint   NOT NULL CHECK (tile >= 0),
    start  smallint NOT NULL CHECK (start BETWEEN 0 AND 255),
    n      smallint NOT NULL CHECK (n > 0 AND start + n <= 256),
    hashes bytea    NOT NULL CHECK (octet_length(hashes) = 32 * n),
    PRIMARY KEY (level, tile, start)
);

-- What was signed. Each tree has one successor: `previous` is unique, so of two sequencers that go on from the same
-- size one fails. The empty tree's checkpoint has -1 there.
CREATE TABLE audit.checkpoint (
    size     bigint      PRIMARY KEY CHECK (size >= 0),
    previous bigint      NOT NULL UNIQUE CHECK (previous < size),
    root     bytea       NOT NULL CHECK (octet_length(root) = 32),
    note     text        NOT NULL,
    at       timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- How far each outbox is in the log at that size. Transaction numbers mean nothing in another cluster, so a row counts
-- only in the cluster that it was written in (system identifier).
CREATE TABLE audit.progress (
    source  text   NOT NULL,
    cluster bigint NOT NULL,
    size    bigint NOT NULL,
    xid     xid8   NOT NULL,
    id      bigint NOT NULL,
    PRIMARY KEY (source, cluster, size)
);

-- Where to find an event in the log. Only a directory: answers are read from the entries themselves.
CREATE TABLE audit.event (
    seq          bigint      PRIMARY KEY,
    id           uuid        NOT NULL,
    at           timestamptz NOT NULL,
    event_type   text        NOT NULL,
    action       text        NOT NULL,
    result       text        NOT NULL,
    user_id      uuid,
    task_id      uuid,
    execution_id uuid,
    worker_id    uuid,
    subject      text
);
CREATE UNIQUE INDEX event_id ON audit.event (id);
CREATE INDEX event_at ON audit.event (at, seq);
CREATE INDEX event_type ON audit.event (event_type, at, seq);
CREATE INDEX event_action ON audit.event (action, at, seq);
-- Nearly every event is a success; for those the index by time serves.
CREATE INDEX event_result ON audit.event (result, at, seq) WHERE result <> 'success';
CREATE INDEX event_user ON audit.event (user_id, at, seq) WHERE user_id IS NOT NULL;
CREATE INDEX event_task ON audit.event (task_id, at, seq) WHERE task_id IS NOT NULL;
CREATE INDEX event_execution ON audit.event (execution_id, at, seq) WHERE execution_id IS NOT NULL;
CREATE INDEX event_worker ON audit.event (worker_id, at, seq) WHERE worker_id IS NOT NULL;
CREATE INDEX event_subject ON audit.event (subject, at, seq) WHERE subject IS NOT NULL;

-- Bytes of an outbox that are no event, kept as they came. The log has a failure event with their hash in their place.
CREATE TABLE audit.unreadable (
    source text        NOT NULL,
    xid    xid8        NOT NULL,
    id     bigint      NOT NULL,
    place  int         NOT NULL,
    why    text        NOT NULL,
    bytes  bytea       NOT NULL,
    at     timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (source, xid, id, place)
);

CREATE FUNCTION audit.refuse_change() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RAISE EXCEPTION 'rows of %.% are never changed or removed: the audit log only grows', TG_TABLE_SCHEMA, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege';
END
$$;

-- ENABLE ALWAYS: fires also where session_replication_role = replica switches ordinary triggers off. It stops mistakes
-- and slows an owner down; what stops him for good is the signed tree.
DO $$
DECLARE
    grown text;
BEGIN
    FOREACH grown IN ARRAY ARRAY['entry_part', 'hash_part', 'checkpoint', 'progress', 'event', 'unreadable']
    LOOP
        EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit.%I
                        FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse_change()', grown);
        EXECUTE format('ALTER TABLE audit.%I ENABLE ALWAYS TRIGGER append_only', grown);
        EXECUTE format('GRANT SELECT, INSERT ON audit.%I TO vigil_audit', grown);
    END LOOP;
END
$$;

-- What happened in the audit service itself (reads of the log, refusals), on its way into the log like all the others.
CREATE TABLE audit.outbox (
    id     bigint GENERATED ALWAYS AS IDENTITY,
    xid    xid8        NOT NULL DEFAULT pg_current_xact_id(),
    at     timestamptz NOT NULL DEFAULT clock_timestamp(),
    n      int         NOT NULL CHECK (n > 0),
    events bytea       NOT NULL,
    PRIMARY KEY (xid, id)
);

CREATE FUNCTION audit.prune_outbox(below_xid xid8) RETURNS bigint
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    WITH gone AS (DELETE FROM audit.outbox WHERE xid < below_xid RETURNING 1)
    SELECT count(*) FROM gone
$$;
REVOKE ALL ON FUNCTION audit.prune_outbox(xid8) FROM PUBLIC;

-- The next rows of the outboxes behind these positions, in commit-safe order: only rows whose transaction, and every one
-- before it, has ended. "id above the last one" would lose whoever commits late. STABLE, so all outboxes are seen in the
-- one snapshot of the calling statement. Runs with the caller's rights; outboxes that are not there, or not readable,
-- are passed over: a service may be installed later than this one.
CREATE FUNCTION audit.waiting(sources text[], xids xid8[], ids bigint[], rows_max int, bytes_max bigint)
    RETURNS TABLE (source text, xid xid8, id bigint, events bytea)
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    FOR place IN 1 .. cardinality(sources)
    LOOP
        CONTINUE WHEN NOT EXISTS (
            SELECT FROM pg_class AS outbox
                   JOIN pg_namespace AS schema ON schema.oid = outbox.relnamespace
             WHERE schema.nspname = sources[place] AND outbox.relname = 'outbox'
               AND has_schema_privilege(schema.oid, 'USAGE') AND has_table_privilege(outbox.oid, 'SELECT'));
        RETURN QUERY EXECUTE format('
            SELECT %1$L, xid, id, events
              FROM (SELECT xid, id, events,
                           sum(octet_length(events)) OVER (ORDER BY xid, id) - octet_length(events) AS bytes_before
                      FROM (SELECT xid, id, events
                              FROM %1$I.outbox
                             WHERE xid < pg_snapshot_xmin(pg_current_snapshot()) AND (xid, id) > ($1, $2)
                             ORDER BY xid, id
                             LIMIT $3) AS next) AS measured
             WHERE bytes_before < $4', sources[place])
            USING xids[place], ids[place], rows_max, bytes_max;
    END LOOP;
END
$$;

-- Removes from an outbox what is in the log. Each schema brings the function that may do it, run as its owner.
CREATE FUNCTION audit.prune(source text, below_xid xid8) RETURNS bigint
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    gone bigint;
BEGIN
    EXECUTE format('SELECT %I.prune_outbox($1)', source) INTO gone USING below_xid;
    RETURN gone;
END
$$;

GRANT USAGE ON SCHEMA audit TO vigil_audit;
GRANT SELECT, INSERT ON audit.outbox TO vigil_audit;
GRANT EXECUTE ON FUNCTION audit.prune_outbox(xid8) TO vigil_audit;
