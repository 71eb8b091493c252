"""Durable bodies, deliveries and the event outbox: one SQLite file a shard, one writer thread, grouped commits.

Never sees a plaintext body or anything personal, never decides, never opens a socket.
Raises Unavailable (the disk did not take it: nothing happened), ConfigError (a newer spool, a shard held elsewhere).
Doors: shard.Shard (open, submit, reading, close), units (what the writer carries out), budget.Budget (bodies in
memory), faults.Faults (tests only), backend (the contract another store must keep; tests/unit/spool/contract.py).
"""
