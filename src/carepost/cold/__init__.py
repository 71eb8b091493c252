"""The cold store: bodies that have grown old lie as objects in an S3-compatible bucket, sealed as they were here.

Never sends anything but ciphertext, never a name that says whose it is, never a key; never believes what comes back
before its SHA-256 is right. Never runs in an engine: the journal moves, whoever shows a message fetches.
Doors: targets (chosen, choose, stop, store_of), items (begin, kept, drop, forgotten), fetching.fetch(item) -> bytes,
s3.Store (put, get, delete, there), health (look, write, read). Refused or unreachable: fetching.Away.
"""
