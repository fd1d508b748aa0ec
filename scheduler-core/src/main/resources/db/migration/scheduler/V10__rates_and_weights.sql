-- How many executions of a namespace or handler may start in any `per_ms`: null for as many as will. Starts are handed
-- out in blocks: `stamps` and `ns` say when and how many. What is handed out is used within `use_ms`; a stamp is rounded
-- up to `step_ms`. `weight` of a namespace is its share of turns while others wait.
ALTER TABLE scheduler.concurrency
    ADD COLUMN starts  int CHECK (starts > 0),
    ADD COLUMN per_ms  bigint CHECK (per_ms > 0),
    ADD COLUMN use_ms  bigint CHECK (use_ms > 0),
    ADD COLUMN step_ms bigint CHECK (step_ms > 0),
    ADD COLUMN stamps  timestamptz[] NOT NULL DEFAULT '{}',
    ADD COLUMN ns      int[] NOT NULL DEFAULT '{}',
    ADD COLUMN weight  int NOT NULL DEFAULT 1 CHECK (weight BETWEEN 1 AND 100),
    ADD CHECK (num_nulls(starts, per_ms, use_ms, step_ms) IN (0, 4));

-- What a limit has handed out of its present period.
CREATE FUNCTION scheduler.started(c scheduler.concurrency) RETURNS bigint
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT coalesce(sum(x.n), 0) FROM unnest(c.stamps, c.ns) AS x(stamp, n)
     WHERE x.stamp > clock_timestamp() - make_interval(secs => (c.per_ms + c.use_ms + c.step_ms) / 1000.0)
$$;

-- Hands starts of a limit out, as many as there are. Each of them is used from now on until `until`, so those that are
-- used in any `per_ms` have stamps that lie within per_ms + use_ms + step_ms, and there are never more of these than
-- `starts`. The row is locked before the clock is read. `again` is when there may be more.
CREATE FUNCTION scheduler.take_starts(
    of_namespace int, of_owner uuid, wish int, OUT came int, OUT until timestamptz, OUT again timestamptz)
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    c      scheduler.concurrency;
    step   interval;
    span   interval;
    stamp  timestamptz;
    oldest timestamptz;
    used   bigint;
BEGIN
    SELECT * INTO c FROM scheduler.concurrency l
     WHERE l.namespace = of_namespace AND l.owner = of_owner FOR UPDATE;
    IF c.starts IS NULL THEN
        came := wish;
        until := clock_timestamp() + interval '1 second';
        RETURN;
    END IF;
    step := make_interval(secs => c.step_ms / 1000.0);
    span := make_interval(secs => (c.per_ms + c.use_ms + c.step_ms) / 1000.0);
    until := clock_timestamp() + make_interval(secs => c.use_ms / 1000.0);
    stamp := date_bin(step, clock_timestamp(), timestamptz 'epoch') + step;
    SELECT coalesce(array_agg(x.s ORDER BY x.s), '{}'), coalesce(array_agg(x.n ORDER BY x.s), '{}'),
           coalesce(sum(x.n), 0), min(x.s)
      INTO c.stamps, c.ns, used, oldest
      FROM unnest(c.stamps, c.ns) AS x(s, n) WHERE x.s > stamp - span;
    came := least(wish, greatest(0, c.starts - used));
    IF came > 0 THEN
        IF c.stamps[array_upper(c.stamps, 1)] = stamp THEN
            c.ns[array_upper(c.ns, 1)] := c.ns[array_upper(c.ns, 1)] + came;
        ELSE
            c.stamps := c.stamps || stamp;
            c.ns := c.ns || came;
        END IF;
        UPDATE scheduler.concurrency l SET stamps = c.stamps, ns = c.ns
         WHERE l.namespace = of_namespace AND l.owner = of_owner;
    END IF;
    IF came < wish THEN
        again := coalesce(oldest, stamp) + span;
    END IF;
END
$$;
REVOKE ALL ON FUNCTION scheduler.started(scheduler.concurrency) FROM PUBLIC;
REVOKE ALL ON FUNCTION scheduler.take_starts(int, uuid, int) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION scheduler.started(scheduler.concurrency) TO vigil_api;
GRANT EXECUTE ON FUNCTION scheduler.take_starts(int, uuid, int) TO vigil_core;
GRANT UPDATE (starts, per_ms, use_ms, step_ms, weight) ON scheduler.concurrency TO vigil_api;
GRANT UPDATE (stamps, ns) ON scheduler.concurrency TO vigil_core;
