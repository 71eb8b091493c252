"""The tree of a MIME message (RFC 2045, 2046) as offsets, in one deterministic reading or none (BI-052..054, BI-060).

Outer boundaries win over inner ones, a delimiter is a whole line, and anything that some reader would take otherwise is
refused. Nothing is decoded here and nothing recursive happens: the sender decides neither our stack nor our time.
"""

import re

import msgspec

from carepost.rfc import words
from carepost.rfc.errors import MimeError


class Limits(msgspec.Struct, frozen=True):
    depth: int = 100
    parts: int = 1_000
    #: octets of one part's header
    header: int = 64 * 1024


class Part(msgspec.Struct, frozen=True):
    """A leaf. `start` and `end` are offsets of its body, still encoded. All texts lower case but parameter values."""

    type: str
    params: dict[str, str]
    encoding: str
    disposition: str
    disposition_params: dict[str, str]
    content_id: str
    start: int
    end: int
    #: subtypes of the multiparts around it, outermost first
    within: tuple[str, ...]


DEFAULT = Limits()
_FIELD = re.compile(rb"^([!-9;-~]++):", re.MULTILINE)
_UNFOLD = re.compile(rb"\r\n(?=[ \t])")
_BOUNDARY = re.compile(r"[0-9A-Za-z'()+_,./:=? -]{0,69}[0-9A-Za-z'()+_,./:=?-]")
_TYPE = re.compile(r"[a-z0-9!#$&^_.+-]{1,80}/[a-z0-9!#$&^_.+-]{1,80}")
_PARAM = re.compile(
    r';[ \t]*([!#$&+.^_`{|}~0-9A-Za-z*\'-]{1,64})[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*+)"|([^\s";]*))[ \t]*'
)
_UNQUOTE = re.compile(r"\\(.)")
_COMMENT = re.compile(r"\([^()]*\)")
_CONTENT = frozenset(
    {b"content-type", b"content-transfer-encoding", b"content-disposition", b"content-id"}
)  # fmt: skip
_ENCODINGS = frozenset({"7bit", "8bit", "binary", "base64", "quoted-printable"})
#: no single reading of them exists in one message (RFC 2046 5.2.2, 5.2.3)
_REFUSED = frozenset({"message/partial", "message/external-body"})


def _bad(code: str, public: str) -> MimeError:
    return MimeError(code, public)


def parameters(value: str) -> tuple[str, dict[str, str]]:
    """The first token of a Content-Type or Content-Disposition, and its parameters, RFC 2231 joined (BI-056).

    Reading stops at what is not a parameter. A name given twice keeps its first value; a second boundary is refused."""
    head, _, _ = value.partition(";")
    plain: dict[str, str] = {}
    pieces: dict[str, dict[int, tuple[bool, str]]] = {}
    at = len(head)
    while at < len(value) and (found := _PARAM.match(value, at)) is not None:
        at = found.end()
        name = found[1].lower()
        text = _UNQUOTE.sub(r"\1", found[2]) if found[2] is not None else found[3]
        base, star, rest = name.partition("*")
        if not star:
            if name == "boundary" and name in plain:
                raise _bad("boundary", "A part of the message has two boundaries.")
            plain.setdefault(base, text)
            continue
        number = rest.rstrip("*")
        if number.isascii() and (number.isdigit() or not number) and len(number) <= 3:
            coded = rest.endswith("*") or not rest
            pieces.setdefault(base, {}).setdefault(int(number or 0), (coded, text))
    for base, found_pieces in pieces.items():
        joined = _join(found_pieces)
        if joined and base != "boundary":
            # RFC 6266 4.3: the extended form wins where both stand
            plain[base] = joined
    return _COMMENT.sub("", head).strip().lower(), plain


def _join(pieces: dict[int, tuple[bool, str]]) -> str:
    """RFC 2231 3 and 4: pieces by number, whatever their order; a gap ends it."""
    charset = "utf-8"
    raw = b""
    for number in range(len(pieces)):
        if number not in pieces:
            break
        coded, text = pieces[number]
        if coded and number == 0:
            charset, _, rest = text.partition("'")
            _, _, text = rest.partition("'")
        raw += _percent(text) if coded else text.encode("utf-8", "replace")
    return raw.decode(words.codec(charset) or "utf-8", "replace")


def _percent(text: str) -> bytes:
    raw = text.encode("utf-8", "replace")
    return re.sub(rb"%([0-9A-Fa-f]{2})", lambda m: bytes((int(m[1], 16),)), raw)


def _header(raw: bytes, start: int, end: int, limits: Limits) -> tuple[dict[bytes, str], int]:
    """The content fields of the entity at `start`, and the offset of its body."""
    if raw.startswith(b"\r\n", start, end):
        return {}, start + 2
    stop = raw.find(b"\r\n\r\n", start, end)
    body = stop + 4
    if stop < 0:
        stop = body = end
    if stop - start > limits.header and start > 0:
        raise _bad("part-header", "The header of a part of the message is too large.")
    found: dict[bytes, str] = {}
    matches = list(_FIELD.finditer(raw, start, stop))
    for number, match in enumerate(matches):
        name = match[1].lower()
        if name not in _CONTENT:
            continue
        if name in found:
            raise _bad("duplicate-content-field", "A part of the message describes its content twice.")
        close = matches[number + 1].start() if number + 1 < len(matches) else stop
        found[name] = _UNFOLD.sub(b"", raw[match.end() : close].rstrip(b"\r\n")).decode("utf-8", "replace").strip()
    return found, body


