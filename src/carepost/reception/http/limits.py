"""The limits of the HTTP listener, each against one attack. Times in seconds, sizes in bytes."""

import msgspec


class HttpLimits(msgspec.Struct, frozen=True):
    #: a request's body: one message in base64 and JSON, or a batch
    max_body: int = 73_400_320
    #: of one message as it is made: what it names (uploads, templates) weighs more than the request that names it
    max_message: int = 52_428_800
    #: of a batch, made and not yet handed over: then they go to the door, and the rest is made after
    batch_bytes: int = 33_554_432
    #: request line and fields; and how many fields
    max_head: int = 65_536
    max_fields: int = 100
    #: from the first byte of a request (or of a connection) to the end of its fields
    head_timeout: float = 15.0
    #: `body_step` bytes of the body must come within this (BI-086)
    body_timeout: float = 30.0
    body_step: int = 65_536
    #: how long a message's body may come after its head and still go straight to the door; 0: not at all
    body_soon: float = 0.25
    keep_alive: int = 75
    max_connections: int = 2000
    #: of one message, over to, cc and bcc
    max_recipients: int = 1000
    #: requests of one key: in a minute, with as many at once as a minute allows; and at the same moment (BI-084)
    per_minute: int = 120_000
    at_once: int = 512
    #: engines of the home: a limit of a key's own is shared out among them
    engines: int = 1
    #: which of them this is, from 0: what does not divide evenly is the first ones'
    engine: int = 0
    #: wrong keys of one client address in five minutes
    wrong_keys: int = 100
    #: requests handed to the office at the same moment, and what it is given to read and to answer
    relays: int = 128
    relay_connect: float = 2.0
    relay_answer: float = 60.0
    #: how far ahead `send_at` may lie at all; an organisation's own limit is the door's (`intake.checks`)
    longest_delay: float = 366 * 86_400.0
