-- Whose time is over among what is held: asked every half minute, and must not look at everything that is held.

CREATE INDEX delivery_overdue ON delivery (lease_until) WHERE state = 'held' AND lease_until > 0;
