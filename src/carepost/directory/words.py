"""What an organisation tells detection: its words, patterns and exceptions, sealed by the office in one column of the
view `engine_own_words` (part of the contract, `sql.VERSION`) and opened when the organisation is read."""

from typing import Final

import msgspec

from carepost.ground.errors import Unavailable
from carepost.phi.types import Custom, Known

#: where the sealed column stands (`columns.seal`)
PLACE: Final = "detection_vocabulary.sealed"


class Person(msgspec.Struct, frozen=True):
    """A sender or recipient whose mail is not read. `who`: an address, or a domain; in lower case."""

    id: str
    who: str

    def is_(self, address: str) -> bool:
        return self.who in (address, address.rpartition("@")[2])


class Value(msgspec.Struct, frozen=True):
    """A value that was found harmless, known by its token alone (`phi.harmless`)."""

    id: str
    kind: str
    masked: str
    token: bytes


class Told(msgspec.Struct, frozen=True):
    """All of it, as it stands sealed. `key`: 32 random octets of this organisation, for tokens alone."""

    key: bytes
    #: without `known`: `values` say it
    custom: Custom = Custom()
    senders: tuple[Person, ...] = ()
    recipients: tuple[Person, ...] = ()
    values: tuple[Value, ...] = ()
    v: int = 1


class OwnWords(msgspec.Struct, frozen=True):
    """As the engine uses it. `custom` None: nothing a worker would have to know."""

    custom: Custom | None = None
    senders: tuple[Person, ...] = ()
    recipients: tuple[Person, ...] = ()

    def excepted(self, sender: str, recipient: str) -> str:
        """The name of the exception by which what this copy says is not read; "" for none."""
        if not (self.senders or self.recipients):
            return ""
        of, to = sender.lower(), recipient.lower()
        found = next((p.id for p in self.senders if p.is_(of)), "")
        return found or next((p.id for p in self.recipients if p.is_(to)), "")


_decoder = msgspec.msgpack.Decoder(Told)
_encoder = msgspec.msgpack.Encoder()


def write(told: Told) -> bytes:
    return _encoder.encode(told)


def opened(plain: bytes) -> Told:
    """Raises Unavailable for what a later version wrote."""
    try:
        told = _decoder.decode(plain)
    except msgspec.DecodeError:
        told = None
    if told is None or told.v != 1:
        raise Unavailable("directory-words", "The organisation's words were written by a later version of Carepost.")
    return told


def read(plain: bytes) -> OwnWords:
    """Raises Unavailable."""
    told = opened(plain)
    return OwnWords(custom(told), told.senders, told.recipients)


def custom(told: Told) -> Custom | None:
    """What a worker is given; None: nothing."""
    known = Known(told.key, tuple(value.token for value in told.values)) if told.values else None
    made = msgspec.structs.replace(told.custom, known=known)
    return made if made != Custom() else None
