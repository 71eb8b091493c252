"""The subject shown in the body of an encrypted message, for readers that know no header protection (RFC 9788 5.2.2).

Outlook and others show "[...]" as the subject for ever; the legacy display element gives them the real one, inside the
encryption. It is marked, so that readers that do know take it out again, as `remove` does. What cannot be changed with
certainty is left as it is: no octet inside a signature is touched.
"""

import binascii
import html
import re
from collections.abc import Callable, Sequence

from carepost.rfc import message as rfc_message
from carepost.rfc import mime, parts, words
from carepost.rfc.errors import RfcError
from carepost.rfc.parts import Part
from carepost.rfc.protected import Outline

#: characters of the subject that are shown
MAX_SHOWN = 400
#: multiparts around the text that are looked into, and texts changed
MAX_DEPTH, MAX_TEXTS = 6, 8

_MARK = "hp-legacy-display"
_MARKED = b';\r\n hp-legacy-display="1"'
_TYPE = re.compile(rb"[ \t]*(?:\r\n[ \t]+)?[A-Za-z0-9!#$&^_.+-]{1,80}/[A-Za-z0-9!#$&^_.+-]{1,80}")
_PARAMETER = re.compile(rb';(?:\r\n)?[ \t]*hp-legacy-display[ \t]*=[ \t]*"?1"?(?=[ \t]*(?:;|\r\n))', re.IGNORECASE)
_BODY = re.compile(rb"<body(?:\s[^<>]{0,2000})?>", re.IGNORECASE)
_PAGE = re.compile(rb"<(?:!doctype|html|head)[\s>]", re.IGNORECASE)
#: where this finds nothing neither of both does, and a piece of a page is read once
_EITHER = re.compile(rb"<(?:body|!doctype|html|head)[\s>]", re.IGNORECASE)
#: the type of a message that is one text, as nearly every program writes it: nothing in it has two readings
_ONE_TEXT = re.compile(
    rb"[ \t]*text/(plain|html)((?:;[ \t]*(?:\r\n[ \t]+)?(?:charset|format|hp|protected-headers)"
    rb"=(?:[A-Za-z0-9._-]{1,80}|\"[A-Za-z0-9._-]{1,80}\"))*)",
    re.IGNORECASE,
)
_CHARSET = re.compile(rb"charset=\"?([^\";]*)", re.IGNORECASE)
_CONTENT_FIELDS = frozenset({b"content-disposition", b"content-id"})
_FIELD = re.compile(rb"[A-Za-z-]{1,40}:")
_CLASS = b"header-protection-legacy-display"
# neither runs over a "<", so both stay linear on a page made of nothing but their beginnings
_ELEMENT = re.compile(rb'(?:\r\n)?<div class="' + _CLASS + rb'">\s{0,10}<pre>[^<]{0,8000}</pre>\s{0,10}</div>(?:\r\n)?')
#: charsets in which ASCII stands for itself
_PLAIN = re.compile(r"(?:us-ascii|ascii|utf-8|iso-8859-[0-9]{1,2}|windows-125[0-9])?", re.IGNORECASE)


class _Text:
    """A text part of the entity: where it stands, and what it says of itself."""

    __slots__ = ("body", "end", "part", "start")

    def __init__(self, start: int, end: int, body: int, part: Part) -> None:
        self.start = start
        self.end = end
        self.body = body
        self.part = part


_Change = Callable[[_Text], bytes | None]


def add(payload: bytes, outline: Outline | None = None) -> bytes:
    """The MIME entity `payload` (`protected.protect(...).payload`) with its own subject at the head of each of its main
    texts; itself where it has none, or where it could not be told apart again. `outline`: `protect(...).outline`, where
    the caller has it: the header is then not read again."""
    try:
        outline = outline or _outline(payload)
        made = None if outline is None else _one_text(payload, outline)
        if made is not None:
            return made
        subject = _subject(payload)
        texts = _texts(payload, 0, len(payload), 0)[:MAX_TEXTS] if subject else []
        made = _changed(payload, texts, lambda text: _added(payload, text, subject))
        # lines put before lines come off again by construction; a page, or base64, is tried
        certain = made is payload or all(t.part.type == "text/plain" and t.part.encoding != "base64" for t in texts)
        return made if certain or _same(payload, remove(made)) else payload
    except RfcError:
        return payload


