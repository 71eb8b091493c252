-- How many deliveries stand where: kept as rows change, in the same commit. To count ten million takes seconds, asked
-- for every few of them.

CREATE TABLE tally (
    -- 1, 2: `delivery.place` (what is claimed is never much: a message sent at once passes by here) · 4: state
    -- deferred, wherever
    what INTEGER PRIMARY KEY,
    n INTEGER NOT NULL
) STRICT;
INSERT INTO tally (what, n) VALUES
    (1, (SELECT count(*) FROM delivery WHERE place = 1)),
    (2, (SELECT count(*) FROM delivery WHERE place = 2)),
    (4, (SELECT count(*) FROM delivery WHERE state IN ('queued', 'deferred', 'held') AND state = 'deferred'));

CREATE TRIGGER delivery_came AFTER INSERT ON delivery WHEN NEW.place IN (1, 2) BEGIN
    UPDATE tally SET n = n + 1 WHERE what = NEW.place;
END;
CREATE TRIGGER delivery_went AFTER UPDATE OF place ON delivery
WHEN NEW.place <> OLD.place AND (NEW.place IN (1, 2) OR OLD.place IN (1, 2)) BEGIN
    UPDATE tally SET n = n + 1 WHERE what = NEW.place;
    UPDATE tally SET n = n - 1 WHERE what = OLD.place;
END;
CREATE TRIGGER delivery_dropped AFTER DELETE ON delivery WHEN OLD.place IN (1, 2) BEGIN
    UPDATE tally SET n = n - 1 WHERE what = OLD.place;
END;

CREATE TRIGGER deferred_came AFTER INSERT ON delivery WHEN NEW.state = 'deferred' BEGIN
    UPDATE tally SET n = n + 1 WHERE what = 4;
END;
CREATE TRIGGER deferred_changed AFTER UPDATE OF state ON delivery
WHEN (NEW.state = 'deferred') <> (OLD.state = 'deferred') BEGIN
    UPDATE tally SET n = n + CASE NEW.state WHEN 'deferred' THEN 1 ELSE -1 END WHERE what = 4;
END;
CREATE TRIGGER deferred_dropped AFTER DELETE ON delivery WHEN OLD.state = 'deferred' BEGIN
    UPDATE tally SET n = n - 1 WHERE what = 4;
END;

-- of each organisation how much is held; 0 may stay
CREATE TABLE held (
    org BLOB NOT NULL PRIMARY KEY,
    n INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO held (org, n) SELECT org, count(*) FROM delivery WHERE state = 'held' GROUP BY org;
-- when the time of an organisation's next is over
CREATE INDEX delivery_ends ON delivery (org, lease_until) WHERE state = 'held' AND lease_until > 0;

CREATE TRIGGER held_came AFTER INSERT ON delivery WHEN NEW.state = 'held' BEGIN
    INSERT INTO held (org, n) VALUES (NEW.org, 1) ON CONFLICT (org) DO UPDATE SET n = n + 1;
END;
CREATE TRIGGER held_began AFTER UPDATE OF state ON delivery WHEN NEW.state = 'held' AND OLD.state <> 'held' BEGIN
    INSERT INTO held (org, n) VALUES (NEW.org, 1) ON CONFLICT (org) DO UPDATE SET n = n + 1;
END;
CREATE TRIGGER held_ended AFTER UPDATE OF state ON delivery WHEN NEW.state <> 'held' AND OLD.state = 'held' BEGIN
    UPDATE held SET n = n - 1 WHERE org = OLD.org;
END;
CREATE TRIGGER held_dropped AFTER DELETE ON delivery WHEN OLD.state = 'held' BEGIN
    UPDATE held SET n = n - 1 WHERE org = OLD.org;
END;
