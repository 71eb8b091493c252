-- What a person looks at: held deliveries of an organisation, newest first, and when their time is over. Of a held row
-- `due_at` says since when, and `lease_until` until when it waits (0: without end). No other row is in this index.

CREATE INDEX delivery_held ON delivery (org, due_at, id, lease_until) WHERE state = 'held';
