"""uploads: files handed over once and attached to messages by their id. Sealed, of one organisation, for a day.

It never sends, never shows a file again, and keeps none past its time. The engine reads them (`engine_upload`).
Doors: `acts.put(org, name, kind, data, *, actor) -> Kept`, `acts.drop` (keyword-only `actor`), `acts.ended(org, now)`
(the journal). Errors: NotFound, Forbidden, Refused.
"""
