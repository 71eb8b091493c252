"""The recipients' face: open, read, print, download, answer and delete a secure message, without an account.

A GET shows and never acts: codes are sent, proofs taken and messages deleted by POST alone (law 11). PHI is shown only
in a session that a POST opened, and every showing is an event (`mailbox.access`).
Never puts PHI into a URL, a title or a header; never loads anything from elsewhere; works without script.
Doors: `urls` (namespace `portal`, under the `outside` process).
"""
