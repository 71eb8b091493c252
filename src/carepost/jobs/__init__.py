"""jobs: what an organisation asks to have done to all messages that fit a search, exports, and imports of long lists; a
page at a time.

It never runs inside a request: the journal does, as the one who asked, who must still be allowed to. What is asked and
what is exported stand sealed; an export goes after a day, an import after a week. Each message acted upon
writes its own event.
Doors: `acts.begin`, `importing.begin` (a file as it comes), `importing.begin_tried`, `undoing.begin`,
`acts.cancel`, `acts.access_result` (keyword-only `actor`), `select.listing`, `select.one`,
`work.Work(stopping).step(now)` and `acts.ended` (the journal). Errors: NotFound, Forbidden, Refused.
"""
