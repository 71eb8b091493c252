"""tracking: was an opened picture or a followed link a person or a machine? Features in, verdicts with reasons out.

Pure: never a socket, a database, a clock; never keeps an address, a user agent or a time of day; never acts on a hit.
Doors: `derive.derive(request, *, salt, networks) -> Seen` (the caller then drops address and headers);
`types.encode(seen) -> bytes` and `types.decode(bytes) -> Seen` (of all versions);
`judge.judge(trail) -> tuple[Verdict, ...]`, one a hit in the order of `trail.hits`, recomputable at any time;
`judge.changes(before, after) -> tuple[Change, ...]` for the record; `count.count(verdicts, switch, kind) -> Counts`,
`count.happened(verdicts, switch, kind) -> bool`; `reasons.words(code) -> str`;
`networks.shipped() -> Networks` (the table that ships, read once a process), `networks.parse(text)` for one's own."""
