-- The issuing CA. Its private key is wrapped by the root key.
CREATE TABLE vault.authority (
    id          uuid PRIMARY KEY,
    certificate bytea       NOT NULL,
    wrapped_key bytea       NOT NULL,
    active      boolean     NOT NULL DEFAULT true,
    created_at  timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE UNIQUE INDEX authority_active ON vault.authority (active) WHERE active;

-- Invitations. The token itself is a signed JWT and not stored; this row counts its uses.
CREATE TABLE vault.join_token (
    id           uuid PRIMARY KEY,
    worker_group text        NOT NULL,
    labels       jsonb       NOT NULL DEFAULT '{}',
    hosts        text[]      NOT NULL DEFAULT '{}',
    cidr         text,
    uses_max     int         NOT NULL CHECK (uses_max BETWEEN 1 AND 1000),
    uses         int         NOT NULL DEFAULT 0 CHECK (uses BETWEEN 0 AND uses_max),
    created_by   uuid        NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    expires_at   timestamptz NOT NULL,
    revoked_at   timestamptz
);

-- Workers, and the services that hold a certificate like one (group service:<name>). A removed one stays as a blocked
-- row, so that its certificate is known to be refused. changed_at is the database's clock, for the cores' look-out.
CREATE TABLE vault.worker (
    id             uuid PRIMARY KEY,
    name           text        NOT NULL,
    worker_group   text        NOT NULL,
    labels         jsonb       NOT NULL DEFAULT '{}',
    namespaces     int[],
    state          text        NOT NULL CHECK (state IN ('active', 'draining', 'blocked')),
    generation     int         NOT NULL CHECK (generation > 0),
    changed_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
    hosts          text[]      NOT NULL DEFAULT '{}',
    key_hash       bytea       NOT NULL CHECK (octet_length(key_hash) = 32),
    certificate    bytea       NOT NULL,
    blocked_reason text,
    join_token     uuid        NOT NULL REFERENCES vault.join_token (id),
    enrolled_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    removed_at     timestamptz,
    mac            bytea       NOT NULL
);
CREATE INDEX worker_changed ON vault.worker (changed_at);

-- Operations that may run. What an admin proposes is in force once another one approves it.
CREATE TABLE vault.handler (
    name        text PRIMARY KEY,
    approved    text,
    approved_by uuid,
    approved_at timestamptz,
    proposed    text,
    proposed_by uuid,
    proposed_at timestamptz,
    mac         bytea NOT NULL,
    CHECK (approved IS NOT NULL OR proposed IS NOT NULL),
    CHECK ((proposed IS NULL) = (proposed_at IS NULL)),
    CHECK ((approved IS NULL) = (approved_at IS NULL))
);

GRANT SELECT, INSERT ON vault.authority, vault.join_token, vault.worker, vault.handler TO vigil_api;
GRANT UPDATE (active) ON vault.authority TO vigil_api;
GRANT UPDATE (uses, revoked_at) ON vault.join_token TO vigil_api;
GRANT UPDATE ON vault.worker, vault.handler TO vigil_api;

-- The core decides by these whom it talks to; keys and certificates are not its business.
GRANT USAGE ON SCHEMA vault TO vigil_core;
GRANT SELECT (id, name, worker_group, labels, state, namespaces, generation, changed_at)
    ON vault.worker TO vigil_core;
