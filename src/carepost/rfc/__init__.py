"""The RFCs' nouns: address, envelope, message, MIME, SMTP reply and command, DSN. Bytes in, values out.

Never opens a socket or a file, never reads the clock, never guesses: what has two readings is refused.
One parse serves policy, log, signing and the screen, so no two parts of Carepost see different senders.
Doors: `address`, `words`, `lines`, `message`, `compose`, `mime`, `protected`, `displayed`, `reply`, `esmtp`, `dsn`,
`received`, `errors`; of who sent a mail `asking` (questions to DNS as values), `spf`, `spf_check`, `dkimtags`, `dmarc`,
`authres`, `trail`; of what others report `packed`, `dmarcreport`, `tlsreport`, `reports`.
"""
