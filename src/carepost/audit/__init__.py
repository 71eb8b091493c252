"""Where events become evidence: each organisation's Merkle log, its signed checkpoints, and an index of its events.

Appends, reads and checks; never changes or deletes a leaf, never makes an event, never opens what is personal.
Refuses a gap, a step back and a changed repetition of any source by name (`refusals`).
Doors: `store` (tables in records.db or PostgreSQL), `sequencer.sequence` (drained events in, checkpoints out),
`reader` (events, proofs, checkpoints), `verify_log` (the whole log against itself and a checkpoint kept elsewhere).
"""
