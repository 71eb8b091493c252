"""How one recipient's copy is made ready: each method turns the message into what leaves, and into nothing else.

Never connects, never decides, never reads a clock of its own.
Doors: `tls.Preparer` (bytes for the wire, DKIM last), `tls.seal` (the Sealed of one recipient),
`smime.Sealer` and `smime.seal` (the same, encrypted to the recipient's certificate),
`portal.note` (what the journal needs to lay the message into the portal), `sevenbit.convert`."""
