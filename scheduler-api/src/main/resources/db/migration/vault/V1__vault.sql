-- Keys. Nothing here opens anything without the root key, which is not in the database.

-- Keys that the root key wraps: one per namespace, and the vault's own (row seals, blind index, join tokens, CA).
CREATE TABLE vault.master_key (
    id         uuid PRIMARY KEY,
    name       text        NOT NULL UNIQUE CHECK (name <> ''),
    root_key   text        NOT NULL,
    wrapped    bytea       NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- Data keys: of a namespace and month, or of one subject. Wrapped by the namespace's key; id, namespace, month,
-- subject and generation are authenticated by the wrapping, so a moved row does not unwrap.
-- A destroyed key stays as a row without its bytes: the tombstone says "gone" where absence would say "unknown".
CREATE TABLE vault.data_key (
    id            uuid PRIMARY KEY,
    namespace     int         NOT NULL,
    month         date,
    subject_index bytea CHECK (octet_length(subject_index) = 16),
    generation    int         NOT NULL CHECK (generation > 0),
    wrapped       bytea,
    seals         bigint      NOT NULL DEFAULT 0 CHECK (seals >= 0),
    created_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    destroyed_at  timestamptz,
    CHECK ((month IS NULL) <> (subject_index IS NULL)),
    CHECK ((wrapped IS NULL) = (destroyed_at IS NOT NULL))
);
CREATE UNIQUE INDEX data_key_month ON vault.data_key (namespace, month, generation) WHERE month IS NOT NULL;
CREATE UNIQUE INDEX data_key_subject ON vault.data_key (namespace, subject_index, generation) WHERE month IS NULL;
CREATE INDEX data_key_destroyed ON vault.data_key (destroyed_at) WHERE destroyed_at IS NOT NULL;

-- A subject whose erasure runs: no payload that names him is sealed until it is done.
CREATE TABLE vault.erasure (
    namespace     int         NOT NULL,
    subject_index bytea       NOT NULL CHECK (octet_length(subject_index) = 16),
    request       uuid        NOT NULL,
    began_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    ended_at      timestamptz,
    PRIMARY KEY (namespace, subject_index, request)
);
CREATE INDEX erasure_open ON vault.erasure (namespace, subject_index) WHERE ended_at IS NULL;

GRANT USAGE ON SCHEMA vault TO vigil_api;
GRANT SELECT, INSERT ON vault.master_key, vault.data_key, vault.erasure TO vigil_api;
GRANT UPDATE (root_key, wrapped) ON vault.master_key TO vigil_api;
GRANT UPDATE (wrapped, seals, destroyed_at) ON vault.data_key TO vigil_api;
GRANT UPDATE (ended_at) ON vault.erasure TO vigil_api;
