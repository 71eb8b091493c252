"""A submitted message as one S/MIME message for one recipient (RFC 8551 3), header protected (RFC 9788).

Signed first, then encrypted. Built by concatenation. Outside stand no words a person wrote (`rfc.protected`).
"""

import os
import struct
from collections.abc import Sequence

import msgspec

from carepost.crypto import digest, dkim
from carepost.crypto.smime import envelope, oids
from carepost.crypto.smime.envelope import Recipient
from carepost.crypto.smime.errors import CannotSeal
from carepost.crypto.smime.signing import Signer
from carepost.rfc import displayed, protected, signable
from carepost.rfc.errors import RfcError
from carepost.rfc.message import Head

_ENVELOPED = b'Content-Type: application/pkcs7-mime; smime-type=enveloped-data;\r\n name="smime.p7m"\r\n'
_AUTH_ENVELOPED = b'Content-Type: application/pkcs7-mime; smime-type=authEnveloped-data;\r\n name="smime.p7m"\r\n'
_SIGNED = b'Content-Type: application/pkcs7-mime; smime-type=signed-data;\r\n name="smime.p7m"\r\n'
_P7M = b'Content-Transfer-Encoding: base64\r\nContent-Disposition: attachment; filename="smime.p7m"\r\n\r\n'
_P7S = (
    b'Content-Type: application/pkcs7-signature; name="smime.p7s"\r\nContent-Transfer-Encoding: base64\r\n'
    b'Content-Disposition: attachment; filename="smime.p7s"\r\n\r\n'
)
_VERSION = b"MIME-Version: 1.0\r\n"
#: what these say of the structure, as DKIM sees it
_STRUCTURE = {
    kind: {
        b"mime-version": b"1.0",
        b"content-type": kind.partition(b":")[2].rstrip(b"\r\n"),
        b"content-transfer-encoding": b"base64",
    }
    for kind in (_ENVELOPED, _AUTH_ENVELOPED)
}
#: lines cut at once, by their number, in a third of the time of as many slices
_MOST = 64
_CUTS = tuple(struct.Struct("76s" * lines) for lines in range(_MOST + 1))
#: octets encoded at a time; whole lines
_PIECE = 57 * 64 * 128
#: its base64 takes two thirds of the time of binascii's
_encoder = msgspec.json.Encoder()


class Made(msgspec.Struct, frozen=True):
    """`data`: the message, ready for DKIM and DATA. What DKIM and a proof ask for is known while it is made:
    `body_hash`: `dkim.body_hash_relaxed(data)`; `header`: `dkim.canonical` of its header."""

    data: bytes
    body_hash: bytes
    header: dkim.Canonical


def encrypt(
    message: bytes,
    recipients: Sequence[Recipient],
    at: int,
    *,
    signer: Signer | None = None,
    gcm: bool | None = None,
    display: bool = True,
) -> bytes:
    """`message` (CRLF line ends, as submitted) for those whose certificates these are; ready for DKIM and DATA.

    `at`: UTC microseconds, the signingTime. `gcm` as in `envelope.encrypt`. `display`: the subject stands in the body
    too, for Outlook and others that know no header protection (`rfc.displayed`). Raises CannotSeal."""
    return make(message, recipients, at, signer=signer, gcm=gcm, display=display).data


def make(
    message: bytes,
    recipients: Sequence[Recipient],
    at: int,
    *,
    signer: Signer | None = None,
    gcm: bool | None = None,
    display: bool = True,
    known: Head | None = None,
) -> Made:
    """As `encrypt`, with what is known of the message then. `known`: as in `protected.protect`."""
    split = _split(message, encrypted=True, known=known)
    payload = displayed.add(split.payload, split.outline) if display else split.payload
    content = payload if signer is None else clear_signed(payload, signer, at)
    if gcm is None:
        gcm = envelope.authenticated(recipients)
    sealed = envelope.encrypt(content, recipients, gcm=gcm)
    kind = _AUTH_ENVELOPED if gcm else _ENVELOPED
    coded = base64(sealed)
    data = b"".join((split.outer, _VERSION, kind, _P7M, coded))
    # base64 is its own relaxed form: no blanks, CRLF at the end of every line, no empty line
    return Made(data, digest.sha256(coded), dkim.canonical_of(split.shown | _STRUCTURE[kind]))


def sign(message: bytes, signer: Signer, at: int, *, opaque: bool = False) -> bytes:
    """`message` signed and readable by everyone. `opaque`: inside the signature, so that no server on the way can touch
    it; without it the body is brought into 7 bits (RFC 8551 3.1.3). Raises CannotSeal, where that changes what it
    says."""
    split = _split(message, encrypted=False)
    if opaque:
        body = b"".join((_SIGNED, _P7M, base64(signer.sign(split.payload, at, detached=False))))
    else:
        payload = signable.convert(split.payload)
        if payload is None:
            raise CannotSeal("eight-bits", "The message cannot be signed readably without changing what it says.")
        body = clear_signed(payload, signer, at)
    return split.outer + _VERSION + body


def _split(message: bytes, *, encrypted: bool, known: Head | None = None) -> protected.Protected:
    try:
        return protected.protect(message, encrypted=encrypted, known=known)
    except RfcError as error:
        raise CannotSeal("header", error.public) from None


def clear_signed(payload: bytes, signer: Signer, at: int) -> bytes:
    """The multipart/signed entity around `payload`."""
    # 128 random bits stand in nothing else
    mark = b"=_" + os.urandom(16).hex().encode("ascii")
    head = (
        b'Content-Type: multipart/signed; protocol="application/pkcs7-signature";\r\n micalg=%s; boundary="%s"\r\n\r\n'
        % (oids.MICALG[signer.digest].encode("ascii"), mark)
    )
    signature = base64(signer.sign(payload, at))
    return b"".join(
        (head, b"--", mark, b"\r\n", payload, b"\r\n--", mark, b"\r\n", _P7S, signature, b"--", mark, b"--\r\n")
    )


def base64(raw: bytes) -> bytes:
    """Lines of 76 characters with CRLF."""
    if len(raw) <= _PIECE:
        return _base64(raw)
    # a line is an object, and an attachment has half a million of them
    view = memoryview(raw)
    return b"".join([_base64(view[at : at + _PIECE]) for at in range(0, len(raw), _PIECE)])


def _base64(raw: bytes | memoryview) -> bytes:
    # the JSON text of octets is their base64 between two quotation marks (RFC 4648 4)
    coded = _encoder.encode(raw)
    at, end = 1, len(coded) - 1
    lines: list[bytes] = []
    while end - at >= 76:
        cut = _CUTS[min((end - at) // 76, _MOST)]
        lines += cut.unpack_from(coded, at)
        at += cut.size
    lines.append(coded[at:end])
    if at < end:
        lines.append(b"")
    return b"\r\n".join(lines)
