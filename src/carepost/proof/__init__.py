"""What happened, so that a stranger can check it: event bytes, Merkle trees, signed checkpoints, the proof file.

Pure: bytes and keys in, bytes and verdicts out. Never opens a file, socket or database, never changes an event's bytes.
Doors: `event` (bytes of an event), `kinds` (which events and commitments exist), `openings` (what is personal, sealed
beside an event), `merkle` (RFC 6962), `note` (C2SP signed notes and checkpoints), `file` (proof file: build, read),
`succession` (how a log's key changes), `published` (the page of a log's keys),
`verify` (the verdict on a proof file). Format and test vectors: docs/proof-format.md.
"""
