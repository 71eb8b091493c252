"""inspection: what a message contains, looked at in worker processes with limits and neither keys nor network.

It never runs a parser of documents in the engine's own process, never writes a message or a word of it anywhere, and
never answers "nothing found" for what it could not read: too slow, too large or unreadable is unknown. No worker runs
until one is needed. Doors: `inspector.Inspector.of(config)`, then `await inspector.content(message, recipient, custom,
needs, key=, deadline=) -> Content` (raises nothing) and `await inspector.close()`; `facts.needs(wanted) -> Needs` and
`facts.facts(content) -> policy.content.ContentFacts`; `clamd.Clamd(address).ping()`. Values: `types`.
"""
