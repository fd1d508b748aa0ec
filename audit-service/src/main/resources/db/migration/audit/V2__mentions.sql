-- The directory of events, packed. One row an event with an index for each filter cost more than all else about an
-- event; now a step of the sequencer writes one row for each thing that its events mention.

-- Where events that mention something are found. Events of one step that happened within ten seconds of each other are
-- a span; a row has the places of one span's events. `kind` and `key` say what is mentioned (class Mention), `newest`
-- is when the last event of the span happened, in microseconds since 1970, `span` the index in the log of its first one.
CREATE TABLE audit.mention (
    newest bigint   NOT NULL,
    span   bigint   NOT NULL CHECK (span >= 0),
    key    uuid     NOT NULL,
    kind   smallint NOT NULL,
    places bytea    NOT NULL,
    PRIMARY KEY (kind, key, newest, span)
);
-- Places are packed already.
ALTER TABLE audit.mention ALTER COLUMN places SET STORAGE EXTERNAL;

-- Where an event is found by its id: some ids of one second, in ascending order, and where each stands in the log.
CREATE TABLE audit.event_ids (
    second bigint NOT NULL,
    low    uuid   NOT NULL,
    high   uuid   NOT NULL,
    ids    uuid[] NOT NULL,
    seqs   bigint[] NOT NULL CHECK (cardinality(seqs) = cardinality(ids))
);
CREATE INDEX event_ids_second ON audit.event_ids (second, low, high);

-- As for the other tables of the log.
DO $$
DECLARE
    grown text;
BEGIN
    FOREACH grown IN ARRAY ARRAY['mention', 'event_ids']
    LOOP
        EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit.%I
                        FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse_change()', grown);
        EXECUTE format('ALTER TABLE audit.%I ENABLE ALWAYS TRIGGER append_only', grown);
        EXECUTE format('GRANT SELECT, INSERT ON audit.%I TO vigil_audit', grown);
    END LOOP;
END
$$;
