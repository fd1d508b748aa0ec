-- Entries as the outboxes have them: the engine packs the events of executions into a fifth of their canonical bytes,
-- and compressing those was the largest part of what an INSERT here cost. Each row has one of the two forms. NOT VALID:
-- the rows that are there are not read for it.
ALTER TABLE audit.entry_part ALTER COLUMN entries DROP NOT NULL;
ALTER TABLE audit.entry_part ADD COLUMN framed bytea;
ALTER TABLE audit.entry_part
    ADD CONSTRAINT entry_part_form CHECK (num_nonnulls(entries, framed) = 1) NOT VALID;