class _Entity(msgspec.Struct, frozen=True):
    start: int
    end: int
    within: tuple[str, ...]
    default: str


def walk(raw: bytes, limits: Limits = DEFAULT) -> list[Part]:
    """The leaves in order. Raises MimeError for what is over a limit or has two readings."""
    todo = [_Entity(0, len(raw), (), "text/plain")]
    leaves: list[Part] = []
    seen = 0
    while todo:
        entity = todo.pop()
        seen += 1
        if seen > limits.parts:
            raise _bad("mime-parts", f"The message has more than {limits.parts} parts.")
        fields, body = _header(raw, entity.start, entity.end, limits)
        kind, params = parameters(fields.get(b"content-type") or entity.default)
        if _TYPE.fullmatch(kind) is None:
            # RFC 2045 5.2: what cannot be read is treated as bytes, never as text
            kind, params = "application/octet-stream", {}
        encoding = _COMMENT.sub("", fields.get(b"content-transfer-encoding", "7bit")).strip().lower()
        if kind in _REFUSED:
            raise _bad("mime-type", "The message is only a part of one, or points to a body kept elsewhere.")
        if kind.startswith("multipart/"):
            if encoding not in ("7bit", "8bit", "binary"):
                raise _bad("mime-encoding", "A multipart of the message is encoded as a whole.")
            if len(entity.within) >= limits.depth:
                raise _bad("mime-depth", f"The message is nested more than {limits.depth} deep.")
            spans = _split(raw, body, entity.end, params.get("boundary", ""), limits.parts - seen)
            within = (*entity.within, kind.removeprefix("multipart/"))
            default = "message/rfc822" if kind == "multipart/digest" else "text/plain"
            todo.extend(_Entity(start, end, within, default) for start, end in reversed(spans))
            continue
        disposition, disposition_params = parameters(fields.get(b"content-disposition", ""))
        content_id = fields.get(b"content-id", "").strip("<> ")[:250]
        leaves.append(
            Part(
                kind, params, encoding if encoding in _ENCODINGS else "unknown", disposition, disposition_params,
                words.safe(content_id), body, entity.end, entity.within,
            )
        )  # fmt: skip
    return leaves


def outermost(raw: bytes, limits: Limits = DEFAULT) -> tuple[Part, list[tuple[int, int]]]:
    """The entity itself, and where it is a multipart the offsets of its parts, each with its own header: what a
    signature over the first of them covers (RFC 1847). Raises MimeError as `walk` does."""
    fields, body = _header(raw, 0, len(raw), limits)
    kind, params = parameters(fields.get(b"content-type") or "text/plain")
    if _TYPE.fullmatch(kind) is None:
        kind, params = "application/octet-stream", {}
    encoding = _COMMENT.sub("", fields.get(b"content-transfer-encoding", "7bit")).strip().lower()
    spans: list[tuple[int, int]] = []
    if kind.startswith("multipart/"):
        if encoding not in ("7bit", "8bit", "binary"):
            raise _bad("mime-encoding", "A multipart of the message is encoded as a whole.")
        spans = _split(raw, body, len(raw), params.get("boundary", ""), limits.parts)
    disposition, more = parameters(fields.get(b"content-disposition", ""))
    content_id = words.safe(fields.get(b"content-id", "").strip("<> ")[:250])
    encoding = encoding if encoding in _ENCODINGS else "unknown"
    return Part(kind, params, encoding, disposition, more, content_id, body, len(raw), ()), spans


def _split(raw: bytes, start: int, end: int, boundary: str, room: int) -> list[tuple[int, int]]:
    """Offsets of the parts between the delimiter lines of `boundary` in raw[start:end]."""
    if _BOUNDARY.fullmatch(boundary) is None:
        raise _bad("boundary", "A multipart of the message has no usable boundary.")
    mark = b"--" + boundary.encode("ascii")
    spans: list[tuple[int, int]] = []
    opened = -1
    at = start
    while (found := raw.find(mark, at, end)) >= 0:
        at = found + len(mark)
        # a delimiter is a whole line: two octets before it are CRLF, or the body begins here
        if found != start and raw[found - 2 : found] != b"\r\n":
            continue
        close = raw.startswith(b"--", at, end)
        line_end = raw.find(b"\r\n", at, end)
        rest = raw[at + 2 * close : line_end if line_end >= 0 else end]
        if rest.strip(b" \t"):
            continue
        if opened >= 0:
            # the CRLF before a delimiter belongs to it; a part may be empty
            spans.append((opened, max(opened, found - 2)))
            if len(spans) > room:
                raise _bad("mime-parts", "The message has too many parts.")
        if close:
            return spans
        opened = line_end + 2 if line_end >= 0 else end
        at = opened - 2 if line_end >= 0 else end
    if opened < 0:
        raise _bad("boundary", "A multipart of the message has no parts.")
    # no closing delimiter: cut short on the way, and read alike by everyone
    spans.append((opened, end))
    return spans
