"""drafts: what a member of staff has begun to write and not yet sent, with its files. Sealed; one person's own.

It never sends, never shows a draft to anybody but its writer, and keeps none longer than 30 days after its last change.
Doors: `acts.save`, `acts.drop_file`, `acts.discard`, `acts.sent` (keyword-only `actor`: a member of staff with the
permission to send); `select.access_draft(org, draft, actor) -> Opened`, `select.listing(org, actor)`,
`select.kept(org, draft, actor)`, `select.files(org, draft, actor)` (to build the message, shown to nobody). Errors:
NotFound, Forbidden, Refused.
"""
