-- Number of leaves before the first checkpoint a key signs: it was introduced by the leaf before.
ALTER TABLE audit_key ADD COLUMN since BIGINT NOT NULL DEFAULT 0;
