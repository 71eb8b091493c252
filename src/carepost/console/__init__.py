"""The staff's face: sign-in, messages with one timeline per recipient, hold and release, proofs, health, first run.

Every view has a permission; every PHI page comes through an `access_*` gate, whose event is written before it is sent.
Searches come by POST: no address, subject or name ever stands in a URL, a title or a log.
Never decides, never writes a table itself: actions belong to the rooms below.
Doors: `urls` (namespace `console`, and the sign-in library's pages under their own names), in the `staff` process.
"""