def _outline(payload: bytes) -> Outline | None:
    fields, start = rfc_message.section(payload)
    found: dict[bytes, rfc_message.Field] = {}
    for field in fields:
        if field.name in _CONTENT_FIELDS or (field.name in found and field.name.startswith(b"content-")):
            return None
        found.setdefault(field.name, field)
    kind, coding, subject = (found.get(n) for n in (b"content-type", b"content-transfer-encoding", b"subject"))
    if kind is None or subject is None or start > len(payload):
        return None
    said = None if coding is None else payload[coding.value : coding.end - 2]
    return Outline(payload[subject.value : subject.end - 2], kind.value, kind.end - 2, said, start)


def _one_text(payload: bytes, outline: Outline) -> bytes | None:
    """What `add` makes of a message that is one text in 7 or 8 bits: its header read once, and certain without being
    taken apart again. None: it has another form, or words of ours in it; then it is looked at in full."""
    start = outline.body
    encoding = b"7bit" if outline.coding is None else outline.coding.strip(b" \t").lower()
    read = _ONE_TEXT.fullmatch(payload, outline.kind, outline.kind_end)
    if encoding not in (b"7bit", b"8bit") or read is None or _PARAMETER.search(payload, 0, start):
        return None
    named = _CHARSET.findall(read[2])
    charset = named[0].decode("ascii").lower() if named else ""
    if len(named) > 1 or not _PLAIN.fullmatch(charset):
        return None
    shown, at = _shown(outline.subject), start
    if not shown:
        return None
    if read[1].lower() == b"plain":
        added = _line(shown, charset if encoding == b"8bit" and charset else "us-ascii")
    elif payload.find(_CLASS, start) >= 0:
        return None
    else:
        added, place = b"\r\n" + _element(shown) + b"\r\n", _place(payload, start)
        if place is None:
            return None
        at = place
    # the body is copied once: it is nearly all of the message
    marked = read.start(2)
    return b"".join((payload[:marked], _MARKED, payload[marked:at], added, memoryview(payload)[at:]))


def remove(entity: bytes) -> bytes:
    """A message or entity without the elements that are marked in it; itself where there are none."""
    if _MARK.encode() not in entity:
        return entity
    try:
        return _changed(entity, _texts(entity, 0, len(entity), 0), lambda text: _removed(entity, text))
    except RfcError:
        return entity


def _subject(payload: bytes) -> str:
    fields, _ = rfc_message.section(payload)
    for field in fields:
        if field.name == b"subject":
            return _shown(payload[field.value : field.end - 2])
    return ""


def _shown(subject: bytes) -> str:
    value = subject.replace(b"\r\n", b"").decode("utf-8", "replace").strip()
    return words.decode(value[:16_384])[:MAX_SHOWN].strip()


def _same(before: bytes, after: bytes) -> bool:
    """Octet by octet, which is the usual; else part by part, and what was not changed is not decoded."""
    if before == after:
        return True
    old, new = parts.walk(before), parts.walk(after)
    return len(old) == len(new) and all(
        (a.type, a.within, a.disposition) == (b.type, b.within, b.disposition)
        and (before[a.start : a.end] == after[b.start : b.end] or mime.decode(before, a) == mime.decode(after, b))
        for a, b in zip(old, new, strict=True)
    )


def _changed(entity: bytes, texts: Sequence[_Text], change: _Change) -> bytes:
    made, at = [], 0
    for text in texts:
        new = change(text)
        if new is not None:
            made += [entity[at : text.start], new]
            at = text.end
    return b"".join([*made, entity[at:]]) if made else entity


def _texts(entity: bytes, start: int, end: int, depth: int) -> list[_Text]:
    """What a reader shows first: the text itself, or the texts of the first part of what is mixed (RFC 9788 4.5.3)."""
    part, spans = parts.outermost(entity[start:end])
    if part.type in ("text/plain", "text/html"):
        named = part.disposition not in ("", "inline") or "filename" in part.disposition_params
        usable = not named and _PLAIN.fullmatch(part.params.get("charset", "")) is not None
        return [_Text(start, end, start + part.start, part)] if usable else []
    if depth >= MAX_DEPTH or part.type not in ("multipart/alternative", "multipart/mixed", "multipart/related"):
        return []
    chosen = spans if part.type == "multipart/alternative" else spans[:1]
    return [text for a, b in chosen for text in _texts(entity, start + a, start + b, depth + 1)]


def _added(payload: bytes, text: _Text, subject: str) -> bytes | None:
    head, body = _marked(payload[text.start : text.body]), payload[text.body : text.end]
    if head is None or _MARK in text.part.params:
        return None
    new = _plain(body, text.part, subject) if text.part.type == "text/plain" else _page(body, text.part, subject)
    return None if new is None else head + new


