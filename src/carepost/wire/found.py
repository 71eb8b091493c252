"""What the engine tells the journal of a recipient's key that it found (opening `key` of `keyring.key-found`)."""

from collections.abc import Collection, Iterable
from typing import Final

import msgspec

from carepost.policy.types import Method

#: octets of one key with its issuers' certificates; what is larger is not taken
MOST: Final = 64 * 1024

SMIMEA, OPENPGPKEY, WKD, SIGNED_MAIL, AUTOCRYPT = "smimea", "openpgpkey", "wkd", "signed-mail", "autocrypt"
#: uploaded in the portal by its owner, who proved that the key is theirs: known by the office alone
RECIPIENT: Final = "recipient"
#: every place the engine looks at or listens to, the most trusted first (standards 3.4)
SOURCES: Final = (SMIMEA, OPENPGPKEY, WKD, SIGNED_MAIL, AUTOCRYPT)
#: those an organisation that decided nothing uses
DEFAULT: Final = (SMIMEA, OPENPGPKEY, WKD, SIGNED_MAIL)

_PLACES: Final = {Method.SMIME: frozenset({SMIMEA}), Method.OPENPGP: frozenset({OPENPGPKEY, WKD})}

_encoder = msgspec.msgpack.Encoder()


def published(methods: Iterable[Method], sources: Collection[str]) -> tuple[Method, ...]:
    """Those whose keys are published somewhere that is looked at."""
    return tuple([method for method in methods if _PLACES.get(method, frozenset()).intersection(sources)])


class Found(msgspec.Struct, frozen=True):
    """`method`: smime | openpgp. `raw`: DER of a certificate, or an OpenPGP certificate, binary, with the names of this
    address alone. `vouched`: the source itself vouches for it (DANE-EE under DNSSEC), no issuer need. `not_after`: UTC
    microseconds, 0 for never. `capabilities`: as `directory.types.KeptKey`."""

    address: str
    method: str
    source: str
    raw: bytes
    fingerprint: str
    not_after: int = 0
    chain: tuple[bytes, ...] = ()
    capabilities: tuple[str, ...] = ()
    vouched: bool = False
    v: int = 1

    @property
    def size(self) -> int:
        return len(self.raw) + sum(len(one) for one in self.chain)


_decoder = msgspec.msgpack.Decoder(Found)


def encode(found: Found) -> bytes:
    return _encoder.encode(found)


def decode(encoded: bytes) -> Found:
    """Raises msgspec.DecodeError."""
    return _decoder.decode(encoded)
