-- Requests of data subjects as this side knows them: gdpr-service may have opened or erased only what stands here,
-- and what stands here was asked for, and approved, by people who showed this side their tokens.
CREATE TABLE vault.subject_request (
    id           uuid PRIMARY KEY,
    kind         text        NOT NULL CHECK (kind IN ('access', 'erasure')),
    namespace    int         NOT NULL,
    everywhere   boolean     NOT NULL,
    key_id       uuid        NOT NULL,
    subject      bytea       NOT NULL,
    requested_by uuid        NOT NULL,
    requested_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    approved_by  uuid,
    approved_at  timestamptz,
    closed_at    timestamptz,
    done_event   uuid,
    mac          bytea       NOT NULL,
    CHECK (approved_by <> requested_by),
    CHECK ((approved_by IS NULL) = (approved_at IS NULL))
);

-- The tombstone of an erasure: by it the rows are found after the key that opens the subject's name is gone.
ALTER TABLE vault.erasure
    ADD COLUMN owner uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
    ADD COLUMN tasks int  NOT NULL DEFAULT 0;

GRANT SELECT, INSERT ON vault.subject_request TO vigil_api;
GRANT UPDATE (approved_by, approved_at, closed_at, done_event, mac) ON vault.subject_request TO vigil_api;
GRANT UPDATE (tasks) ON vault.erasure TO vigil_api;
