"""A local outside world: a signed DNS, mail servers of every posture, a CA, and a viewer of their mailboxes.

Never leaves loopback, never writes a received mail to disk, never serves a home that is not a sandbox.
It knows nothing of Carepost's queue or office: it is the side mail is sent to.
Doors: `world.World.start/stop`, `process.run` (the supervisor's), `records.publish` (a DKIM record appears),
`domains.DOMAINS`, `expected.EXPECTED`, `people.SAMPLES`, `viewer` at /sandbox/.
"""
