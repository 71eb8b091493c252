"""Certificates (public keys, RFC 9580 10.1): read, cleaned, judged, merged.

The library verifies every self-signature but encrypts to expired and revoked certificates all the same; so what is
believed here is asked of it piece by piece, and what may be used is decided here (BI-070, BI-071)."""

import re
from collections.abc import Sequence

import msgspec
import pysequoia

from carepost.crypto.openpgp import keypackets, library, packets, signatures
from carepost.crypto.openpgp.errors import Malformed, OpenPgpError, Unusable
from carepost.crypto.openpgp.packets import Packet
from carepost.crypto.openpgp.signatures import Signature
from carepost.rfc import address as rfc_address
from carepost.rfc.errors import AddressError

#: octets and packets of one certificate (BI-070); of a file of many
MAX_BYTES, MAX_PACKETS, MAX_FILE = 512 * 1024, 2_000, 16 * 1024 * 1024
#: of one certificate: names, subkeys, its owner's signatures on one of them. More is refused, not cut: what is cut off
#: could be the genuine ones, pushed out by newer forgeries
MAX_USER_IDS, MAX_KEYS, MAX_SIGNATURES = 100, 40, 40
#: questions to the library about one certificate
MAX_TRIES = 80
#: RSA: below, broken; above, a way to spend our time
MIN_RSA, MAX_RSA = 2048, 8192
#: clocks of other people (microseconds)
SKEW = 300 * 1_000_000
_ANGLE = re.compile(r"(?:[^<>]*[^<>\s])?\s*<([^<>\s]+)>\s*")
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")


class Key(msgspec.Struct, frozen=True):
    """The primary key or a subkey. Times in UTC microseconds. `packets`: itself and the signature that binds it."""

    fingerprint: str
    key_id: str
    #: for people: `RSA 3072`, `Curve25519`
    name: str
    version: int
    #: of the modulus or field; 0 where we cannot tell
    bits: int
    created: int
    expires: int | None
    encrypts: bool
    signs: bool
    revoked: bool
    strong: bool
    primary: bool
    packets: bytes

    def live(self, at: int) -> bool:
        return not self.revoked and self.created <= at + SKEW and (self.expires is None or at < self.expires)


class Certificate(msgspec.Struct, frozen=True):
    """`raw`: binary, cleaned of what is not its owner's own. `addresses`: as `rfc.address.matching` gives them, of the
    user ids whose self-signature holds. `frame`: the primary key and user ids, which every use of a subkey needs."""

    raw: bytes
    fingerprint: str
    version: int
    created: int
    expires: int | None
    revoked: bool
    user_ids: tuple[str, ...]
    addresses: tuple[str, ...]
    keys: tuple[Key, ...]
    frame: bytes
    #: whether it says it reads SEIPD version 2 (RFC 9580 5.2.3.32)
    modern: bool

    def __repr__(self) -> str:
        # no address: this text may reach a log
        return f"Certificate({self.fingerprint})"

    @property
    def encrypts_until(self) -> int | None:
        """When the last part meant for encryption ends, as things stand; None: never. For warnings before expiry."""
        ends = [k.expires for k in self.keys if k.encrypts and not k.revoked and k.strong]
        known = [end for end in [self.expires, None if None in ends or not ends else max(e or 0 for e in ends)] if end]
        return min(known) if known else None


class _Part(msgspec.Struct):
    """A key or user id with the signatures that follow it."""

    packet: Packet
    signatures: list[tuple[Signature, bytes]]


