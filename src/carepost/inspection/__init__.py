"""inspection: what a message contains, looked at in worker processes with limits and neither keys nor network.

It never runs a parser of documents in the engine's own process, and never answers "nothing found" for what it could not
read: too slow, too large or unreadable is unknown.
"""
