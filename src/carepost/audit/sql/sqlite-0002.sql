-- Number of leaves before the first checkpoint a key signs: it was introduced by the leaf before.
ALTER TABLE audit_key ADD COLUMN since INTEGER NOT NULL DEFAULT 0;
