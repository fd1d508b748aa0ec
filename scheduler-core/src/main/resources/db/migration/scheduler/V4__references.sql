-- What a payload names that only a worker resolves: secrets, tokens and encrypted fields, never their values. Most
-- tasks name nothing.
ALTER TABLE scheduler.task ADD COLUMN refs text[];
CREATE INDEX task_refs ON scheduler.task USING gin (refs) WHERE refs IS NOT NULL;
