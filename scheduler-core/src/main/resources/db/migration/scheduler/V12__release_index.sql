-- Requests to look at a dependent (kind 10) are few among news of creation, which comes and goes with every task: while
-- vacuum is held up, all that has gone lies before them in the primary key. News of creation does not enter this index.
CREATE INDEX inbox_release ON scheduler.inbox (shard, ref) WHERE kind = 10;
