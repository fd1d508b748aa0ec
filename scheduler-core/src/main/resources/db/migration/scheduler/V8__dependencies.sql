-- What an execution waits for before it is dispatched at all: of each task with `after`, the executions that must have
-- succeeded. A row goes when its predecessor has. Lane of an execution that waits so: -201 - lane.
ALTER TABLE scheduler.task ADD COLUMN after_ids uuid[];

CREATE TABLE scheduler.dependency (
    predecessor uuid        NOT NULL,
    dependent   uuid        NOT NULL,
    namespace   int         NOT NULL,
    shard       int         NOT NULL, -- of the dependent
    at          timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (predecessor, dependent)
);
CREATE INDEX dependency_dependent ON scheduler.dependency (dependent);

-- kind 10: look at what `ref` waits for. No step of change_seq: it allows a dispatch and forbids none.
ALTER TABLE scheduler.inbox DROP CONSTRAINT inbox_check;
ALTER TABLE scheduler.inbox ADD CONSTRAINT inbox_change CHECK ((kind IN (1, 10)) = (change_seq IS NULL));

GRANT SELECT, INSERT ON scheduler.dependency TO vigil_api;
GRANT SELECT, DELETE ON scheduler.dependency TO vigil_core;
GRANT INSERT ON scheduler.inbox TO vigil_core;
