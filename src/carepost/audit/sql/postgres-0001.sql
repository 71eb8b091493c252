-- The organisations' logs in PostgreSQL. One writer at a time: the journal that holds the advisory lock.

-- A leaf: the event's bytes as its source made them, and what is personal, sealed beside it.
-- `event` is NULL after retention: the hash stays.
CREATE TABLE audit_leaf (
    org BYTEA NOT NULL,
    idx BIGINT NOT NULL,
    hash BYTEA NOT NULL,
    source TEXT NOT NULL,
    seq BIGINT NOT NULL,
    event BYTEA,
    sealed BYTEA NOT NULL
);
CREATE UNIQUE INDEX audit_leaf_idx ON audit_leaf (org, idx);
CREATE UNIQUE INDEX audit_leaf_seq ON audit_leaf (org, source, seq);

-- Perfect subtrees above the leaves: (level, idx) covers leaves idx << level up to (idx + 1) << level.
CREATE TABLE audit_node (
    org BYTEA NOT NULL,
    level SMALLINT NOT NULL,
    idx BIGINT NOT NULL,
    hash BYTEA NOT NULL,
    PRIMARY KEY (org, level, idx)
);

-- Which leaves tell of a message, a delivery or another thing.
CREATE TABLE audit_on (
    org BYTEA NOT NULL,
    subject BYTEA NOT NULL,
    idx BIGINT NOT NULL,
    PRIMARY KEY (org, subject, idx)
);

CREATE TABLE audit_checkpoint (
    org BYTEA NOT NULL,
    size BIGINT NOT NULL,
    root BYTEA NOT NULL,
    note TEXT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (org, size)
);

-- Verifier keys that have signed this log (C2SP text).
CREATE TABLE audit_key (
    org BYTEA NOT NULL,
    vkey TEXT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (org, vkey)
);

CREATE TABLE audit_log (
    org BYTEA NOT NULL PRIMARY KEY,
    size BIGINT NOT NULL
);

-- The last number taken from each source: shared by all organisations.
CREATE TABLE audit_source (
    source TEXT NOT NULL PRIMARY KEY,
    seq BIGINT NOT NULL
);

-- Rows of one organisation are seen under `carepost.org` (UUID text), set per transaction; '*' is the journal's.
CREATE FUNCTION audit_mine(org BYTEA) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT current_setting('carepost.org', true) = '*'
        OR encode(org, 'hex') = replace(current_setting('carepost.org', true), '-', '')
$$;
ALTER TABLE audit_leaf ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit_leaf FORCE ROW LEVEL SECURITY;
CREATE POLICY audit_leaf_org ON audit_leaf USING (audit_mine(org)) WITH CHECK (audit_mine(org));
ALTER TABLE audit_node ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit_node FORCE ROW LEVEL SECURITY;
CREATE POLICY audit_node_org ON audit_node USING (audit_mine(org)) WITH CHECK (audit_mine(org));
ALTER TABLE audit_on ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit_on FORCE ROW LEVEL SECURITY;
CREATE POLICY audit_on_org ON audit_on USING (audit_mine(org)) WITH CHECK (audit_mine(org));
ALTER TABLE audit_checkpoint ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit_checkpoint FORCE ROW LEVEL SECURITY;
CREATE POLICY audit_checkpoint_org ON audit_checkpoint USING (audit_mine(org)) WITH CHECK (audit_mine(org));
ALTER TABLE audit_key ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit_key FORCE ROW LEVEL SECURITY;
CREATE POLICY audit_key_org ON audit_key USING (audit_mine(org)) WITH CHECK (audit_mine(org));
