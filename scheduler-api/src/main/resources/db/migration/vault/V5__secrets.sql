-- Secrets of a namespace. Sealed under its data key of the month; id, namespace, version and name are authenticated, so
-- a row that was moved or changed does not open. A new version replaces the bytes of the one before.
CREATE TABLE vault.secret (
    id         uuid PRIMARY KEY,
    namespace  int         NOT NULL,
    name       text        NOT NULL CHECK (name <> ''),
    version    int         NOT NULL CHECK (version > 0),
    key_id     uuid        NOT NULL,
    sealed     bytea       NOT NULL,
    created_by uuid        NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    changed_by uuid        NOT NULL,
    changed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    UNIQUE (namespace, name)
);

-- What stands for a personal value in payloads. Sealed under the key of its subject, so erasing him kills it.
CREATE TABLE vault.pii_token (
    id            uuid PRIMARY KEY,
    namespace     int         NOT NULL,
    kind          text        NOT NULL,
    subject_index bytea       NOT NULL CHECK (octet_length(subject_index) = 16),
    key_id        uuid        NOT NULL,
    sealed        bytea       NOT NULL,
    created_by    uuid        NOT NULL,
    created_at    timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX pii_token_subject ON vault.pii_token (namespace, subject_index);

GRANT SELECT, INSERT, DELETE ON vault.secret, vault.pii_token TO vigil_api;
GRANT UPDATE (version, key_id, sealed, changed_by, changed_at) ON vault.secret TO vigil_api;
