"""PGP/MIME messages (RFC 3156) with protected headers (RFC 9788), made and read by concatenation and offsets.

Only what stands at the root of a message is opened: a part inside another is never decrypted, so nothing around it can
carry its content away (EFAIL, BI-067), and a signature over a part is never one over the message (BI-074)."""

import os
import re
from collections.abc import Collection, Sequence

import msgspec
import pysequoia

from carepost.crypto.openpgp import cipher, inline, library, packets, signatures, verdict
from carepost.crypto.openpgp.certificate import Certificate
from carepost.crypto.openpgp.cipher import For
from carepost.crypto.openpgp.content import MAX_SIGNATURES
from carepost.crypto.openpgp.errors import Malformed, Unusable
from carepost.crypto.openpgp.opened import Opened
from carepost.crypto.openpgp.secret import PrivateKey
from carepost.crypto.openpgp.verdict import INVALID, PARTIAL, UNSIGNED, Verdict
from carepost.rfc import displayed, mime, parts, protected, signable
from carepost.rfc import message as rfc_message
from carepost.rfc.errors import RfcError

ENCRYPTED, SIGNED = "encrypted", "signed"
_DIFFERS = "from-differs"
_VERSION = (
    b"Content-Type: application/pgp-encrypted\r\nContent-Description: PGP/MIME version identification\r\n\r\n"
    b"Version: 1\r\n"
)
_SEALED = (
    b'Content-Type: application/octet-stream; name="encrypted.asc"\r\n'
    b"Content-Description: OpenPGP encrypted message\r\n"
    b'Content-Disposition: inline; filename="encrypted.asc"\r\n\r\n'
)
_SIGNATURE = (
    b'Content-Type: application/pgp-signature; name="signature.asc"\r\n'
    b"Content-Description: OpenPGP digital signature\r\n"
    b'Content-Disposition: attachment; filename="signature.asc"\r\n\r\n'
)
_VERSION_LINE = re.compile(rb"[ \t\r\n]*Version:[ \t]*1[ \t\r\n]*", re.IGNORECASE)
_LINE_END = re.compile(rb"\r\n|\r|\n")
#: octets of a detached signature
_MAX_SIGNATURE = 256 * 1024


def seal(
    message: bytes,
    recipients: Sequence[For],
    *,
    at: int,
    signer: pysequoia.PySigner | None = None,
    display: bool = True,
    known: rfc_message.Head | None = None,
) -> bytes:
    """A submitted message as multipart/encrypted, signed inside where there is a signer; ready for DKIM and DATA.

    `recipients`: (address, certificate) each; `at`: UTC microseconds. What a person wrote stands in no outer header.
    `known`: the header as it was read before. `display`: the subject stands in the body too, for programs that know no
    header protection; nobody here knows which the recipient's is, and RFC 9788 5.2 takes it for such a one then
    (`rfc.displayed`). Raises Unusable where a certificate must not be used for its address, MessageError for a
    header of two readings."""
    split = protected.protect(message, encrypted=True, old_parameter=True, known=known)
    payload = displayed.add(split.payload, split.outline) if display else split.payload
    sealed = cipher.encrypt(payload, recipients, at, signer)
    mark = _boundary()
    return b"".join(
        (
            split.outer,
            b"MIME-Version: 1.0\r\nContent-Type: multipart/encrypted;"
            b' protocol="application/pgp-encrypted";\r\n boundary="%b"\r\n\r\n'
            b"This is an OpenPGP/MIME encrypted message (RFC 3156).\r\n--%b\r\n" % (mark, mark),
            _VERSION,
            b"\r\n--%b\r\n" % mark,
            _SEALED,
            sealed,
            b"\r\n--%b--\r\n" % mark,
        )
    )


def sign(message: bytes, signer: pysequoia.PySigner) -> bytes:
    """A submitted message as multipart/signed: its header stands outside as well, protected against change.

    Raises Unusable("not-signable") where it cannot be put into seven bits without changing it."""
    split = protected.protect(message, encrypted=False, old_parameter=True)
    payload = signable.convert(split.payload)
    trouble = Unusable("not-signable", "The message cannot be signed without changing what it says.")
    if payload is None:
        raise trouble
    made = library.call(
        lambda: pysequoia.sign(signer, payload, mode=pysequoia.SignatureMode.DETACHED, armor=False), trouble
    )
    said = signatures.read(packets.read(made)[0].body)
    digest = signatures.HASHES[said.hash_algorithm].encode("ascii")
    mark = _boundary()
    head = (
        split.outer + b"MIME-Version: 1.0\r\nContent-Type: multipart/signed; micalg=" + digest + b";\r\n"
        b' protocol="application/pgp-signature"; boundary="' + mark + b'"\r\n\r\n'
        b"This is an OpenPGP/MIME signed message (RFC 3156 and 4880).\r\n--" + mark + b"\r\n"
    )
    tail = b"\r\n--" + mark + b"\r\n" + _SIGNATURE + library.armor(made, packets.SIGNED) + b"\r\n--" + mark + b"--\r\n"
    return head + payload + tail


def _boundary() -> bytes:
    # stands in no armor and no quoted-printable
    return b"=_" + os.urandom(16).hex().encode("ascii")


def kind(message: bytes) -> str:
    """encrypted | signed | inline-encrypted | inline-signed | "" for anything else, as its root says. Never raises."""
    try:
        root, _ = parts.outermost(message)
    except RfcError:
        return ""
    protocol = root.params.get("protocol", "").lower()
    if root.type == "multipart/encrypted" and protocol == "application/pgp-encrypted":
        return ENCRYPTED
    if root.type == "multipart/signed" and protocol == "application/pgp-signature":
        return SIGNED
    return inline.kind(message, root) if root.type == "text/plain" else ""


