-- API keys: 256 random bits behind a prefix that scanners for leaked secrets know; stored as a SHA-256, and signed as a
-- row that confers power.
CREATE TABLE access.api_key (
    id             uuid PRIMARY KEY,
    owner          uuid        NOT NULL REFERENCES access.principal,
    name           text        NOT NULL,
    test           boolean     NOT NULL,
    prefix         text        NOT NULL,
    hash           bytea       NOT NULL UNIQUE CHECK (octet_length(hash) = 32),
    -- The key before the last roll, while both work.
    previous_hash  bytea UNIQUE CHECK (octet_length(previous_hash) = 32),
    previous_until timestamptz,
    scopes         text[]      NOT NULL,
    allowed_ips    text[],
    created_at     timestamptz NOT NULL,
    expires_at     timestamptz NOT NULL,
    last_used_at   timestamptz,
    mac            bytea       NOT NULL CHECK (octet_length(mac) = 32),
    CHECK ((previous_hash IS NULL) = (previous_until IS NULL))
);
CREATE INDEX api_key_owner ON access.api_key (owner, id DESC);

-- A sandbox is where test keys may run tasks; that it is one counts only with its HMAC. A deleted namespace keeps its
-- row for the executions that name it, and frees its name.
ALTER TABLE access.namespace
    ADD COLUMN sandbox    boolean NOT NULL DEFAULT false,
    ADD COLUMN mac        bytea CHECK (octet_length(mac) = 32),
    ADD COLUMN deleted_at timestamptz;

GRANT SELECT, INSERT, DELETE ON access.api_key TO vigil_api;
GRANT UPDATE (prefix, hash, previous_hash, previous_until, last_used_at, mac) ON access.api_key TO vigil_api;
GRANT UPDATE (name, mac, deleted_at) ON access.namespace TO vigil_api;
