"""A submitted message as one S/MIME message for one recipient (RFC 8551 3), header protected (RFC 9788).

Signed first, then encrypted. Built by concatenation. Outside stand no words a person wrote (`rfc.protected`).
"""

import binascii
import os
import struct
from collections.abc import Sequence

from carepost.crypto.smime import envelope, oids
from carepost.crypto.smime.envelope import Recipient
from carepost.crypto.smime.errors import CannotSeal
from carepost.crypto.smime.signing import Signer
from carepost.rfc import displayed, protected, signable
from carepost.rfc.errors import RfcError

_ENVELOPED = b'Content-Type: application/pkcs7-mime; smime-type=enveloped-data;\r\n name="smime.p7m"\r\n'
_AUTH_ENVELOPED = b'Content-Type: application/pkcs7-mime; smime-type=authEnveloped-data;\r\n name="smime.p7m"\r\n'
_SIGNED = b'Content-Type: application/pkcs7-mime; smime-type=signed-data;\r\n name="smime.p7m"\r\n'
_P7M = b'Content-Transfer-Encoding: base64\r\nContent-Disposition: attachment; filename="smime.p7m"\r\n\r\n'
_P7S = (
    b'Content-Type: application/pkcs7-signature; name="smime.p7s"\r\nContent-Transfer-Encoding: base64\r\n'
    b'Content-Disposition: attachment; filename="smime.p7s"\r\n\r\n'
)
_VERSION = b"MIME-Version: 1.0\r\n"
#: cuts 64 lines at once, in half the time of as many slices
_LINES = struct.Struct("76s" * 64)
#: octets encoded at a time; whole lines
_PIECE = 57 * 64 * 128


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
    split = _split(message, encrypted=True)
    payload = displayed.add(split.payload) if display else split.payload
    content = payload if signer is None else clear_signed(payload, signer, at)
    sealed = envelope.encrypt(content, recipients, gcm=gcm)
    authenticated = all(r.gcm for r in recipients) if gcm is None else gcm
    kind = _AUTH_ENVELOPED if authenticated else _ENVELOPED
    return b"".join((split.outer, _VERSION, kind, _P7M, base64(sealed)))


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


def _split(message: bytes, *, encrypted: bool) -> protected.Protected:
    try:
        return protected.protect(message, encrypted=encrypted)
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
    coded = binascii.b2a_base64(raw, newline=False)
    whole = len(coded) // _LINES.size * _LINES.size
    lines: list[bytes] = []
    for some in _LINES.iter_unpack(memoryview(coded)[:whole]):
        lines += some
    lines += [coded[at : at + 76] for at in range(whole, len(coded), 76)]
    lines.append(b"")
    return b"\r\n".join(lines)
