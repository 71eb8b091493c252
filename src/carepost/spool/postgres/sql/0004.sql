-- How many deliveries stand where: kept by each statement that changes them, in its commit. To count ten million takes
-- seconds, asked for every few of them. Nodes of the version before write by the same triggers, whatever their role may
-- do with these tables yet.

CREATE TABLE tally (
    shard smallint NOT NULL,
    -- 1, 2: `delivery.place` (what is claimed is never much: a message sent at once passes by here) · 4: state
    -- deferred, wherever
    what smallint NOT NULL,
    n bigint NOT NULL,
    PRIMARY KEY (shard, what)
) WITH (fillfactor = 20);
-- of each organisation how much is held; 0 may stay
CREATE TABLE held (
    shard smallint NOT NULL,
    org bytea NOT NULL,
    n bigint NOT NULL,
    PRIMARY KEY (shard, org)
) WITH (fillfactor = 20);
-- when the time of an organisation's next is over
CREATE INDEX delivery_ends ON delivery (shard, org, lease_until) WHERE state = 'held' AND lease_until > 0;

CREATE FUNCTION delivery_tallied() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = carepost_spool, pg_temp AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO tally SELECT shard, place, count(*) FROM came WHERE place IN (1, 2) GROUP BY 1, 2
            ON CONFLICT (shard, what) DO UPDATE SET n = tally.n + excluded.n;
        INSERT INTO tally SELECT shard, 4, count(*) FROM came WHERE state = 'deferred' GROUP BY 1
            ON CONFLICT (shard, what) DO UPDATE SET n = tally.n + excluded.n;
        INSERT INTO held SELECT shard, org, count(*) FROM came WHERE state = 'held' GROUP BY 1, 2
            ON CONFLICT (shard, org) DO UPDATE SET n = held.n + excluded.n;
    ELSIF TG_OP = 'UPDATE' THEN
        INSERT INTO tally SELECT shard, what, sum(by) FROM (
                SELECT shard, place AS what, 1 AS by FROM came WHERE place IN (1, 2)
                UNION ALL SELECT shard, place, -1 FROM gone WHERE place IN (1, 2)
                UNION ALL SELECT shard, 4, 1 FROM came WHERE state = 'deferred'
                UNION ALL SELECT shard, 4, -1 FROM gone WHERE state = 'deferred'
            ) AS change GROUP BY 1, 2 HAVING sum(by) <> 0
            ON CONFLICT (shard, what) DO UPDATE SET n = tally.n + excluded.n;
        INSERT INTO held SELECT shard, org, sum(by) FROM (
                SELECT shard, org, 1 AS by FROM came WHERE state = 'held'
                UNION ALL SELECT shard, org, -1 FROM gone WHERE state = 'held'
            ) AS change GROUP BY 1, 2 HAVING sum(by) <> 0
            ON CONFLICT (shard, org) DO UPDATE SET n = held.n + excluded.n;
    ELSE
        INSERT INTO tally SELECT shard, what, -count(*) FROM (
                SELECT shard, place AS what FROM gone WHERE place IN (1, 2)
                UNION ALL SELECT shard, 4 FROM gone WHERE state = 'deferred'
            ) AS change GROUP BY 1, 2
            ON CONFLICT (shard, what) DO UPDATE SET n = tally.n + excluded.n;
        INSERT INTO held SELECT shard, org, -count(*) FROM gone WHERE state = 'held' GROUP BY 1, 2
            ON CONFLICT (shard, org) DO UPDATE SET n = held.n + excluded.n;
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER delivery_came AFTER INSERT ON delivery REFERENCING NEW TABLE AS came
    FOR EACH STATEMENT EXECUTE FUNCTION delivery_tallied();
CREATE TRIGGER delivery_changed AFTER UPDATE ON delivery REFERENCING NEW TABLE AS came OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION delivery_tallied();
CREATE TRIGGER delivery_dropped AFTER DELETE ON delivery REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION delivery_tallied();

-- after the triggers: whoever wrote has ended by then, and nobody writes until this is there
INSERT INTO tally SELECT shard, place, count(*) FROM delivery WHERE place IN (1, 2) GROUP BY 1, 2;
INSERT INTO tally SELECT shard, 4, count(*) FROM delivery WHERE state = 'deferred' GROUP BY 1;
INSERT INTO held SELECT shard, org, count(*) FROM delivery WHERE state = 'held' GROUP BY 1, 2;
