"""Building a message (RFC 5322, MIME) by concatenation: what is given becomes one field or one part, never more.

Every field is refused, not repaired, when it holds a control character (BI-043, BI-045, BI-046).
"""

import base64
import binascii
import os
import re
from collections.abc import Sequence
from urllib.parse import quote

import msgspec

from carepost.rfc import date, words
from carepost.rfc.address import Mailbox, format_mailbox
from carepost.rfc.errors import AddressError, ComposeError

#: characters
MAX_SUBJECT, MAX_FILENAME = 998, 200

_NAME = re.compile(r"[!-9;-~]{1,70}")
_TYPE = re.compile(r"[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,62}/[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,62}")
#: a parameter of it (RFC 2045 5.1), its value a token or quoted without escapes
_PARAMETER = re.compile(
    r';[ \t]*([A-Za-z0-9!#$&^_.+-]{1,62})=("[ !#-\[\]-~]{0,120}"|[A-Za-z0-9!#$&^_.+-]{1,120})[ \t]*'
)
_MESSAGE_ID = re.compile(r"<[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,200}@[A-Za-z0-9.-]{1,255}>")
_CONTENT_ID = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~@-]{1,200}")
_CONTROL = re.compile("[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_PLAIN_FILENAME = re.compile(r"[A-Za-z0-9 ._()\[\],;=+@#$%&'!~^{}-]+")

#: fields only the builder or the wire sets
RESERVED = frozenset(
    {"from", "to", "cc", "bcc", "reply-to", "sender", "subject", "date", "message-id", "mime-version", "return-path"}
    | {"received", "dkim-signature", "arc-seal", "arc-message-signature", "arc-authentication-results", "resent-bcc"}
    | {"authentication-results", "resent-from", "resent-to", "resent-sender", "resent-cc", "resent-message-id"}
)


class Attachment(msgspec.Struct, frozen=True):
    filename: str
    #: `type/subtype`, with parameters where there are some: `text/calendar; method=REQUEST`
    content_type: str
    data: bytes
    #: without angle brackets; given, the part can be shown inside the HTML
    content_id: str = ""


def build(
    *,
    from_: Mailbox,
    to: Sequence[Mailbox] = (),
    cc: Sequence[Mailbox] = (),
    reply_to: Sequence[Mailbox] = (),
    sender: Mailbox | None = None,
    subject: str = "",
    text: str | None = None,
    html: str | None = None,
    attachments: Sequence[Attachment] = (),
    headers: Sequence[tuple[str, str]] = (),
    message_id: str | None,
    at: int,
    eightbit: bool = False,
) -> bytes:
    """A whole message with CRLF line ends, no line over 998 octets. `at`: UTC microseconds; `message_id`: `<a@b>`, None
    where the door makes one of the message's own number (`intake.draft.whole`).

    `eightbit`: text may stand as 8bit (the next hop has 8BITMIME), else it is quoted-printable or base64.
    Raises ComposeError (a ValueError) with a sentence that names the field and quotes nothing of it."""
    if message_id is not None and _MESSAGE_ID.fullmatch(message_id) is None:
        raise ComposeError("message-id", "The Message-ID is not well formed.")
    if len(subject) > MAX_SUBJECT:
        raise ComposeError("subject", "The subject is longer than 998 characters.")
    lines = [_mailboxes("From", [from_])]
    if sender is not None:
        lines.append(_mailboxes("Sender", [sender]))
    if to:
        lines.append(_mailboxes("To", to))
    elif not cc:
        lines.append("To: undisclosed-recipients:;\r\n")
    if cc:
        lines.append(_mailboxes("Cc", cc))
    if reply_to:
        lines.append(_mailboxes("Reply-To", reply_to))
    lines.append(_unstructured("Subject", subject))
    lines.append(f"Date: {date.text(at)}\r\n")
    if message_id is not None:
        lines.append(f"Message-ID: {message_id}\r\n")
    for name, value in headers:
        if _NAME.fullmatch(name) is None or name.lower() in RESERVED or name.lower().startswith("content-"):
            raise _not_here(name)
        lines.append(_unstructured(name, value))
    lines.append("MIME-Version: 1.0\r\n")
    return "".join(lines).encode("utf-8") + _body(text, html, attachments, eightbit)


def _not_here(name: str) -> ComposeError:
    if name.lower() in RESERVED:
        return ComposeError("header-name", f"The header field {name.title()} is set by the server; leave it out.")
    return ComposeError(
        "header-name",
        "The name of a header field has 1 to 70 printable ASCII characters without space and colon, and does not begin "
        "with Content-.",
    )


def check_attachment(part: Attachment) -> None:
    """Raises ComposeError for a name or type that could not stand in a message."""
    _attachment(part)


def _mailboxes(name: str, mailboxes: Sequence[Mailbox]) -> str:
    try:
        return f"{name}: " + ",\r\n ".join(format_mailbox(m.name, m.address) for m in mailboxes) + "\r\n"
    except AddressError as error:
        raise ComposeError(error.code, f"In {name}: {error.public}", error.enhanced) from None


def _unstructured(name: str, value: str) -> str:
    if _CONTROL.search(value):
        code = "subject" if name == "Subject" else "header-control"
        raise ComposeError(code, f"The value of {name} contains a line end or control character.")
    line = f"{name}: {words.encode(value.strip(), used=len(name) + 2)}"
    if len(line) > 78 and "\r\n" not in line:
        line = _fold(line)
    if max(map(len, line.split("\r\n"))) > 998:
        raise ComposeError("header-long", f"The value of {name} has more than 998 characters without a space.")
    return line + "\r\n"


def _fold(line: str) -> str:
    """Breaks before a space, so unfolding gives the same text (RFC 5322 2.2.3)."""
    out: list[str] = []
    while len(line) > 78:
        at = line.rfind(" ", line.find(" ") + 1, 78)
        # a line of blanks alone would end the field for some readers
        if at <= 0 or not line[:at].strip() or not line[at:].strip():
            at = line.find(" ", 78)
            if at < 0 or not line[at:].strip():
                break
        out.append(line[:at])
        line = line[at:]
    return "\r\n".join([*out, line])


def _body(text: str | None, html: str | None, attachments: Sequence[Attachment], eightbit: bool) -> bytes:
    """From the Content-Type of the message on."""
    inline = [a for a in attachments if a.content_id and html is not None]
    loose = [a for a in attachments if not (a.content_id and html is not None)]
    parts: list[bytes] = []
    if text is not None or html is None:
        parts.append(_text("plain", text or "", eightbit))
    if html is not None:
        page = _text("html", html, eightbit)
        parts.append(_multipart("related", [page, *map(_attachment, inline)]) if inline else page)
    body = parts[0] if len(parts) == 1 else _multipart("alternative", parts)
    return _multipart("mixed", [body, *map(_attachment, loose)]) if loose else body


def _multipart(kind: str, parts: Sequence[bytes]) -> bytes:
    # "=_" stands in no quoted-printable and no base64; 128 random bits stand in nothing else
    mark = "=_" + os.urandom(16).hex()
    start = f'Content-Type: multipart/{kind}; boundary="{mark}"\r\n\r\n'.encode("ascii")
    between = b"--" + mark.encode("ascii") + b"\r\n"
    return start + between + between.join(parts) + b"--" + mark.encode("ascii") + b"--\r\n"


def _text(kind: str, text: str, eightbit: bool) -> bytes:
    field = "html" if kind == "html" else "text"
    if "\0" in text:
        raise ComposeError(f"{field}-nul", f"The {field} contains a NUL character.")
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if not text.endswith("\n"):
        text += "\n"
    try:
        raw = text.encode("utf-8")
    except UnicodeEncodeError:
        raise ComposeError(f"{field}-unicode", f"The {field} is not valid Unicode.") from None
    ascii_only = raw.isascii()
    if (ascii_only or eightbit) and _short(raw):
        encoding = "7bit" if ascii_only else "8bit"
        raw = raw.replace(b"\n", b"\r\n")
    elif ascii_only or 6 * (len(raw) - len(text)) < len(raw):
        encoding = "quoted-printable"
        # encoded with LF: only so is white space before a line end protected
        raw = binascii.b2a_qp(raw, istext=True).replace(b"\n", b"\r\n")
    else:
        encoding, raw = "base64", _base64(raw.replace(b"\n", b"\r\n"))
    charset = "us-ascii" if encoding == "7bit" else "utf-8"
    head = f"Content-Type: text/{kind}; charset={charset}\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n"
    return head.encode("ascii") + raw


def _short(raw: bytes) -> bool:
    """No line over 998 octets without its line end, which is LF still."""
    at, last = 0, len(raw) - 999
    while at <= last:
        end = raw.rfind(b"\n", at, at + 999)
        if end < 0:
            return False
        at = end + 1
    return True


def _base64(raw: bytes) -> bytes:
    encoded = base64.b64encode(raw)
    return b"\r\n".join([encoded[at : at + 76] for at in range(0, len(encoded), 76)]) + b"\r\n"


def _attachment(part: Attachment) -> bytes:
    lines = [_kind(part.content_type), "Content-Transfer-Encoding: base64"]
    if part.content_id:
        if _CONTENT_ID.fullmatch(part.content_id) is None:
            raise ComposeError(
                "content-id",
                "The content id of an attachment is not well formed: give letters, digits and .-_@, without angle "
                "brackets.",
            )
        lines.append(f"Content-ID: <{part.content_id}>")
    lines.append(f"Content-Disposition: {'inline' if part.content_id else 'attachment'}{_filename(part.filename)}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("ascii") + _base64(part.data)


def _kind(said: str) -> str:
    """The Content-Type of a file, folded before each parameter. Raises ComposeError."""
    kind, _, _ = said.partition(";")
    given = said[len(kind) :]
    found = _PARAMETER.findall(given)
    kind = kind.strip(" \t").lower()
    if (
        _TYPE.fullmatch(kind) is None
        or kind.startswith("multipart/")
        or _PARAMETER.sub("", given)
        or len({name.lower() for name, _ in found}) != len(found)
    ):
        raise ComposeError(
            "content-type",
            "The content type of an attachment is not well formed: give one like application/pdf, or "
            "text/calendar; method=REQUEST.",
        )
    if kind.startswith("message/"):
        # base64 is not allowed there (RFC 2046 5.2), and a mail inside is a file to its reader anyway
        return "Content-Type: application/octet-stream"
    # its name is said once, by Content-Disposition
    kept = [f";\r\n {name.lower()}={value}" for name, value in found if name.lower() not in ("name", "boundary")]
    return f"Content-Type: {kind}{''.join(kept)}"


def _filename(name: str) -> str:
    """The filename parameter, by RFC 2231 where it is not plain ASCII."""
    if not name:
        return ""
    if _CONTROL.search(name) or len(name) > MAX_FILENAME:
        raise ComposeError("filename", "The name of an attachment is too long or contains a control character.")
    if _PLAIN_FILENAME.fullmatch(name) and len(name) <= 60:
        return f';\r\n filename="{name}"'
    coded = quote(name, safe="")
    pieces = []
    at = 0
    while at < len(coded):
        end = min(at + 60, len(coded))
        # an escape stays whole
        while end < len(coded) and "%" in coded[end - 2 : end]:
            end -= 1
        pieces.append(coded[at:end])
        at = end
    if len(pieces) == 1:
        return f";\r\n filename*=utf-8''{coded}"
    first, *rest = pieces
    return f";\r\n filename*0*=utf-8''{first}" + "".join(f";\r\n filename*{i}*={p}" for i, p in enumerate(rest, 1))
