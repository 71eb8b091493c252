"""RSAES-OAEP with SHA-256 and MGF1 with SHA-256 (RFC 3560, RFC 8017 A.2.1): the one kind that is written."""

from itertools import product
from typing import Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from carepost.crypto.smime import der, oids

PADDING: Final = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)
#: what a capability of it is called among `oids.CAPABILITY_NAMES`
NAME: Final = "rsaes-oaep-sha256"


def _parameters(digest: bytes, masked: bytes) -> bytes:
    mask = der.sequence(der.tlv(der.OID, oids.MGF1), masked)
    return der.sequence(der.tlv(0xA0, digest), der.tlv(0xA1, mask))


#: SHA-256 with NULL, as it is mostly written, and with nothing (RFC 4055 2.1 has both read)
_SHA256: Final = (
    der.sequence(der.tlv(der.OID, oids.SHA256), der.NULL),
    der.sequence(der.tlv(der.OID, oids.SHA256)),
)
#: RSAES-OAEP-params
SAID: Final = frozenset(_parameters(*both) for both in product(_SHA256, repeat=2))
#: AlgorithmIdentifier, as it is written
ALGORITHM: Final = der.sequence(der.tlv(der.OID, oids.OAEP), _parameters(_SHA256[0], _SHA256[0]))
