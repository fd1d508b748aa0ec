-- Requests of data subjects. Who a subject is, is not here: only his blind indexes, which the vault keeps the key of.
CREATE TABLE gdpr.request (
    id           uuid PRIMARY KEY,
    kind         text        NOT NULL CHECK (kind IN ('access', 'erasure')),
    state        text        NOT NULL CHECK (state IN ('received', 'awaiting_approval', 'running', 'partial', 'held',
                                                       'rejected', 'done')),
    namespace    int         NOT NULL,
    everywhere   boolean     NOT NULL,
    reason       text        NOT NULL,
    indexes      text[]      NOT NULL,
    requested_by uuid        NOT NULL,
    requested_at timestamptz NOT NULL,
    due_at       timestamptz NOT NULL,
    approved_by  uuid,
    approved_at  timestamptz,
    ended_at     timestamptz,
    detail       text,
    tasks        int,
    executions   int,
    events       uuid[]      NOT NULL DEFAULT '{}',
    complete     boolean     NOT NULL DEFAULT true,
    produced_at  timestamptz,
    expires_at   timestamptz,
    certificate  bytea,
    signature    bytea,
    busy_until   timestamptz NOT NULL DEFAULT '-infinity',
    CHECK (approved_by <> requested_by),
    CHECK ((certificate IS NULL) = (signature IS NULL))
);
CREATE INDEX request_running ON gdpr.request (busy_until) WHERE state = 'running';
CREATE INDEX request_indexes ON gdpr.request USING gin (indexes);

-- Exports, sealed under a key that the vault derives from the subject's own and hands out per download.
CREATE TABLE gdpr.export_chunk (
    request uuid  NOT NULL REFERENCES gdpr.request (id),
    n       int   NOT NULL,
    sealed  bytea STORAGE EXTERNAL NOT NULL,
    PRIMARY KEY (request, n)
);

-- What a POST with an Idempotency-Key was answered.
CREATE TABLE gdpr.idempotency (
    principal uuid        NOT NULL,
    key       text        NOT NULL,
    body_hash bytea       NOT NULL,
    answer    bytea       NOT NULL,
    at        timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (principal, key)
);

-- What this service changed, for the audit sequencer.
CREATE TABLE gdpr.outbox (
    id     bigint GENERATED ALWAYS AS IDENTITY,
    xid    xid8        NOT NULL DEFAULT pg_current_xact_id(),
    at     timestamptz NOT NULL DEFAULT clock_timestamp(),
    n      int         NOT NULL CHECK (n > 0),
    events bytea       NOT NULL,
    PRIMARY KEY (xid, id)
);

CREATE FUNCTION gdpr.prune_outbox(below_xid xid8) RETURNS bigint
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    WITH gone AS (DELETE FROM gdpr.outbox WHERE xid < below_xid RETURNING 1)
    SELECT count(*) FROM gone
$$;
REVOKE ALL ON FUNCTION gdpr.prune_outbox(xid8) FROM PUBLIC;

GRANT USAGE ON SCHEMA gdpr TO vigil_gdpr, vigil_audit;
GRANT SELECT, INSERT, UPDATE ON gdpr.request TO vigil_gdpr;
GRANT SELECT, INSERT, DELETE ON gdpr.export_chunk, gdpr.idempotency TO vigil_gdpr;
GRANT INSERT ON gdpr.outbox TO vigil_gdpr;
GRANT SELECT ON gdpr.outbox TO vigil_audit;
GRANT EXECUTE ON FUNCTION gdpr.prune_outbox(xid8) TO vigil_audit;
