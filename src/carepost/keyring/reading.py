"""Files with certificates, as administrators and recipients hand them in: S/MIME or OpenPGP, armored or not."""

import re
from collections.abc import Sequence
from typing import Final

import msgspec

from carepost.crypto.openpgp import certificate as pgp
from carepost.crypto.openpgp import usable as pgp_usable
from carepost.crypto.openpgp.errors import OpenPgpError
from carepost.crypto.smime import certificate as x509
from carepost.crypto.smime import usable as x509_usable
from carepost.crypto.smime.chain import TrustStore
from carepost.crypto.smime.errors import SmimeError
from carepost.crypto.smime.usable import Trust
from carepost.ground.errors import Refused
from carepost.policy.types import Method

_PRIVATE: Final = re.compile(rb"-----BEGIN (?:[A-Z0-9]{1,12} ){0,2}PRIVATE KEY")
#: DER of what begins with a version: PKCS#12 (RFC 7292), PKCS#8 (RFC 5958), PKCS#1 (RFC 8017), SEC 1 (RFC 5915).
#: A certificate and a PKCS#7 file begin otherwise
_PRIVATE_DER: Final = re.compile(rb"\x30(?:[\x00-\x7f]|\x80|\x81.|\x82..|\x83...)\x02\x01[\x00\x01\x03]", re.DOTALL)

#: a file with one recipient's certificate and those of its issuers
MOST_BYTES: Final = 512 * 1024


class Read(msgspec.Struct, frozen=True):
    """One certificate. `faults`: why it would not be used for the address, in codes; empty where it would.
    `not_after`: UTC microseconds, 0 for never."""

    method: Method
    raw: bytes
    fingerprint: str
    addresses: tuple[str, ...]
    not_after: int
    chain: tuple[bytes, ...] = ()
    faults: tuple[str, ...] = ()


def read(data: bytes, address: str, at: int) -> Read:
    """The certificate in `data` that is for `address`. Raises Refused: too large, none, several, or not usable."""
    if len(data) > MOST_BYTES:
        raise Refused("key-too-large", "The file is larger than 512 KB; it should hold one certificate.", status=413)
    if _PRIVATE.search(data) or _PRIVATE_DER.match(data):
        raise _given_away()
    found = _smime(data, address, at) or _openpgp(data, address, at)
    if found is None:
        raise Refused(
            "no-certificate", "The file holds no certificate for S/MIME and no OpenPGP public key.", status=422
        )
    if found.faults:
        raise Refused("key-not-usable", _why(found), status=422)
    return found


def _given_away() -> Refused:
    return Refused(
        "private-key", "This file holds a private key. Take the public certificate; its owner must replace the key.",
        status=422,
    )  # fmt: skip


def _smime(data: bytes, address: str, at: int) -> Read | None:
    try:
        known = x509.bundle(data)
    except SmimeError:
        return None
    leaves = [one for one in known if not one.authority] or list(known)
    fit = [one for one in leaves if x509.normal(address) in one.addresses] or leaves
    if not fit:
        return None
    leaf = max(fit, key=lambda one: one.not_after)
    others = tuple(one.der for one in known if one is not leaf)
    # who hands it in vouches for it: no chain is asked for, all else is
    judged = x509_usable.for_encryption(
        leaf, address, at, Trust(TrustStore(), pinned=frozenset({leaf.fingerprint})), others
    )
    return Read(
        Method.SMIME, leaf.der, leaf.fingerprint, tuple(leaf.addresses), leaf.not_after, others, tuple(judged.reasons)
    )


def _openpgp(data: bytes, address: str, at: int) -> Read | None:
    try:
        parts = pgp.split(data)
    except OpenPgpError:
        return None
    known = []
    for part in parts:
        try:
            known.append(pgp.read(part))
        except OpenPgpError as error:
            if error.code == "private-key":
                raise _given_away() from None
    if not known:
        return None
    best = min(known, key=lambda one: bool(pgp_usable.why_not(one, address, at)))
    reason = pgp_usable.why_not(best, address, at)
    return Read(
        Method.OPENPGP, best.raw, best.fingerprint, best.addresses, best.encrypts_until or 0, (),
        (reason,) if reason else (),
    )  # fmt: skip


_WORDS: Final = {
    "wrong-address": "it is made for another address",
    "no-address": "it names no e-mail address",
    "expired": "it has expired",
    "not-yet-valid": "it is not valid yet",
    "key-usage": "it is not made for encryption",
    "extended-usage": "it is not made for e-mail",
    "authority": "it is an authority's certificate, not a person's",
    "weak-key": "its key is too short",
    "weak-signature": "it is signed by a method that is no longer safe",
    "unsupported-key": "its kind of key cannot be encrypted to",
}


def _why(found: Read) -> str:
    return words_of(found.faults, "This certificate cannot be used for this address")


def words_of(faults: Sequence[str], begin: str) -> str:
    """One sentence: what is wrong, beginning with these words."""
    return f"{begin}: {'; '.join([_WORDS.get(fault) or _pgp_words(fault) or fault for fault in faults])}."


def _pgp_words(fault: str) -> str:
    words = pgp_usable.WORDS.get(fault, "")
    return words.rstrip(".")[:1].lower() + words.rstrip(".")[1:] if words else ""
