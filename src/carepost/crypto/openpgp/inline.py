"""OpenPGP text in the body of a plain message, from before PGP/MIME: read, never written.

Only where the block is the whole of a message of one plain text: anything around it would be taken for protected."""

import base64
import re
from collections.abc import Sequence

from carepost.crypto.openpgp import cipher, packets, verdict
from carepost.crypto.openpgp.certificate import Certificate
from carepost.crypto.openpgp.content import MAX_SIGNATURES
from carepost.crypto.openpgp.errors import Malformed
from carepost.crypto.openpgp.opened import Opened
from carepost.crypto.openpgp.secret import PrivateKey
from carepost.crypto.openpgp.verdict import INVALID, PARTIAL, Verdict
from carepost.rfc import message as rfc_message
from carepost.rfc import mime, parts, words
from carepost.rfc.errors import RfcError

ENCRYPTED, SIGNED = "inline-encrypted", "inline-signed"
_MESSAGE, _CLEAR = b"-----BEGIN PGP MESSAGE-----", b"-----BEGIN PGP SIGNED MESSAGE-----"
_CLEARTEXT = re.compile(
    rb"-----BEGIN PGP SIGNED MESSAGE-----[ \t]*\r?\n(?:Hash:[ \t]*[A-Za-z0-9, \t-]{1,200}\r?\n){0,5}[ \t]*\r?\n"
    rb"(.*?)\r?\n(-----BEGIN PGP SIGNATURE-----.*)",
    re.DOTALL,
)
_MAX_SIGNATURE = 256 * 1024


def kind(message: bytes, root: parts.Part) -> str:
    """Of a message whose root is text/plain."""
    if message.find(b"-----BEGIN PGP ", root.start) < 0 and message.find(b"=2D", root.start) < 0:
        return ""
    try:
        body = _body(message)
    except RfcError:
        return ""
    if body.startswith(_MESSAGE):
        return ENCRYPTED
    return SIGNED if _CLEAR in body else ""


def _body(message: bytes) -> bytes:
    return mime.decode(message, parts.walk(message)[0]).strip(b" \t\r\n")


def open_(
    message: bytes, found: str, keys: Sequence[PrivateKey], certificates: Sequence[Certificate], at: int
) -> Opened:
    """`found`: what `kind` said. The result is the outer header and the text; nothing of the header was protected."""
    body = _body(message)
    senders = [mailbox.address for mailbox in rfc_message.read(message).from_]
    if found == ENCRYPTED:
        opened = cipher.decrypt(body, keys)
        judged = verdict.judge(opened.content.data, opened.content.signatures, certificates, at, senders, opened.by)
        return Opened(_plain(message, opened.content.data), True, judged, by=opened.by)
    clear = _CLEARTEXT.fullmatch(body)
    if clear is None:
        return Opened(message, False, Verdict(PARTIAL, "partial"))
    text = clear[1].replace(b"\r\n", b"\n")
    if any(line.startswith(b"-") and not line.startswith(b"- ") for line in text.split(b"\n")):
        # a dash that is not escaped: a second block hides in the first (RFC 9580 7.2)
        return Opened(message, False, Verdict(INVALID, "malformed"))
    lines = [line.removeprefix(b"- ").rstrip(b" \t\r") for line in text.split(b"\n")]
    try:
        raw = packets.dearmor(clear[2], packets.SIGNED, most=_MAX_SIGNATURE)
        signed = packets.read(raw, most=MAX_SIGNATURES)
    except Malformed:
        return Opened(message, False, Verdict(INVALID, "malformed"))
    if not signed or any(p.tag != packets.SIGNATURE for p in signed):
        return Opened(message, False, Verdict(INVALID, "malformed"))
    data = b"\r\n".join(lines)
    judged = verdict.judge(data, [p.body for p in signed], certificates, at, senders)
    return Opened(_plain(message, data) if judged.valid else message, False, judged)


def _plain(message: bytes, data: bytes) -> bytes:
    """The message with `data` as its text, whatever its line ends and characters: base64 holds them all."""
    if b"\0" in data:
        raise Malformed("content", "The decrypted content holds octets that no message may hold.")
    read = rfc_message.read(message)
    charset = parts.outermost(message)[0].params.get("charset", "utf-8")
    name = words.codec(charset) or "utf-8"
    head = b"".join(message[f.start : f.end] for f in read.fields if not f.name.startswith(b"content-"))
    kind_line = f'Content-Type: text/plain; charset="{"utf-8" if name == "ascii" else name}"\r\n'.encode("ascii")
    packed = base64.encodebytes(data).replace(b"\n", b"\r\n")
    return head + kind_line + b"Content-Transfer-Encoding: base64\r\n\r\n" + packed
