-- The organisations' logs in records.db (SQLCipher). One writer: the journal.

-- A leaf: the event's bytes as its source made them, and what is personal, sealed beside it.
-- `event` is NULL after retention: the hash stays.
CREATE TABLE audit_leaf (
    org BLOB NOT NULL,
    idx INTEGER NOT NULL,
    hash BLOB NOT NULL,
    source TEXT NOT NULL,
    seq INTEGER NOT NULL,
    event BLOB,
    sealed BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX audit_leaf_idx ON audit_leaf (org, idx);
CREATE UNIQUE INDEX audit_leaf_seq ON audit_leaf (org, source, seq);

-- Perfect subtrees above the leaves: (level, idx) covers leaves idx << level up to (idx + 1) << level.
CREATE TABLE audit_node (
    org BLOB NOT NULL,
    level INTEGER NOT NULL,
    idx INTEGER NOT NULL,
    hash BLOB NOT NULL,
    PRIMARY KEY (org, level, idx)
) STRICT, WITHOUT ROWID;

-- Which leaves tell of a message, a delivery or another thing.
CREATE TABLE audit_on (
    org BLOB NOT NULL,
    subject BLOB NOT NULL,
    idx INTEGER NOT NULL,
    PRIMARY KEY (org, subject, idx)
) STRICT, WITHOUT ROWID;

CREATE TABLE audit_checkpoint (
    org BLOB NOT NULL,
    size INTEGER NOT NULL,
    root BLOB NOT NULL,
    note TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (org, size)
) STRICT, WITHOUT ROWID;

-- Verifier keys that have signed this log (C2SP text).
CREATE TABLE audit_key (
    org BLOB NOT NULL,
    vkey TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (org, vkey)
) STRICT, WITHOUT ROWID;

CREATE TABLE audit_log (
    org BLOB NOT NULL PRIMARY KEY,
    size INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The last number taken from each source: shared by all organisations.
CREATE TABLE audit_source (
    source TEXT NOT NULL PRIMARY KEY,
    seq INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
