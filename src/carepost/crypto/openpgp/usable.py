"""What a certificate may be used for, for which address, at which time, and why not (standards 3.4, BI-071).

Also what changes one: a newer copy merged in, foreign names taken out. Another fingerprint is no update (BI-072)."""

import threading
from collections import OrderedDict
from collections.abc import Sequence

import msgspec
import pysequoia

from carepost.crypto.openpgp import library, packets
from carepost.crypto.openpgp.certificate import MAX_PACKETS, SKEW, Certificate, Key, address_of, read
from carepost.crypto.openpgp.errors import Unusable
from carepost.rfc import address as rfc_address

#: subkeys one message is encrypted to for one certificate
MAX_USED = 8
#: certificates kept ready
MAX_READY = 512
#: certificates asked about one signature
MAX_OWNERS = 5
_ready: OrderedDict[bytes, "Ready"] = OrderedDict()
_lock = threading.Lock()

#: reason -> words for a screen (standards 3.4, BI-071)
WORDS = {
    "revoked": "The key has been revoked by its owner.",
    "expired": "The key has expired.",
    "not-yet": "The key is dated in the future.",
    "other-address": "The key is not for this address.",
    "weak-signature": "The key is only held together by signatures of a kind that can be forged.",
    "weak-key": "The key is too weak: RSA below 2048 bits, ElGamal, DSA or an unknown curve.",
    "no-encryption-key": "The key has no part meant for encryption.",
    "no-signing-key": "The key has no part meant for signing.",
}


def why_not(known: Certificate, address: str, at: int, *, sign: bool = False) -> str:
    """A reason of WORDS, or "" when it may be used for `address` at `at` (UTC microseconds): to encrypt, or with `sign`
    to believe a signature. An empty address asks nothing of the user ids."""
    if known.revoked:
        return "revoked"
    if not known.user_ids:
        return "weak-signature"
    if known.created > at + SKEW:
        return "not-yet"
    if known.expires is not None and at >= known.expires:
        return "expired"
    if address and rfc_address.matching(address) not in known.addresses:
        return "other-address"
    keys = [k for k in known.keys if (k.signs if sign else k.encrypts)]
    if not keys:
        return "no-signing-key" if sign else "no-encryption-key"
    if not any(k.strong for k in keys):
        return "weak-key"
    keys = [k for k in keys if k.strong]
    if any(k.live(at) for k in keys):
        return ""
    return "revoked" if all(k.revoked for k in keys) else "expired"


def check(known: Certificate, address: str, at: int) -> None:
    """Raises Unusable with the reason where nothing may be encrypted to it for this address at this time."""
    reason = why_not(known, address, at)
    if reason:
        raise Unusable(reason, WORDS[reason])


class Ready(msgspec.Struct, frozen=True):
    """A certificate as a message is encrypted to it, from `since` and before `until` (UTC microseconds)."""

    since: int
    until: int
    #: the library's value with the chosen keys alone: it can choose no other
    known: pysequoia.Cert
    #: key ids and fingerprints
    named: frozenset[str]
    count: int
    #: characters of armor its session keys take at most
    head: int


def ready(known: Certificate, address: str, at: int) -> Ready:
    """Raises Unusable with the reason where nothing may be encrypted to it for this address at this time.

    What was found is kept for as long as no date of the certificate lies between."""
    kept = _ready.get(known.raw)
    if kept is not None and kept.since <= at < kept.until and rfc_address.matching(address) in known.addresses:
        return kept
    check(known, address, at)
    keys = encryption_keys(known, at)
    dates = [d for k in known.keys if k.encrypts for d in (k.created - SKEW, k.expires) if d is not None]
    dates += [known.created - SKEW, *([] if known.expires is None else [known.expires])]
    found = Ready(
        since=max((d for d in dates if d <= at), default=at),
        until=min((d for d in dates if d > at), default=1 << 62),
        known=library.parse(known.frame + b"".join([k.packets for k in keys])),
        named=frozenset(name for k in keys for name in (k.key_id, k.fingerprint)),
        count=len(keys),
        # frame, fingerprint, an integer or point as long as the key, a wrapped session key; post-quantum ones are long
        head=sum(((k.bits // 8 if k.bits else 4_096) + 200) * 137 // 100 for k in keys),
    )
    with _lock:
        _ready[known.raw] = found
        if len(_ready) > MAX_READY:
            _ready.popitem(last=False)
    return found


def encryption_keys(known: Certificate, at: int) -> list[Key]:
    """The live parts meant for encryption, newest first."""
    found = [k for k in known.keys if k.encrypts and k.strong and k.live(at)]
    return sorted(found, key=lambda k: k.created, reverse=True)[:MAX_USED]


def only(known: Certificate, address: str) -> Certificate:
    """The same certificate with the user ids of `address` alone (WKD: what else it names proves nothing).

    Raises Unusable("other-address") where it has none."""
    wanted = rfc_address.matching(address)
    if wanted not in known.addresses:
        raise Unusable("other-address", WORDS["other-address"])
    raw = known.raw
    kept: list[bytes] = []
    keep = True
    for packet in packets.read(raw, most=MAX_PACKETS):
        if packet.tag == packets.USER_ID:
            keep = address_of(packet.body.decode("utf-8", "replace")) == wanted
        elif packet.tag != packets.SIGNATURE:
            keep = True
        if keep:
            kept.append(raw[packet.start : packet.end])
    return read(b"".join(kept))


def merge(known: Certificate, update: bytes) -> Certificate:
    """`known` with what a newer copy of the same certificate adds: new expiry, subkeys, revocations. Nothing is lost.

    Raises Unusable("other-key") for another certificate: that is a changed key, and a person's to judge (BI-072)."""
    newer = read(update)
    if newer.fingerprint != known.fingerprint:
        raise Unusable("other-key", "This is another key, not a newer copy of the one that is known.")
    trouble = library.unreadable()
    merged = library.call(lambda: library.parse(known.raw).merge(library.parse(newer.raw)), trouble)
    return read(bytes(merged))


def owners(known: Sequence[Certificate], issuer: str, issuer_id: str) -> list[tuple[Certificate, Key]]:
    """The certificates that have the key a signature names, by fingerprint, or by key id where no other name is said.

    Several: anyone can put another's key under a certificate of his own, and must not silence its owner with it."""
    return [
        (certificate, key)
        for certificate in known
        for key in certificate.keys
        if (issuer and key.fingerprint == issuer) or (not issuer and issuer_id and key.key_id == issuer_id)
    ][:MAX_OWNERS]