def _marked(head: bytes) -> bytes | None:
    """The part's header with the mark right after its type, so that nothing can swallow it."""
    fields, _ = rfc_message.section(head)
    for field in fields:
        if field.name != b"content-type" or (kind := _TYPE.match(head, field.value, field.end)) is None:
            continue
        # a comment would stand where a parameter may
        if b"(" not in head[kind.end() : field.end]:
            return head[: kind.end()] + _MARKED + head[kind.end() :]
    return None


def _plain(body: bytes, part: Part, subject: str) -> bytes | None:
    charset = part.params.get("charset", "us-ascii")
    if part.encoding in ("7bit", "8bit"):
        return _line(subject, charset if part.encoding == "8bit" else "us-ascii") + body
    raw = f"Subject: {subject}".encode(words.codec(charset) or "ascii", "replace")
    if part.encoding == "quoted-printable":
        return binascii.b2a_qp(raw).replace(b"\n", b"\r\n") + b"\r\n\r\n" + body
    if part.encoding == "base64":
        # whole groups of three octets, so that what follows need not be coded again
        raw += b" " * (-(len(raw) + 4) % 3)
        return _lines(raw + b"\r\n\r\n") + body
    return None


def _line(subject: str, charset: str) -> bytes:
    return f"Subject: {subject}".encode(words.codec(charset) or "ascii", "replace") + b"\r\n\r\n"


def _element(subject: str) -> bytes:
    shown = html.escape(f"Subject: {subject}").encode("ascii", "xmlcharrefreplace")
    return b'<div class="' + _CLASS + b'"><pre>' + shown + b"</pre></div>"


def _page(body: bytes, part: Part, subject: str) -> bytes | None:
    element = _element(subject)
    if part.encoding == "base64":
        page = mime.decode(body, _whole(part, body))
        made = _inserted(page, b"\r\n" + element + b"\r\n")
        return None if made is None else _lines(made)
    if part.encoding == "quoted-printable":
        return _inserted(body, b"=\r\n" + binascii.b2a_qp(element).replace(b"\n", b"\r\n") + b"=\r\n")
    return _inserted(body, b"\r\n" + element + b"\r\n") if part.encoding in ("7bit", "8bit") else None


def _inserted(page: bytes, element: bytes) -> bytes | None:
    at = _place(page, 0)
    if at is None:
        return None
    return page[:at] + element + page[at:] if at else element.removeprefix(b"=\r\n") + page


def _place(page: bytes, start: int) -> int | None:
    """The offset at which the element stands in a page that begins at `start`; None for a page without a body."""
    if _EITHER.search(page, start) is None:
        return start
    found = _BODY.search(page, start)
    if found is not None:
        return found.end()
    return None if _PAGE.search(page, start) else start


def _removed(entity: bytes, text: _Text) -> bytes | None:
    if text.part.params.get(_MARK) != "1":
        return None
    head, body = _PARAMETER.sub(b"", entity[text.start : text.body]), entity[text.body : text.end]
    plain = text.part.type == "text/plain"
    if plain and text.part.encoding in ("7bit", "8bit", "quoted-printable"):
        return head + _without_lines(body)
    decoded = mime.decode(body, _whole(text.part, body))
    kept = _without_lines(decoded) if plain else _ELEMENT.sub(b"", decoded, count=1)
    if text.part.encoding == "base64":
        return head + _lines(kept)
    if text.part.encoding == "quoted-printable":
        lines = [binascii.b2a_qp(line).replace(b"\n", b"\r\n") for line in kept.split(b"\r\n")]
        return head + b"\r\n".join(lines)
    return head + kept


def _without_lines(body: bytes) -> bytes:
    """RFC 9788 4.5.3.1: all up to the first empty line, where it begins as a header field does."""
    end = body.find(b"\r\n\r\n", 0, 4096)
    return body if end < 0 or _FIELD.match(body) is None else body[end + 4 :]


def _whole(part: Part, body: bytes) -> Part:
    """`part` as if it were all there is, for `mime.decode`."""
    return Part(
        part.type,
        part.params,
        part.encoding,
        part.disposition,
        part.disposition_params,
        part.content_id,
        0,
        len(body),
        (),
    )


def _lines(raw: bytes) -> bytes:
    coded = binascii.b2a_base64(raw, newline=False)
    return b"\r\n".join([coded[at : at + 76] for at in range(0, len(coded), 76)]) + b"\r\n"
