-- Limits of running executions that many owners share. kind 1 owner, 2 namespace, 3 handler (of all namespaces, whose
-- `namespace` is 0); of the latter two `owner` is an id of the limit itself. `revision` counts what admins changed.
ALTER TABLE scheduler.concurrency
    ADD COLUMN kind     smallint NOT NULL DEFAULT 1 CHECK (kind BETWEEN 1 AND 3),
    ADD COLUMN handler  text CHECK ((handler IS NULL) = (kind <> 3)),
    ADD COLUMN revision bigint   NOT NULL DEFAULT 0;
CREATE UNIQUE INDEX concurrency_namespace ON scheduler.concurrency (namespace) WHERE kind = 2;
CREATE UNIQUE INDEX concurrency_handler ON scheduler.concurrency (handler) WHERE kind = 3;

-- Counts the changes of shared limits, so that a core reads them again only when there is one.
CREATE TABLE scheduler.limit_change (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    n   bigint  NOT NULL DEFAULT 0
) WITH (fillfactor = 50);
INSERT INTO scheduler.limit_change DEFAULT VALUES;

GRANT SELECT ON scheduler.limit_change TO vigil_api, vigil_core;
GRANT UPDATE (n) ON scheduler.limit_change TO vigil_api;
GRANT UPDATE (revision) ON scheduler.concurrency TO vigil_api;
