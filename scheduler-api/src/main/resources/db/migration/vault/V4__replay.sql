-- How many executions an erasure took the person out of, and whether it was done again on a restored older copy of
-- this database, from the list of the erased that lies outside of it.
ALTER TABLE vault.erasure
    ADD COLUMN executions int NOT NULL DEFAULT 0,
    ADD COLUMN replayed_at timestamptz;
CREATE INDEX erasure_replayed ON vault.erasure (began_at) WHERE replayed_at IS NOT NULL AND ended_at IS NULL;

GRANT UPDATE (executions) ON vault.erasure TO vigil_api;