def open_(message: bytes, keys: Sequence[PrivateKey], certificates: Sequence[Certificate], *, at: int) -> Opened:
    """Decrypts and verifies. `certificates`: where signers are looked for; `at`: UTC microseconds.

    A signature never raises: it is the verdict. Raises NotDecrypted, Weak, Malformed (also for what `kind` does not
    know) and MessageError; nothing of the content has been released then."""
    found = kind(message)
    if found == ENCRYPTED:
        return _decrypted(message, keys, certificates, at)
    if found == SIGNED:
        return _verified(message, certificates, at)
    if found:
        return inline.open_(message, found, keys, certificates, at)
    raise Malformed("not-openpgp", "This message is neither encrypted nor signed with OpenPGP.")


def unprotected(message: bytes) -> Verdict:
    """Of a message `kind` does not know: whether a part of it is signed, which says nothing of the whole (RFC 9787)."""
    try:
        inside = any("signed" in part.within[1:] for part in parts.walk(message))
    except RfcError:
        return UNSIGNED
    return Verdict(PARTIAL, "partial") if inside else UNSIGNED


def _decrypted(message: bytes, keys: Sequence[PrivateKey], certificates: Sequence[Certificate], at: int) -> Opened:
    opened = cipher.decrypt(_armored(message), keys)
    payload = _lines(opened.content.data)
    bodies, data = opened.content.signatures, opened.content.data
    if not bodies and kind(payload) == SIGNED:
        # encapsulated (RFC 3156 6.1): the signature stands in the MIME, not in the packets
        halves = _halves(payload)
        if halves is not None:
            payload, bodies = halves
            data = payload
    found = verdict.judge(data, bodies, certificates, at, _senders(message, payload), opened.by)
    shown = protected.open_(message, payload, encrypted=True, vouched=_vouched(found))
    whole = displayed.remove(shown.message) if shown.protection == "cipher" else shown.message
    return Opened(whole, True, _agreed(found, shown), shown.protection, shown.hidden, shown.warnings, opened.by)


def _verified(message: bytes, certificates: Sequence[Certificate], at: int) -> Opened:
    halves = _halves(message)
    if halves is None:
        return Opened(message, False, Verdict(INVALID, "malformed"))
    payload, bodies = halves
    found = verdict.judge(payload, bodies, certificates, at, _senders(message, payload))
    if not found.valid:
        # unsigned or badly signed fields of a header are no better than those outside
        return Opened(message, False, found)
    shown = protected.open_(message, payload, encrypted=False, vouched=_vouched(found))
    return Opened(shown.message, False, _agreed(found, shown), shown.protection, shown.hidden, shown.warnings)


def _agreed(found: Verdict, shown: protected.Opened) -> Verdict:
    """Never "valid" where the outside names another author than the inside (RFC 9788 4.4, BI-075), as S/MIME."""
    if found.valid and _DIFFERS in shown.warnings:
        return msgspec.structs.replace(found, state=INVALID, reason=_DIFFERS)
    return found


def _vouched(found: Verdict) -> Collection[str]:
    return found.addresses if found.valid else ()


def _armored(message: bytes) -> bytes:
    """The second of exactly two parts (RFC 3156 4)."""
    trouble = Malformed("pgp-mime", "The encrypted message does not have the two parts it must have.")
    _, spans = parts.outermost(message)
    if len(spans) != 2:
        raise trouble
    first, second = (message[start:end] for start, end in spans)
    version, sealed = parts.walk(first), parts.walk(second)
    if [p.type for p in version] != ["application/pgp-encrypted"] or len(sealed) != 1:
        raise trouble
    if _VERSION_LINE.fullmatch(mime.decode(first, version[0])) is None or sealed[0].type != "application/octet-stream":
        raise trouble
    return mime.decode(second, sealed[0])


def _halves(message: bytes) -> tuple[bytes, tuple[bytes, ...]] | None:
    """The signed entity, byte for byte, and the bodies of its signatures; None where that is not what stands there."""
    try:
        _, spans = parts.outermost(message)
        if len(spans) != 2:
            return None
        (start, end), (after, last) = spans
        half = message[after:last]
        leaves = parts.walk(half)
        if [p.type for p in leaves] != ["application/pgp-signature"]:
            return None
        raw = packets.unwrap(mime.decode(half, leaves[0]), packets.SIGNED, packets.MESSAGE, most=_MAX_SIGNATURE)
        found = packets.read(raw, most=MAX_SIGNATURES)
    except (RfcError, Malformed):
        return None
    if not found or any(p.tag != packets.SIGNATURE for p in found):
        return None
    return message[start:end], tuple(p.body for p in found)


def _senders(message: bytes, payload: bytes) -> list[str]:
    """Whom the message says it is from: inside where that is protected, else outside."""
    inner = protected.senders(payload) if protected.mark(payload) else []
    return inner or [mailbox.address for mailbox in rfc_message.read(message).from_]


def _lines(data: bytes) -> bytes:
    """A decrypted entity with CRLF line ends; some programs encrypt it with those of their system."""
    if b"\0" in data:
        raise Malformed("content", "The decrypted content holds octets that no message may hold.")
    return data if data.count(b"\r\n") == data.count(b"\n") == data.count(b"\r") else _LINE_END.sub(b"\r\n", data)
