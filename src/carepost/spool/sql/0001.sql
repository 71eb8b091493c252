-- The spool of one shard. Personal columns (record, chunk, wrapped_key, answer, sealed) are ciphertext; tokens are HMACs.
-- Applied once, under the shard's lock, inside one transaction that also sets user_version.

CREATE TABLE shard (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    number INTEGER NOT NULL,
    made_at INTEGER NOT NULL,
    -- highest outbox number ever given (the outbox may be empty), and highest acknowledged by the journal
    head INTEGER NOT NULL,
    acked INTEGER NOT NULL
) STRICT;

CREATE TABLE message (
    id BLOB NOT NULL PRIMARY KEY,
    org BLOB NOT NULL,
    stream TEXT NOT NULL,
    at INTEGER NOT NULL,
    size INTEGER NOT NULL,
    -- ids of its deliveries, 16 bytes each, one after the other: no index from message to delivery is needed
    deliveries BLOB NOT NULL,
    wrapped_key BLOB NOT NULL,
    record BLOB NOT NULL,
    -- HMAC token by which a resubmission is known (BI-023), or NULL
    repeat BLOB,
    -- a body of one chunk stands in table body; a larger one in a segment file
    body INTEGER,
    segment INTEGER,
    start INTEGER,
    length INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX message_segment ON message (segment) WHERE segment IS NOT NULL;

CREATE TABLE body (
    n INTEGER PRIMARY KEY,
    chunk BLOB NOT NULL
) STRICT;

CREATE TABLE delivery (
    id BLOB NOT NULL PRIMARY KEY,
    message BLOB NOT NULL,
    org BLOB NOT NULL,
    stream TEXT NOT NULL,
    destination BLOB NOT NULL,
    state TEXT NOT NULL,
    -- 0 nowhere (final, held) · 1 ready · 2 waiting until due_at · 3 claimed
    place INTEGER NOT NULL,
    due_at INTEGER NOT NULL,
    lease BLOB,
    lease_until INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    -- one more at every change: what was read and changed meanwhile is not written over
    rev INTEGER NOT NULL,
    alone INTEGER NOT NULL,
    record BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX delivery_ready ON delivery (stream, org, destination, due_at) WHERE place = 1;
CREATE INDEX delivery_waiting ON delivery (stream, org, due_at) WHERE place = 2;
CREATE INDEX delivery_claimed ON delivery (lease_until) WHERE place = 3;
CREATE INDEX delivery_open ON delivery (org, state, id) WHERE state IN ('queued', 'deferred', 'held');

-- how many deliveries of a message with several are not final yet
CREATE TABLE pending (
    message BLOB NOT NULL PRIMARY KEY,
    open INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE outbox (
    seq INTEGER PRIMARY KEY,
    org BLOB NOT NULL,
    at INTEGER NOT NULL,
    event BLOB NOT NULL,
    sealed BLOB NOT NULL
) STRICT;

-- deliveries that became final, in order: dropped when the journal has acknowledged seq
CREATE TABLE done (
    n INTEGER PRIMARY KEY,
    seq INTEGER NOT NULL,
    message BLOB NOT NULL,
    alone INTEGER NOT NULL
) STRICT;

-- idempotency keys (BI-083): token of organisation and key, hash of the payload, the sealed answer
CREATE TABLE keyed (
    token BLOB NOT NULL PRIMARY KEY,
    payload BLOB NOT NULL,
    message BLOB NOT NULL,
    answer BLOB NOT NULL,
    until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX keyed_until ON keyed (until);
