-- max_concurrent_executions of an owner. `taken` is what shards hold of it in scheduler.permit; `denied_at` says that
-- somebody got none, so that others give back what they do not need.
CREATE TABLE scheduler.concurrency (
    namespace int         NOT NULL,
    owner     uuid        NOT NULL,
    most      int         NOT NULL CHECK (most >= 0),
    taken     int         NOT NULL DEFAULT 0 CHECK (taken >= 0),
    denied_at timestamptz,
    PRIMARY KEY (namespace, owner)
) WITH (fillfactor = 50);

-- Permits that a shard holds. Each open dispatch of a limited owner holds one, through every change of the shard's owner.
CREATE TABLE scheduler.permit (
    shard     int  NOT NULL,
    namespace int  NOT NULL,
    owner     uuid NOT NULL,
    n         int  NOT NULL CHECK (n >= 0),
    PRIMARY KEY (shard, namespace, owner)
) WITH (fillfactor = 50);

-- What only a core knows and people ask: for what it found no worker, for more than a second. kind 1 none is connected
-- that may run it, 2 none has room.
CREATE TABLE scheduler.shortage (
    incarnation uuid        NOT NULL REFERENCES scheduler.core ON DELETE CASCADE,
    namespace   int         NOT NULL,
    handler     text        NOT NULL,
    kind        smallint    NOT NULL,
    since       timestamptz NOT NULL,
    PRIMARY KEY (incarnation, namespace, handler)
);

GRANT SELECT ON scheduler.concurrency, scheduler.permit, scheduler.shortage TO vigil_api, vigil_core;
GRANT INSERT, DELETE, UPDATE (most) ON scheduler.concurrency TO vigil_api;
GRANT UPDATE (taken, denied_at) ON scheduler.concurrency TO vigil_core;
GRANT INSERT, UPDATE, DELETE ON scheduler.permit, scheduler.shortage TO vigil_core;
