"""DKIM verification (RFC 6376 6, RFC 8301, RFC 8463): each signature of a message with its result and the reason.

Never pass: `l=` (text may have been added below it), rsa-sha1, RSA below 1024 bits, an expired or future time, a key
that is not for mail. At most 8 signatures are looked at and 8 keys asked for; one body hash a canonical form."""

import hashlib
import re
from collections.abc import Callable
from typing import Final

import msgspec
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from carepost.crypto.dkim import ED25519, RSA, relaxed_body, relaxed_value, split
from carepost.rfc import dkimtags
from carepost.rfc.asking import Course, Question, Record
from carepost.rfc.dkimtags import DkimError, Key, Signature

#: signatures of one message looked at
MOST: Final = 8
#: seconds a signer's clock may be ahead of ours
AHEAD: Final = 3600
#: bits below which a pass is called weak (RFC 8301 3.2: signers should use 2048)
WEAK: Final = 2048
#: service types of a key that signs ordinary mail, and one that also signs TLS reports (RFC 8460 3)
EMAIL: Final = frozenset({"*", "email"})
TLSRPT: Final = EMAIL | {"tlsrpt"}
_LEAST, _LARGEST = 1024, 8192
#: raises InvalidSignature: (signature, data)
Check = Callable[[bytes, bytes], None]

_FIELD: Final = re.compile(rb"^([!-9;-~]+)[ \t]*:", re.MULTILINE)
#: what stands in a signature's `b=`
EMPTIED: Final = re.compile(rb"((?:^|;)[ \t\r\n]*b[ \t\r\n]*=)[^;]*")
_TAIL: Final = re.compile(rb"(?:\r\n)*\Z")


class Signed(msgspec.Struct, frozen=True):
    """One signature. `result` (RFC 8601 2.7.1): pass | fail | policy | neutral | temperror | permerror.

    `reason`: a word, "" for a strong pass. `bits`: of an RSA key. `names`: header fields it covers."""

    result: str
    reason: str
    domain: str = ""
    selector: str = ""
    algorithm: str = ""
    identity: str = ""
    bits: int = 0
    signed_at: int = 0
    expires_at: int = 0
    names: tuple[str, ...] = ()
    oversigned: bool = False
    testing: bool = False


class Parsed:
    """What all signatures of a message share: its fields as they stand, and its body's hashes."""

    def __init__(self, raw: bytes) -> None:
        header, self._body = split(raw)
        found = list(_FIELD.finditer(header))
        ends = [match.start() for match in found[1:]] + [len(header)] * bool(found)
        #: (lower-case name, the field with its CRLF, where its value begins), top to bottom
        self.fields = [
            (m[1].lower(), header[m.start() : end], m.end() - m.start()) for m, end in zip(found, ends, strict=True)
        ]
        self._hashes: dict[str, bytes] = {}

    def body_hash(self, form: str) -> bytes:
        if form not in self._hashes:
            body = relaxed_body(self._body) if form == "relaxed" else _simple_body(self._body)
            self._hashes[form] = hashlib.sha256(body).digest()
        return self._hashes[form]

    def signed(self, signature: Signature, own: int) -> bytes:
        """The octets `b=` is over: the named fields, each name from the bottom up, then the signature's own field."""
        form = signature.canonical[0]
        left: dict[bytes, list[int]] = {}
        for at, (name, _, _) in enumerate(self.fields):
            if at != own:
                left.setdefault(name, []).append(at)
        parts = []
        for name in signature.names:
            waiting = left.get(name.encode("latin-1", "replace"))
            if waiting:
                parts.append(canonical(form, self.fields[waiting.pop()]))
        name_, field, value = self.fields[own]
        emptied = field[:value] + EMPTIED.sub(rb"\1", field[value:].removesuffix(b"\r\n"), count=1) + b"\r\n"
        parts.append(canonical(form, (name_, emptied, value)).removesuffix(b"\r\n"))
        return b"".join(parts)


