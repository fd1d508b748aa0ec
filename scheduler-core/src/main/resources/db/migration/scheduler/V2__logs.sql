-- What executions say while they run. Sealed under the task's key by the worker; append-only but for erasure.

-- A chunk is lines `line` to `line + lines - 1` of the attempt under that fence; `seq` numbers the first of them within
-- the execution, over all its attempts. A gap in `seq` is lines that were lost on the way.
CREATE TABLE scheduler.log (
    namespace int         NOT NULL,
    execution uuid        NOT NULL,
    seq       int         NOT NULL CHECK (seq > 0),
    line      int         NOT NULL CHECK (line > 0),
    lines     int         NOT NULL CHECK (lines > 0),
    attempt   smallint    NOT NULL,
    fence     bigint      NOT NULL,
    at        timestamptz NOT NULL DEFAULT clock_timestamp(),
    sealed    bytea STORAGE EXTERNAL NOT NULL
) PARTITION BY RANGE (at);
CREATE INDEX log_execution ON scheduler.log (execution, seq);
CREATE TABLE scheduler.log_default PARTITION OF scheduler.log DEFAULT;

-- How far an execution is by its own account: the newest word only, at most one change a second.
CREATE TABLE scheduler.progress (
    namespace  int         NOT NULL,
    millionths int         NOT NULL CHECK (millionths BETWEEN 0 AND 1000000),
    execution  uuid        PRIMARY KEY,
    fence      bigint      NOT NULL,
    at         timestamptz NOT NULL DEFAULT clock_timestamp(),
    message    bytea
) WITH (fillfactor = 50);

-- Makes the partitions of the coming months, and forgets what is older than a month.
CREATE FUNCTION scheduler.maintain_logs() RETURNS int
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '2s' SET timezone = 'UTC'
AS $$
DECLARE
    part record;
    made int := 0;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('vigil scheduler.maintain_logs'));
    FOR part IN
        SELECT format('log_%s', to_char(m, 'YYYYMM')) AS name, m AS low, m + interval '1 month' AS high
          FROM generate_series(date_trunc('month', now()), now() + interval '2 months', interval '1 month') m
    LOOP
        CONTINUE WHEN to_regclass('scheduler.' || part.name) IS NOT NULL;
        EXECUTE format('CREATE TABLE scheduler.%I (LIKE scheduler.log INCLUDING ALL)', part.name);
        EXECUTE format('ALTER TABLE scheduler.log ATTACH PARTITION scheduler.%I FOR VALUES FROM (%L) TO (%L)',
                       part.name, part.low, part.high);
        made := made + 1;
    END LOOP;
    FOR part IN
        SELECT c.relname AS name FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
         WHERE i.inhparent = 'scheduler.log'::regclass AND c.relname ~ '^log_\d{6}$'
           AND c.relname < format('log_%s', to_char(now() - interval '1 month', 'YYYYMM'))
    LOOP
        EXECUTE format('DROP TABLE scheduler.%I', part.name);
    END LOOP;
    DELETE FROM scheduler.log_default WHERE at < now() - interval '1 month';
    DELETE FROM scheduler.progress WHERE at < now() - interval '1 month';
    RETURN made;
END
$$;
REVOKE ALL ON FUNCTION scheduler.maintain_logs() FROM PUBLIC;
SELECT scheduler.maintain_logs();

GRANT SELECT ON scheduler.log, scheduler.progress TO vigil_api, vigil_core;
GRANT INSERT, DELETE ON scheduler.log TO vigil_core;
GRANT INSERT, UPDATE, DELETE ON scheduler.progress TO vigil_core;
GRANT EXECUTE ON FUNCTION scheduler.maintain_logs() TO vigil_core;
