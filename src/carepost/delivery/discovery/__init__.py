"""Recipients' keys looked for where their owners publish them, and whether certificates were revoked.

Asks only when a key could change what happens next, once for many, within a time; never on the way to a 250. What is
found goes to the journal as an event (`keyring` decides what it is worth); nothing found here is used by itself.
Doors: `seeker.Seeker.look(snapshot, facts, address) -> bool` and `.again(...)`; `fetch.KeyFetch`;
`evidence.Collector.gather(...) -> Evidence`. Neither raises for what the outside says."""
