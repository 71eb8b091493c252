"""Keys used, never kept: encryption at rest, blind index, SCRAM, slow hashes, DKIM, and the Sealed value.

Takes bytes and keys, gives bytes back. Never opens a file, socket or database, never reads a clock, never decides.
Every failure to open something is `rest.Damaged`, which says nothing of the content.
Doors: `rest` (seal, open_, seal_body, open_body), `wrap` (content keys under organisation keys), `index` (tokens),
`scram` (SMTP passwords), `slowhash` (access codes, answers), `dkim` (signatures, body hash), `sealed` (what is sent),
`dkim_verify`, `sender` (SPF, DKIM and DMARC of one message), `examine` (what its header proves, in words),
`smime` and `openpgp` (whole messages and the keys for them; each says its own doors).
"""
