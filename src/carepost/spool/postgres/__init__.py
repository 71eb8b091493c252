"""Shards in PostgreSQL, in a schema of their own: the store of an installation of several machines.

Never scans: every statement names its shard. Never writes without its fence: the last statement of each group checks
that this process still holds the shard, so that one that was paused and lost it changes nothing any more.
Raises Unavailable (nothing happened), ConfigError (a newer Carepost made the schema), Lost (another holds the shard).
Doors: schema.migrate (as owner), holding.Holdings (take, renew, let go), store.PostgresBackend (spool.backend).
"""
