"""jobs: what an organisation asks to have done to all messages that fit a search, and exports; a page at a time.

It never runs inside a request: the journal does, as the one who asked, who must still be allowed to. What is asked and
what is exported stand sealed; an export goes after a day. Each message acted upon writes its own event.
Doors: `acts.begin`, `acts.cancel`, `acts.access_result` (keyword-only `actor`), `select.listing`, `select.one`,
`work.Work(stopping).step(now)` and `acts.ended` (the journal). Errors: NotFound, Forbidden, Refused.
"""