def split(data: bytes) -> list[bytes]:
    """The certificates of a file (armored or not, at most MAX_FILE), each still to be read. Raises Malformed."""
    raw = packets.unwrap(data, packets.PUBLIC, most=MAX_FILE)
    starts = [
        p.start for p in packets.read(raw, most=MAX_FILE // 64) if p.tag in (packets.PUBLIC_KEY, packets.SECRET_KEY)
    ]
    if not starts or starts[0] != 0:
        raise Malformed("certificate", "There is no OpenPGP certificate in this.")
    return [raw[start:end] for start, end in zip(starts, [*starts[1:], len(raw)], strict=True)]


def read(data: bytes) -> Certificate:
    """One certificate, armored or not. Raises Malformed: no certificate, several, a private key, or over a limit."""
    raw = packets.unwrap(data, packets.PUBLIC, most=MAX_BYTES)
    found = packets.read(raw, most=MAX_PACKETS)
    if any(p.tag in (packets.SECRET_KEY, packets.SECRET_SUBKEY) for p in found):
        raise Malformed(
            "private-key", "This is a private key. Give the public certificate, and treat the private key as known."
        )
    if not found or found[0].tag != packets.PUBLIC_KEY or sum(p.tag == packets.PUBLIC_KEY for p in found) != 1:
        raise Malformed("certificate", "There must be exactly one OpenPGP certificate in this.")
    primary = keypackets.read(found[0].body)
    parts = _parts(raw, found, primary)
    frame = _frame(raw, parts)
    subkeys = [part for part in parts if part.packet.tag == packets.PUBLIC_SUBKEY]
    clean = frame + b"".join(_bytes(raw, part) for part in subkeys)
    known = library.parse(clean)
    trouble = library.unreadable()
    user_ids = tuple(str(u)[:500] for u in _believed(known))
    expires = library.microseconds(library.call(lambda: known.expiration, trouble)) if user_ids else None
    asker = _Asker(raw, parts, user_ids)
    keys = [_primary(primary, parts[0], asker, expires)]
    keys += [k for k in (_subkey(raw, part, asker) for part in subkeys) if k is not None]
    features = [s.features for part in parts for s, _ in part.signatures]
    addresses = tuple(dict.fromkeys(a for a in map(address_of, user_ids) if a))
    return Certificate(
        raw=clean,
        fingerprint=primary.fingerprint,
        version=primary.version,
        created=primary.created,
        expires=expires,
        revoked=bool(library.call(lambda: known.is_revoked, trouble)) or _weakly_revoked(parts[0]),
        user_ids=tuple(_CONTROL.sub(" ", u) for u in user_ids),
        addresses=addresses,
        keys=tuple(keys),
        frame=frame,
        modern=any(f & signatures.SEIPD_2 for f in features),
    )


def _believed(known: pysequoia.Cert) -> Sequence[pysequoia.UserId]:
    """None where the library's policy takes no self-signature of it: then nothing of it is believed."""
    try:
        return library.call(lambda: known.user_ids, library.unreadable())
    except Malformed:
        return ()


def _parts(raw: bytes, found: list[Packet], primary: keypackets.Key) -> list[_Part]:
    """Keys and user ids with their owner's signatures; all else (certifications by others, photographs) is left out."""
    parts: list[_Part] = []
    counts = {packets.USER_ID: 0, packets.PUBLIC_SUBKEY: 0}
    keep = False
    for packet in found:
        if packet.tag == packets.SIGNATURE:
            said = _own(packet.body, primary) if keep else None
            whole = raw[packet.start : packet.end]
            if said is not None and (said, whole) not in parts[-1].signatures:
                parts[-1].signatures.append((said, whole))
                if len(parts[-1].signatures) > MAX_SIGNATURES:
                    raise _large()
            continue
        keep = packet.tag in (packets.PUBLIC_KEY, packets.USER_ID, packets.PUBLIC_SUBKEY)
        if keep:
            parts.append(_Part(packet, []))
            if packet.tag in counts:
                counts[packet.tag] += 1
    if counts[packets.USER_ID] > MAX_USER_IDS or counts[packets.PUBLIC_SUBKEY] > MAX_KEYS:
        raise _large()
    for part in parts:
        # newest first
        part.signatures.sort(key=lambda pair: pair[0].created or 0, reverse=True)
    return parts


def _large() -> Malformed:
    return Malformed("certificate-large", "The OpenPGP certificate has too many names, keys or signatures.")


_REVOCATIONS = frozenset({0x20, 0x28, 0x30})


def _own(body: bytes, primary: keypackets.Key) -> Signature | None:
    """A signature that says it is the owner's, of a version in use; None otherwise."""
    try:
        said = signatures.read(body)
    except (Malformed, msgspec.ValidationError):
        return None
    if said.version not in (4, 6) or not said.exportable:
        return None
    mine = said.issuer == primary.fingerprint if said.issuer else said.issuer_id == primary.key_id
    return said if mine else None


def _bytes(raw: bytes, part: _Part) -> bytes:
    return raw[part.packet.start : part.packet.end] + b"".join(data for _, data in part.signatures)


def _frame(raw: bytes, parts: list[_Part]) -> bytes:
    return b"".join(_bytes(raw, part) for part in parts if part.packet.tag != packets.PUBLIC_SUBKEY)


def _weakly_revoked(part: _Part) -> bool:
    """A revocation the library may not believe for its hash is believed here: it can only be its owner's or a loss."""
    return any(
        s.type == signatures.KEY_REVOCATION and s.hash_algorithm in signatures.WEAK_HASHES for s, _ in part.signatures
    )


class _Asker:
    """Asks the library, which verifies signatures, what it makes of one key bound by one signature.

    With the primary key and one believed name alone: hundreds of signatures would be verified anew at each question."""

    def __init__(self, raw: bytes, parts: list[_Part], believed: Sequence[str]) -> None:
        named = [p for p in parts if p.packet.tag == packets.USER_ID]
        first = [p for p in named if p.packet.body.decode("utf-8", "replace")[:500] in believed][:1]
        self._frame = b"".join(_bytes(raw, part) for part in (parts[0], *first))
        self._left = MAX_TRIES if believed else 0

    def takes(self, bound: bytes, key: keypackets.Key) -> bool:
        """Whether it encrypts to `key`: a key and its binding in `bound`, or the primary key where that is empty."""
        refused = Unusable("refused", "The OpenPGP certificate cannot be used.")
        if self._left <= 0:
            return False
        self._left -= 1
        try:
            made = library.encrypt(b"", [library.parse(self._frame + bound)], None, refused)
        except OpenPgpError:
            return False
        return bool({key.key_id, key.fingerprint} & set(library.addressed(made)[0]))


def _primary(key: keypackets.Key, part: _Part, asker: _Asker, expires: int | None) -> Key:
    return Key(
        fingerprint=key.fingerprint, key_id=key.key_id, name=key.name, version=key.version, bits=key.bits,
        created=key.created, expires=expires, encrypts=asker.takes(b"", key), signs=_signs(part), revoked=False,
        strong=_strong(key), primary=True, packets=b"",
    )  # fmt: skip


def _signs(part: _Part) -> bool:
    """By its newest self-signature that says; a key of before such flags may sign (RFC 9580 5.2.3.29)."""
    said = next((s.flags for s, _ in part.signatures if s.flags is not None and s.type not in _REVOCATIONS), None)
    return said is None or bool(said & signatures.SIGN)


def _subkey(raw: bytes, part: _Part, asker: _Asker) -> Key | None:
    """A subkey by the newest of its bindings the library finds genuine; None where it is of no use to anyone."""
    try:
        key = keypackets.read(part.packet.body)
    except Malformed:
        return None
    own = raw[part.packet.start : part.packet.end]
    # not asked of the library, which encrypts to revoked keys all the same: any revocation in the owner's name counts
    revoked = any(s.type == signatures.SUBKEY_REVOCATION for s, _ in part.signatures)
    for said, data in part.signatures:
        if said.type != signatures.SUBKEY_BINDING or said.void or said.created is None:
            continue
        flags = said.flags or 0
        encrypts = bool(flags & (signatures.ENCRYPT_TRANSPORT | signatures.ENCRYPT_STORAGE))
        if encrypts and not asker.takes(own + data, key):
            # not its owner's, or of a kind nobody accepts
            continue
        expires = None if said.key_life is None else key.created + said.key_life * 1_000_000
        return Key(
            fingerprint=key.fingerprint, key_id=key.key_id, name=key.name, version=key.version, bits=key.bits,
            created=key.created, expires=expires, encrypts=encrypts, signs=bool(flags & signatures.SIGN),
            revoked=revoked, strong=_strong(key), primary=False, packets=own + data,
        )  # fmt: skip
    return None


def _strong(key: keypackets.Key) -> bool:
    if key.algorithm in (keypackets.RSA, keypackets.RSA_ENCRYPT, keypackets.RSA_SIGN):
        return MIN_RSA <= key.bits <= MAX_RSA
    if key.algorithm in (keypackets.ELGAMAL, keypackets.DSA):
        return False
    return key.bits >= 255 or key.algorithm >= 30


def address_of(user_id: str) -> str:
    """The address a user id is for, as `rfc.address.matching` gives it; "" where it names none or more than one."""
    found = _ANGLE.fullmatch(user_id)
    text = found[1] if found is not None else user_id.strip()
    if text.count("@") != 1:
        return ""
    try:
        return rfc_address.matching(rfc_address.parse_path(text, utf8=True))
    except AddressError:
        return ""
