"""What anyone may fetch: the keys that verify this installation's logs, and a page that says what this host is.

Never shows anything of a message or a person, never sets a cookie, never names an organisation it was not asked about.
Doors: `urls` (`/`, `/.well-known/carepost-log`, `/unsubscribe/…`: signed links, GET never acts; `/c/…` and `/o/…`:
tracked links and pictures, sealed, answered at any host name; `/.well-known/mta-sts.txt` at `mta-sts.…`), beside the
portal under the `outside` process.
"""
