-- Rows are looked up by the primary key and read in order by execution_due. When vacuum has found the table empty, the
-- planner takes both for equally good to look a row up by shard and id, and by execution_due that is a walk through the
-- whole shard. A partial index is used only by what names a lane, which every reading in order does; lane is never null.
CREATE INDEX execution_due_lane ON scheduler.execution (shard, lane, due_at, id) WHERE lane IS NOT NULL;
DROP INDEX scheduler.execution_due;
ALTER INDEX scheduler.execution_due_lane RENAME TO execution_due;
