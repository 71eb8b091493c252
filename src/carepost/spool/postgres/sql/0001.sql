-- The spool of all shards. Personal columns (record, chunk, wrapped_key, answer, sealed) are ciphertext; tokens are HMACs.
-- Every table but two is keyed by shard first: one group touches one shard, so that a spool spread over several servers
-- (distributed by shard) commits on one of them. `keyed` is by token (one key, one message, on whichever node), `node`
-- is a list of a few rows.

CREATE TABLE node (
    number smallint PRIMARY KEY CHECK (number BETWEEN 0 AND 63),
    -- of the home that has this number, for good
    id text NOT NULL UNIQUE,
    address text NOT NULL,
    version text NOT NULL,
    protocol integer NOT NULL,
    joined_at timestamptz NOT NULL DEFAULT now(),
    heard_at timestamptz NOT NULL DEFAULT now(),
    left_at timestamptz
);

CREATE TABLE installation (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    -- tells keyrings apart and nothing else of them
    keyring text NOT NULL,
    -- seconds a shard stays with a holder that is not heard of
    lease_s real NOT NULL DEFAULT 15 CHECK (lease_s BETWEEN 1 AND 600)
);

CREATE TABLE shard (
    number smallint PRIMARY KEY,
    made_at bigint NOT NULL,
    -- highest outbox number ever given, and highest acknowledged by the journal
    head bigint NOT NULL DEFAULT 0,
    acked bigint NOT NULL DEFAULT 0,
    -- who may write: raised by one whenever the shard changes hands
    fence bigint NOT NULL DEFAULT 0,
    holder text NOT NULL DEFAULT '',
    -- where the holder's doors are, for other nodes
    address text NOT NULL DEFAULT '',
    lease_until timestamptz NOT NULL DEFAULT '-infinity',
    -- the node that made it wants it back
    wanted_by text NOT NULL DEFAULT ''
) WITH (fillfactor = 20);

CREATE TABLE message (
    shard smallint NOT NULL,
    id bytea NOT NULL,
    org bytea NOT NULL,
    stream text NOT NULL,
    at bigint NOT NULL,
    size bigint NOT NULL,
    deliveries bytea NOT NULL,
    wrapped_key bytea NOT NULL,
    record bytea NOT NULL,
    repeat bytea,
    -- a body of one chunk; NULL: its chunks stand in table body
    chunk bytea,
    PRIMARY KEY (shard, id)
);
-- ciphertext does not compress
ALTER TABLE message ALTER chunk SET STORAGE EXTERNAL, ALTER record SET STORAGE EXTERNAL;

CREATE TABLE body (
    shard smallint NOT NULL,
    message bytea NOT NULL,
    n integer NOT NULL,
    chunk bytea NOT NULL,
    PRIMARY KEY (shard, message, n)
);
ALTER TABLE body ALTER chunk SET STORAGE EXTERNAL;

CREATE TABLE delivery (
    shard smallint NOT NULL,
    id bytea NOT NULL,
    message bytea NOT NULL,
    org bytea NOT NULL,
    stream text NOT NULL,
    destination bytea NOT NULL,
    state text NOT NULL,
    -- 0 nowhere (final, held) · 1 ready · 2 waiting until due_at · 3 claimed
    place smallint NOT NULL,
    due_at bigint NOT NULL,
    lease bytea,
    lease_until bigint NOT NULL,
    attempt integer NOT NULL,
    rev bigint NOT NULL,
    alone smallint NOT NULL,
    record bytea NOT NULL,
    PRIMARY KEY (shard, id)
);
ALTER TABLE delivery ALTER record SET STORAGE EXTERNAL;
CREATE INDEX delivery_ready ON delivery (shard, stream, org, destination, due_at) WHERE place = 1;
CREATE INDEX delivery_waiting ON delivery (shard, stream, org, due_at) WHERE place = 2;
CREATE INDEX delivery_claimed ON delivery (shard, lease_until) WHERE place = 3;
CREATE INDEX delivery_open ON delivery (shard, org, state, id) WHERE state IN ('queued', 'deferred', 'held');
CREATE INDEX delivery_held ON delivery (shard, org, due_at, id, lease_until) WHERE state = 'held';

CREATE TABLE pending (
    shard smallint NOT NULL,
    message bytea NOT NULL,
    open integer NOT NULL,
    PRIMARY KEY (shard, message)
);

CREATE TABLE outbox (
    shard smallint NOT NULL,
    seq bigint NOT NULL,
    org bytea NOT NULL,
    at bigint NOT NULL,
    event bytea NOT NULL,
    sealed bytea NOT NULL,
    PRIMARY KEY (shard, seq)
);
ALTER TABLE outbox ALTER sealed SET STORAGE EXTERNAL;

CREATE TABLE done (
    shard smallint NOT NULL,
    n bigint GENERATED ALWAYS AS IDENTITY,
    seq bigint NOT NULL,
    message bytea NOT NULL,
    alone boolean NOT NULL,
    PRIMARY KEY (shard, n)
);

CREATE TABLE keyed (
    token bytea PRIMARY KEY,
    payload bytea NOT NULL,
    message bytea NOT NULL,
    answer bytea NOT NULL,
    until bigint NOT NULL
);
CREATE INDEX keyed_until ON keyed (until);
