-- What the API changed, for the audit sequencer: written in the transaction of the change, read in commit-safe order
-- (xid below pg_snapshot_xmin of a snapshot), pruned once it stands in the tree.
CREATE TABLE access.outbox (
    id     bigint GENERATED ALWAYS AS IDENTITY,
    xid    xid8        NOT NULL DEFAULT pg_current_xact_id(),
    at     timestamptz NOT NULL DEFAULT clock_timestamp(),
    n      int         NOT NULL CHECK (n > 0),
    events bytea       NOT NULL,
    PRIMARY KEY (xid, id)
);

-- The audit role may read, and may have removed what it has sequenced, and nothing else: no DELETE of its own.
CREATE FUNCTION access.prune_outbox(below_xid xid8) RETURNS bigint
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    WITH gone AS (DELETE FROM access.outbox WHERE xid < below_xid RETURNING 1)
    SELECT count(*) FROM gone
$$;
REVOKE ALL ON FUNCTION access.prune_outbox(xid8) FROM PUBLIC;

GRANT USAGE ON SCHEMA access TO vigil_api, vigil_audit;
GRANT INSERT ON access.outbox TO vigil_api;
GRANT SELECT ON access.outbox TO vigil_audit;
GRANT EXECUTE ON FUNCTION access.prune_outbox(xid8) TO vigil_audit;
