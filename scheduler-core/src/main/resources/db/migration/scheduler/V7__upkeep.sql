-- Partitions made ahead of time and dropped when their time is over. One small step at a time, each a transaction of its
-- own, because attaching and dropping take a lock that writers feel: they wait for it 100 ms at most and are tried again.

DROP FUNCTION scheduler.maintain();
DROP FUNCTION scheduler.maintain_logs();

-- What the recovery log still needs, wherever it lies: of each shard's newest epoch the lines from `low` on, the newest
-- one among them, from which an owner goes on counting.
CREATE VIEW scheduler.needed_dispatch AS
    SELECT d.*
      FROM scheduler.shard s
     CROSS JOIN LATERAL (SELECT l.epoch, l.low FROM scheduler.dispatch l
                          WHERE l.shard = s.id ORDER BY l.epoch DESC, l.n DESC LIMIT 1) newest
      JOIN scheduler.dispatch d ON d.shard = s.id AND d.epoch = newest.epoch AND d.n >= newest.low;

-- What is partitioned by time, how far ahead it is made and how long it is kept after its end.
CREATE FUNCTION scheduler.partition_kinds(dispatches interval, ended interval)
    RETURNS TABLE (parent text, col text, pattern text, unit text, step interval, ahead int, kept interval)
    LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
AS $$
    VALUES ('dispatch', 'at', 'YYYYMMDD', 'day', interval '1 day', 3, dispatches),
           ('history', 'finished_at', 'YYYYMM', 'month', interval '1 month', 2, ended),
           ('log', 'at', 'YYYYMM', 'month', interval '1 month', 2, least(ended, interval '1 month')),
           ('task', 'id', 'YYYYMM', 'month', interval '1 month', 2, ended)
$$;

-- Makes one partition that is missing, or drops one that is over, or takes a batch of what is over out of a default
-- partition. A period of which rows lie in the default partition already gets none: those rows go by their age.
-- Returns what it did; null when there is nothing to do, or somebody else is at it.
CREATE FUNCTION scheduler.upkeep_at(moment timestamptz, dispatches interval, ended interval) RETURNS text
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET lock_timeout = '100ms' SET timezone = 'UTC'
AS $$
DECLARE
    part   record;
    found  boolean;
    gone   bigint;
BEGIN
    IF NOT pg_try_advisory_xact_lock(hashtext('vigil scheduler.upkeep')) THEN
        RETURN NULL;
    END IF;

    FOR part IN
        SELECT k.parent, k.col, format('%s_%s', k.parent, to_char(d, k.pattern)) AS name,
               CASE k.col WHEN 'id' THEN quote_literal(scheduler.uuid_floor(d)) ELSE quote_literal(d) END AS low,
               CASE k.col WHEN 'id' THEN quote_literal(scheduler.uuid_floor(d + k.step))
                          ELSE quote_literal(d + k.step) END AS high
          FROM scheduler.partition_kinds(dispatches, ended) k
         CROSS JOIN LATERAL generate_series(date_trunc(k.unit, moment),
                                            date_trunc(k.unit, moment) + k.ahead * k.step, k.step) d
    LOOP
        CONTINUE WHEN to_regclass('scheduler.' || part.name) IS NOT NULL;
        EXECUTE format('SELECT EXISTS (SELECT FROM scheduler.%I WHERE %I >= %s AND %I < %s)',
                       part.parent || '_default', part.col, part.low, part.col, part.high) INTO found;
        CONTINUE WHEN found;
        EXECUTE format('CREATE TABLE scheduler.%I (LIKE scheduler.%I INCLUDING ALL)', part.name, part.parent);
        EXECUTE format('ALTER TABLE scheduler.%I ATTACH PARTITION scheduler.%I FOR VALUES FROM (%s) TO (%s)',
                       part.parent, part.name, part.low, part.high);
        RETURN 'made ' || part.name;
    END LOOP;

    FOR part IN
        SELECT k.parent, c.relname AS name
          FROM scheduler.partition_kinds(dispatches, ended) k
          JOIN pg_inherits i ON i.inhparent = to_regclass('scheduler.' || k.parent)
          JOIN pg_class c ON c.oid = i.inhrelid AND c.relname ~ ('^' || k.parent || '_\d+$')
         WHERE to_timestamp(substr(c.relname, length(k.parent) + 2), k.pattern) + k.step <= moment - k.kept
         ORDER BY c.relname
    LOOP
        IF part.parent = 'task' THEN
            -- Tasks outlive their month: what is finished is taken out row by row, and then the partition goes.
            EXECUTE format('SELECT EXISTS (SELECT FROM scheduler.%I)', part.name) INTO found;
            CONTINUE WHEN found;
        END IF;
        IF part.parent = 'dispatch' THEN
            EXECUTE format('INSERT INTO scheduler.dispatch (shard, epoch, n, low, worker, boot, at, executions, attempts)
                            SELECT d.shard, d.epoch, d.n, d.low, d.worker, d.boot, $1, d.executions, d.attempts
                              FROM scheduler.needed_dispatch d
                              JOIN scheduler.%I p USING (shard, epoch, n, at)
                             WHERE NOT EXISTS (SELECT FROM scheduler.dispatch o
                                                WHERE o.shard = d.shard AND o.epoch = d.epoch AND o.n = d.n
                                                  AND o.at > d.at)', part.name) USING moment;
        END IF;
        EXECUTE format('DROP TABLE scheduler.%I', part.name);
        RETURN 'dropped ' || part.name;
    END LOOP;

    DELETE FROM scheduler.dispatch_default o
     WHERE o.ctid = ANY (ARRAY (SELECT d.ctid FROM scheduler.dispatch_default d
                                 WHERE d.at < moment - dispatches
                                   AND NOT EXISTS (SELECT FROM scheduler.needed_dispatch m
                                                    WHERE m.shard = d.shard AND m.epoch = d.epoch AND m.n = d.n)
                                 LIMIT 10000));
    GET DIAGNOSTICS gone = ROW_COUNT;
    IF gone > 0 THEN
        RETURN 'removed from dispatch_default: ' || gone;
    END IF;
    DELETE FROM scheduler.history_default o
     WHERE o.ctid = ANY (ARRAY (SELECT d.ctid FROM scheduler.history_default d
                                 WHERE d.finished_at < moment - ended LIMIT 10000));
    GET DIAGNOSTICS gone = ROW_COUNT;
    IF gone > 0 THEN
        RETURN 'removed from history_default: ' || gone;
    END IF;
    DELETE FROM scheduler.log_default o
     WHERE o.ctid = ANY (ARRAY (SELECT d.ctid FROM scheduler.log_default d
                                 WHERE d.at < moment - least(ended, interval '1 month') LIMIT 10000));
    GET DIAGNOSTICS gone = ROW_COUNT;
    IF gone > 0 THEN
        RETURN 'removed from log_default: ' || gone;
    END IF;
    DELETE FROM scheduler.progress p WHERE p.at < moment - least(ended, interval '1 month');
    RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION scheduler.upkeep_at(timestamptz, interval, interval) FROM PUBLIC;

-- The same by the database's clock, for cores; nothing younger than a day is ever over.
CREATE FUNCTION scheduler.upkeep(dispatches interval, ended interval) RETURNS text
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    SELECT scheduler.upkeep_at(now(), greatest(dispatches, interval '1 day'), greatest(ended, interval '1 day'))
$$;
REVOKE ALL ON FUNCTION scheduler.upkeep(interval, interval) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION scheduler.upkeep(interval, interval) TO vigil_core;
GRANT SELECT ON scheduler.needed_dispatch TO vigil_core;
