-- Calls that carry an Idempotency-Key, for 24 hours. Key and request are HMACs under a vault key; the answer is sealed,
-- because it may hold a secret that is shown once. A row without an answer belongs to the call that `holder` names, until
-- `busy_until`; then whoever repeats the call may take it over.
CREATE TABLE access.idempotency (
    principal  uuid        NOT NULL,
    key        bytea       NOT NULL CHECK (octet_length(key) = 32),
    request    bytea       NOT NULL CHECK (octet_length(request) = 32),
    holder     uuid        NOT NULL,
    started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    busy_until timestamptz NOT NULL,
    answer     bytea,
    PRIMARY KEY (principal, key)
);
CREATE INDEX idempotency_age ON access.idempotency (started_at);

-- A streamed call is remembered part by part: which lines each one held, and what was wrong with those that failed.
-- Ids of what was created are derived again, not stored.
CREATE TABLE access.idempotency_part (
    principal uuid  NOT NULL,
    key       bytea NOT NULL,
    part      int   NOT NULL,
    request   bytea NOT NULL CHECK (octet_length(request) = 32),
    failures  bytea NOT NULL,
    PRIMARY KEY (principal, key, part),
    FOREIGN KEY (principal, key) REFERENCES access.idempotency ON DELETE CASCADE
);

GRANT SELECT, INSERT, UPDATE, DELETE ON access.idempotency TO vigil_api;
GRANT SELECT, INSERT, DELETE ON access.idempotency_part TO vigil_api;
