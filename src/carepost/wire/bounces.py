"""What the engine tells the journal of a bounce or complaint that came by mail (opening `bounce`)."""

from typing import Final

import msgspec

#: recipients told of one mail
MOST: Final = 20
#: a report of these says that it failed, or how it went on for now (RFC 3464 2.3.3)
FAILED: Final = "failed"
DELAYED, DELIVERED, RELAYED, EXPANDED = "delayed", "delivered", "relayed", "expanded"
WENT_ON: Final = frozenset({DELAYED, DELIVERED, RELAYED, EXPANDED})


class Of(msgspec.Struct, frozen=True):
    """One recipient of a report. Words of `rfc.bounces`; `action` of RFC 3464 2.3.3."""

    recipient: str
    action: str
    reason: str
    klass: str
    enhanced: str = ""
    #: of a delay: until when the other system says that it tries, UTC microseconds; 0: it does not say
    until: int = 0


class Came(msgspec.Struct, frozen=True):
    """`delivery`: proved by a signed token; empty: the report names a Message-ID and recipients, and history must know
    the pair. `form`: dsn | text | arf. `complaint`: its RFC 5965 type, "" for a bounce."""

    form: str
    delivery: bytes = b""
    message_id: str = ""
    recipients: tuple[Of, ...] = ()
    complaint: str = ""
    v: int = 1


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Came)


def encode(came: Came) -> bytes:
    return _encoder.encode(msgspec.structs.replace(came, recipients=came.recipients[:MOST]))


def decode(encoded: bytes) -> Came:
    """Raises msgspec.DecodeError."""
    return _decoder.decode(encoded)
