"""Signature packets (RFC 9580 5.2): what a signature says of itself. Whether it is genuine is the library's to say."""

import msgspec

from carepost.crypto.openpgp.errors import Malformed

BINARY, TEXT = 0x00, 0x01
CERTIFICATIONS = frozenset({0x10, 0x11, 0x12, 0x13})
SUBKEY_BINDING, DIRECT_KEY, KEY_REVOCATION, SUBKEY_REVOCATION, CERTIFICATION_REVOCATION = 0x18, 0x1F, 0x20, 0x28, 0x30

#: key flags (RFC 9580 5.2.3.29)
CERTIFY, SIGN, ENCRYPT_TRANSPORT, ENCRYPT_STORAGE = 0x01, 0x02, 0x04, 0x08
#: features (RFC 9580 5.2.3.32)
SEIPD_1, SEIPD_2 = 0x01, 0x08

#: RFC 9580 9.5 -> the name RFC 3156 5 gives it in `micalg`
HASHES = {8: "pgp-sha256", 9: "pgp-sha384", 10: "pgp-sha512", 12: "pgp-sha3-256", 14: "pgp-sha3-512"}
#: MD5, SHA-1, RIPEMD-160 and SHA-224
WEAK_HASHES = frozenset({1, 2, 3, 11})

#: subpackets we or the library take into account; a critical one beyond makes the signature void (RFC 9580 5.2.3.7)
_UNDERSTOOD = frozenset({*range(2, 8), 9, 10, 11, 12, 16, *range(20, 36), 37, 39})
#: twice one of these has two readings
_ONCE = frozenset({2, 3, 9, 27, 29, 30})


class Signature(msgspec.Struct, frozen=True):
    """Times in UTC microseconds; `issuer` a fingerprint, `issuer_id` a key id, lower-case hex, "" where not said."""

    version: int
    type: int
    key_algorithm: int
    hash_algorithm: int
    created: int | None = None
    expires: int | None = None
    #: seconds the key lives from its making; None: for ever
    key_life: int | None = None
    flags: int | None = None
    features: int = 0
    issuer: str = ""
    issuer_id: str = ""
    #: RFC 9580 5.2.3.31; None where it is no revocation or says none
    reason: int | None = None
    exportable: bool = True
    #: fingerprints of those the signed message was meant for (RFC 9580 5.2.3.36); empty: not said
    intended: tuple[str, ...] = ()
    #: has what we do not understand and must, or says one thing twice
    void: bool = False


#: what subpackets say, by field of Signature
_Said = dict[str, int | str | bool | tuple[str, ...] | None]


def _bad() -> Malformed:
    return Malformed("signature", "A signature in the OpenPGP data is not well formed.")


def read(body: bytes) -> Signature:
    """Raises Malformed. A signature of version 3 or older is given back with its version alone: nothing accepts it."""
    if not body:
        raise _bad()
    version = body[0]
    if version in (2, 3):
        return Signature(version, -1, 0, 0, void=True)
    if version not in (4, 6) or len(body) < 10:
        raise _bad()
    width = 2 if version == 4 else 4
    hashed, at = _area(body, 4, width)
    unhashed, at = _area(body, at, width)
    if at + 2 > len(body):
        raise _bad()
    said: _Said = {}
    _subpackets(hashed, said, trusted=True)
    _subpackets(unhashed, said, trusted=False)
    created, life = said.pop("created", None), said.pop("life", None)
    expires = None
    if isinstance(created, int) and isinstance(life, int) and life:
        expires = created + life * 1_000_000
    return msgspec.convert(
        {
            "version": version,
            "type": body[1],
            "key_algorithm": body[2],
            "hash_algorithm": body[3],
            "created": created,
            "expires": expires,
            **said,
        },
        Signature,
    )


def _area(body: bytes, at: int, width: int) -> tuple[bytes, int]:
    start = at + width
    end = start + int.from_bytes(body[at:start], "big")
    if start > len(body) or end > len(body):
        raise _bad()
    return body[start:end], end


def _subpackets(area: bytes, said: _Said, *, trusted: bool) -> None:
    """Adds to `said`. Only the issuer is believed outside the hashed area, and only as a hint whom to ask."""
    seen: set[int] = set()
    at = 0
    while at < len(area):
        first = area[at]
        if first < 192:
            start, size = at + 1, first
        elif first < 255:
            start = at + 2
            size = ((first - 192) << 8) + (area[at + 1] if at + 1 < len(area) else 0) + 192
        else:
            start, size = at + 5, int.from_bytes(area[at + 1 : at + 5], "big")
        if size < 1 or start + size > len(area):
            raise _bad()
        kind, critical, value = area[start] & 0x7F, area[start] & 0x80, area[start + 1 : start + size]
        at = start + size
        if kind == 16 and len(value) == 8:
            said.setdefault("issuer_id", value.hex())
        elif kind == 33 and len(value) in (21, 33):
            said.setdefault("issuer", value[1:].hex())
        elif trusted:
            if (kind in _ONCE and kind in seen) or (critical and kind not in _UNDERSTOOD):
                said["void"] = True
            seen.add(kind)
            _hashed(kind, value, said)


def _hashed(kind: int, value: bytes, said: _Said) -> None:
    number = int.from_bytes(value[:4], "big")
    if kind in (2, 3, 9):
        if len(value) != 4:
            raise _bad()
        if kind == 2:
            said["created"] = number * 1_000_000
        elif kind == 3:
            said["life"] = number
        else:
            # 0 is "never" (RFC 9580 5.2.3.13)
            said["key_life"] = number or None
    elif kind == 4 and value:
        said["exportable"] = value[0] != 0
    elif kind == 27:
        said["flags"] = value[0] if value else 0
    elif kind == 29 and value:
        said["reason"] = value[0]
    elif kind == 30:
        said["features"] = value[0] if value else 0
    elif kind == 35 and len(value) in (21, 33):
        known = said.get("intended", ())
        said["intended"] = (*(known if isinstance(known, tuple) else ()), value[1:].hex())
