-- A task's occurrences are spread over this long, each by its own hash.
ALTER TABLE scheduler.task ADD COLUMN jitter_ms bigint NOT NULL DEFAULT 0;

-- kind 7 patch: `due` is the fire that a changed schedule promises. kind 8 trigger, 9 retry: `ref` is the execution,
-- which lies in a lane that nothing is dispatched from until the owner admits it.
COMMENT ON TABLE scheduler.inbox IS 'News and commands for the owners of shards';

-- A retry takes an execution out of history and opens it again.
GRANT DELETE ON scheduler.history TO vigil_api;
