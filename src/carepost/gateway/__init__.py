"""gateway: connections in front of a tenant's own mail system (Microsoft 365, Google Workspace): who may hand mail
over and how that is proved, where it goes back to, and how each step of the set-up was last seen to work.

It never shows a secret again after it was made, and never lets what a provider's tenants share count alone.
Doors: `acts.add_connection`, `acts.change_connection`, `acts.set_login`, `acts.rotate_secret`, `acts.end_secret`,
`acts.remove_connection`; `probing.probe`, which really tries one; `select.connections`, `select.connection`;
`steps.steps`; `seen.note` for the journal; the engine reads the views `engine_gateway` and `engine_gateway_secret`.
Errors: Refused, NotFound, Forbidden.
"""
