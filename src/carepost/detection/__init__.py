"""detection: what an organisation tells detection (words, patterns, exceptions), and what its people call wrong.

Every change is a whole new version with its author and reason; the engine reads the newest from `engine_own_words`. It
never keeps a value that was found: kind, masked form and a hash under the organisation's own key alone, and of a text
that is tried nothing at all. Doors (Permission.POLICY, for what concerns one message READ; `actor` keyword-only):
`acts.put(org, entry, ...)`, `acts.remove(org, name, ...)`, `acts.report(org, message, shown, ...)`,
`acts.settle(org, report, *, exception, ...)`; `select.access_words(org, actor) -> Told`, `select.access_reports`,
`select.counts`; `looking.tried(org, subject, text, actor, door)`, `looking.of_message(org, raw, actor, door) -> Found`.
Errors: names.Wrong, NotFound, Forbidden, Unavailable.
"""