def verify(raw: bytes, now_s: int, services: frozenset[str] = EMAIL) -> Course[tuple[Signed, ...]]:
    """Every signature, top to bottom. `raw`: CRLF line ends; `services`: what a key may be for. No signature: an empty
    tuple."""
    message = Parsed(raw)
    found: list[Signed] = []
    keys: dict[tuple[str, str], tuple[Key | None, str, str]] = {}
    places = [at for at, (name, _, _) in enumerate(message.fields) if name == b"dkim-signature"]
    for own in places[:MOST]:
        _, field, value = message.fields[own]
        try:
            signature = dkimtags.signature(field[value:].decode("utf-8", "replace"))
        except DkimError as error:
            found.append(Signed("permerror", error.code))
            continue
        refused = _unfit(signature, now_s)
        if refused:
            found.append(_of(signature, refused[0], refused[1]))
            continue
        place = (signature.selector, signature.domain)
        if place not in keys:
            keys[place] = yield from fetch(*place)
        key, result, reason = keys[place]
        found.append(
            _of(signature, result, reason) if key is None else _checked(message, signature, own, key, services)
        )
    return tuple(found)


def _unfit(signature: Signature, now_s: int) -> tuple[str, str] | None:
    """What no key can mend."""
    if signature.algorithm not in (RSA, ED25519):
        return "policy", "algorithm"
    if signature.length:
        return "policy", "length"
    if signature.expires_at and signature.expires_at < now_s:
        return "fail", "expired"
    return ("policy", "future") if signature.signed_at > now_s + AHEAD else None


def fetch(selector: str, domain: str) -> Course[tuple[Key | None, str, str]]:
    found = yield Question(Record.TXT, f"{selector}._domainkey.{domain}")
    if found.failed:
        return None, "temperror", "key-unreachable"
    reason = "key-missing"
    for text in found.texts[:3]:
        try:
            return dkimtags.key(text), "", ""
        except DkimError as error:
            reason = error.code
    return None, "permerror", reason


def _checked(message: Parsed, signature: Signature, own: int, key: Key, services: frozenset[str]) -> Signed:
    kind, _, hash_ = signature.algorithm.partition("-")
    if key.kind != kind or (key.hashes and hash_ not in key.hashes):
        return _of(signature, "permerror", "key-unfit", key)
    if services.isdisjoint(key.services):
        return _of(signature, "permerror", "key-unfit", key)
    if key.strict and signature.identity != signature.domain:
        return _of(signature, "permerror", "identity", key)
    try:
        check, bits = checker(key)
    except (ValueError, UnsupportedAlgorithm):
        return _of(signature, "permerror", "key-syntax", key)
    if bits and bits < _LEAST:
        return _of(signature, "policy", "key-short", key, bits)
    if bits > _LARGEST:
        return _of(signature, "policy", "key-long", key, bits)
    whole = message.body_hash(signature.canonical[1]) == signature.body_hash
    try:
        check(signature.signature, message.signed(signature, own))
    except InvalidSignature:
        return _of(signature, "fail", "header-changed" if whole else "changed", key, bits)
    if not whole:
        return _of(signature, "fail", "body-changed", key, bits)
    return _of(signature, "pass", "weak-key" if bits and bits < WEAK else "", key, bits)


def checker(key: Key) -> tuple[Check, int]:
    """(verifier that raises InvalidSignature, bits of an RSA key). Raises ValueError."""
    if key.kind == "ed25519":
        public = Ed25519PublicKey.from_public_bytes(key.data)
        return lambda signature, data: public.verify(signature, hashlib.sha256(data).digest()), 0
    loaded = serialization.load_der_public_key(key.data)
    if not isinstance(loaded, RSAPublicKey) or loaded.public_numbers().e.bit_length() > 64:
        raise ValueError("not an RSA key")
    return lambda signature, data: loaded.verify(signature, data, padding.PKCS1v15(), hashes.SHA256()), loaded.key_size


def _of(signature: Signature, result: str, reason: str, key: Key | None = None, bits: int = 0) -> Signed:
    return Signed(
        result, reason, signature.domain, signature.selector, signature.algorithm, signature.identity, bits,
        signature.signed_at, signature.expires_at, signature.names, signature.oversigned,
        key.testing if key is not None else False,
    )  # fmt: skip


def canonical(form: str, one: tuple[bytes, bytes, int]) -> bytes:
    name, field, value = one
    if form == "simple":
        return field
    return name + b":" + relaxed_value(field[value:].removesuffix(b"\r\n")) + b"\r\n"


def _simple_body(body: bytes) -> bytes:
    """RFC 6376 3.4.3: one CRLF ends it, whatever stood there."""
    if not body.endswith(b"\r\n"):
        return body + b"\r\n"
    kept = body.rstrip(b"\r\n")
    if body[len(kept) :] != b"\r\n" * ((len(body) - len(kept)) // 2):
        kept = _TAIL.sub(b"", body)
    return kept + b"\r\n"
