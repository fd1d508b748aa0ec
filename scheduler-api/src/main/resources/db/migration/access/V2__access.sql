-- Who may call, and what was signed for whom. Secrets are here as hashes only; rows that confer power carry an HMAC
-- under a vault key, so a row that was written by SQL is refused.

CREATE TABLE access.namespace (
    id         int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name       text        NOT NULL UNIQUE CHECK (name ~ '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$'),
    created_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
INSERT INTO access.namespace (name) VALUES ('default');

-- Users and service accounts. An absent list allows all, an empty one none; an absent number is no limit.
CREATE TABLE access.principal (
    id                        uuid PRIMARY KEY,
    kind                      text        NOT NULL CHECK (kind IN ('user', 'service_account')),
    username                  text        NOT NULL,
    password                  text,
    role                      text        NOT NULL,
    namespace                 int         NOT NULL REFERENCES access.namespace,
    enabled                   boolean     NOT NULL,
    allowed_task_types        text[],
    allowed_priorities        text[],
    allowed_handlers          text[],
    max_tasks                 int CHECK (max_tasks >= 0),
    max_concurrent_executions int CHECK (max_concurrent_executions >= 0),
    requests_per_minute       int CHECK (requests_per_minute > 0),
    version                   int         NOT NULL,
    created_at                timestamptz NOT NULL,
    deleted_at                timestamptz,
    mac                       bytea       NOT NULL CHECK (octet_length(mac) = 32)
);
CREATE UNIQUE INDEX principal_username ON access.principal (lower(username)) WHERE deleted_at IS NULL;

-- OAuth2 clients of service accounts. The secret is 256 random bits, so a plain SHA-256 is the right hash.
CREATE TABLE access.client (
    client_id   text PRIMARY KEY,
    principal   uuid        NOT NULL UNIQUE REFERENCES access.principal,
    secret_hash bytea       NOT NULL CHECK (octet_length(secret_hash) = 32),
    scopes      text[]      NOT NULL,
    created_at  timestamptz NOT NULL,
    version     int         NOT NULL,
    mac         bytea       NOT NULL CHECK (octet_length(mac) = 32)
);

-- One sign-in and the refresh tokens that follow each other in it. Using one twice ends the family.
CREATE TABLE access.refresh_family (
    id         uuid PRIMARY KEY,
    principal  uuid        NOT NULL REFERENCES access.principal,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    revoked_at timestamptz
);
CREATE INDEX refresh_family_principal ON access.refresh_family (principal);
CREATE INDEX refresh_family_expiry ON access.refresh_family (expires_at);

CREATE TABLE access.refresh_token (
    hash      bytea PRIMARY KEY CHECK (octet_length(hash) = 32),
    family    uuid        NOT NULL REFERENCES access.refresh_family ON DELETE CASCADE,
    issued_at timestamptz NOT NULL,
    used_at   timestamptz
);
CREATE INDEX refresh_token_family ON access.refresh_token (family);

-- Access tokens (by jti) and sign-ins (by family) that ended before their time.
CREATE TABLE access.revoked (
    id         text PRIMARY KEY,
    expires_at timestamptz NOT NULL
);
CREATE INDEX revoked_expiry ON access.revoked (expires_at);

-- Keys that sign access tokens; the private part is wrapped by the vault.
CREATE TABLE access.signing_key (
    kid        text PRIMARY KEY,
    wrapped    bytea       NOT NULL,
    created_at timestamptz NOT NULL,
    retired_at timestamptz
);

-- Raised by every change of the tables above; nodes look once a second and drop what they remember.
CREATE TABLE access.revision (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    n    bigint NOT NULL
);
INSERT INTO access.revision (n) VALUES (0);

GRANT SELECT, INSERT ON access.namespace, access.principal, access.client, access.refresh_family,
    access.refresh_token, access.revoked, access.signing_key TO vigil_api;
GRANT UPDATE ON access.principal, access.client TO vigil_api;
GRANT UPDATE (revoked_at) ON access.refresh_family TO vigil_api;
GRANT UPDATE (used_at) ON access.refresh_token TO vigil_api;
GRANT UPDATE (retired_at) ON access.signing_key TO vigil_api;
GRANT SELECT, UPDATE (n) ON access.revision TO vigil_api;
GRANT DELETE ON access.namespace, access.client, access.refresh_family, access.refresh_token, access.revoked TO vigil_api;
