"""templates: what an organisation's messages are made from; in versions, of which one is active.

It never sends and never runs a template itself (`rendering` does, shut in); what was saved is never changed: a change
is a new version, and going back is making an older one active. The engine reads the active one (`engine_template`).
Doors: `acts.create`, `acts.add_version`, `acts.activate`, `acts.remove` (keyword-only `actor`), `acts.draft` (one not
saved, as it would come out), `select.listing`, `select.versions`, `select.opened`, `select.rendered`. Errors: NotFound,
Forbidden, names.Wrong, rendering.once.TemplateFault, Unavailable.
"""
