"""What an organisation's sender domains must publish, what DNS says of it, and what large mailbox providers ask for.

The pure part (`check`, `bulk`) takes settings and answers and gives lines a person can read. It never sends a question
itself, never publishes a record, and never makes a signature or a policy weaker by itself: it says what to do.
Doors: `check.check(Asked) -> Course[tuple[Line, ...]]`, `bulk.judge(...)`; `looking.look` (asks an engine, keeps what
was found), `history.history` (how it stood day by day, what changed), `rotation.*` (DKIM keys: next, switch), `acts.*`
(settings), `reading.*`; the journal's: `daily.step`.
"""
