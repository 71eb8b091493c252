"""From the outboxes of engines and office to what stays: each organisation's log, history and search index, in one
transaction a batch; then what follows from it (portal deposits, notices, checkpoint mails), once, tried until done.

Never acknowledges what it has not committed; never writes around the one door; never uses `async def`.
Doors: run.Journal(home, config, keys, calls).start() / .stop(): one thread a shard, one for the office's outbox, one
that commits, one for what follows, one that tells endpoints. Its lag stands in `archive.health`.
"""
