-- What engines have seen of destinations, sealed: what one saw must hold for the engines of every node (DESIGN 3).

CREATE TABLE seen (
  shard smallint NOT NULL,
  token bytea NOT NULL,
  sealed bytea NOT NULL,
  -- as in the file it comes from: grows with each row of a shard
  changed bigint NOT NULL,
  PRIMARY KEY (shard, token)
);
CREATE INDEX seen_changed ON seen (shard, changed);
