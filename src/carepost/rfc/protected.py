"""Header protection (RFC 9788), the same for S/MIME and PGP/MIME: what of a header stands outside, what inside.

Outside an encrypted message stand only the fields a server or a thread needs, without a word a person wrote: the
Subject is a constant, addresses have no names, and what has another form than it must have stays inside. Reading back,
the fields inside win, except a From that no signature vouches for (BI-075).
"""

import hashlib
import re
from collections.abc import Collection, Sequence

import msgspec

from carepost.rfc import message as rfc_message
from carepost.rfc import parts, words
from carepost.rfc.address import Mailbox, parse_mailboxes
from carepost.rfc.errors import AddressError, MessageError

#: RFC 9788 3.2.1: what stands outside instead of the Subject
SUBJECT = b"[...]"

#: only ever outside: they are of the way, not of the message (RFC 5321 4.4)
TRACE = frozenset({b"received", b"return-path", b"authentication-results", b"received-spf", b"delivered-to"})
#: signatures over what is about to change, and what only this module says
_BROKEN = frozenset(
    {b"hp-outer", b"dkim-signature", b"arc-seal", b"arc-message-signature", b"arc-authentication-results"}
)
_GONE = rfc_message.REMOVED | _BROKEN
_ADDRESSES = {b"from": b"From", b"sender": b"Sender", b"reply-to": b"Reply-To", b"to": b"To", b"cc": b"Cc"}
_ID = r"<[A-Za-z0-9.!#$%&'*+/=?^_`{|}~@:-]{3,250}>"
#: the whole of what may be said outside in these fields
_FORMS = {
    b"date": re.compile(
        r"(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), )? ?[0-9]{1,2} (?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
        r" [0-9]{4} [0-9]{2}:[0-9]{2}(?::[0-9]{2})? (?:[+-][0-9]{4}|GMT|UTC|UT)"
    ),
    b"message-id": re.compile(_ID),
    b"in-reply-to": re.compile(rf"{_ID}(?:[ \t]+{_ID}){{0,20}}"),
    b"references": re.compile(rf"{_ID}(?:[ \t]+{_ID}){{0,200}}"),
    b"auto-submitted": re.compile(r"(?:no|auto-generated|auto-replied|auto-notified)"),
    b"precedence": re.compile(r"(?:bulk|list|junk)"),
}
_OUTSIDE = {
    **_ADDRESSES, b"subject": b"Subject", b"date": b"Date", b"message-id": b"Message-ID",
    b"in-reply-to": b"In-Reply-To", b"references": b"References", b"auto-submitted": b"Auto-Submitted",
    b"precedence": b"Precedence",
}  # fmt: skip
_TYPE = re.compile(rb"[ \t]*(?:\r\n[ \t]+)?([A-Za-z0-9!#$&^_.+-]{1,80}/[A-Za-z0-9!#$&^_.+-]{1,80})")
#: what nearly every message has, and no mark of ours among it
_USUAL_TYPE = re.compile(
    rb"[ \t]*([A-Za-z0-9!#$&^_.+-]{1,80}/[A-Za-z0-9!#$&^_.+-]{1,80})"
    rb"((?:;[ \t]*(?:\r\n[ \t]+)?(?:charset|boundary|format|type)"
    rb"=(?:[A-Za-z0-9._=-]{1,80}|\"[A-Za-z0-9'()+_,./:=?-]{1,80}\"))*)",
    re.IGNORECASE,
)
_MARK = re.compile(
    rb';[ \t\r\n]*(?:hp|protected-headers|hp-legacy-display)[ \t]*=[ \t]*(?:"[^"\r\n]*"|[^;\s"]*)', re.IGNORECASE
)
#: as `_marked` begins, and no field that is taken over as it stands
_KIND = b"Content-Type:"
_HP_OUTER = re.compile(r"([!-9;-~]{1,70}):[ \t]*(.*)", re.DOTALL)
_SPACE = re.compile(r"[ \t\r\n]+")


class Outline(msgspec.Struct, frozen=True, gc=False):
    """Where the words stand in a payload of the usual form, whose Content-* fields are a Content-Type and at most a
    Content-Transfer-Encoding. `subject`: its value, with its folds; `kind`, `kind_end`: offsets of the value of
    Content-Type; `coding`: the other's value, None without one; `body`: offset of the first octet of the body."""

    subject: bytes
    kind: int
    kind_end: int
    coding: bytes | None
    body: int


class Protected(msgspec.Struct, frozen=True):
    """`outer`: whole fields for the new message's header, all but MIME-Version and Content-*, which the method adds.
    `payload`: the MIME entity to sign or encrypt, its header inside. `outline`: None for one of another form. `shown`:
    the fields of `outer` but trace fields, lower-case name -> value, where the payload will be encrypted."""

    outer: bytes
    payload: bytes
    outline: Outline | None = None
    shown: dict[bytes, bytes] = {}


class Opened(msgspec.Struct, frozen=True):
    """`message`: as its sender composed it. `protection`: cipher | clear | "" (nothing of the header was protected).
    `hidden`: lower-case names of the fields that did not stand outside as they are. `warnings`: from-differs."""

    message: bytes
    protection: str
    hidden: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def protect(
    raw: bytes, *, encrypted: bool, old_parameter: bool = False, known: rfc_message.Head | None = None
) -> Protected:
    """Splits a submitted message (RFC 9788 5.2). `encrypted`: the payload will be; else it is only signed and its
    header stands outside as well. `old_parameter` adds `protected-headers="v1"`, which older PGP/MIME readers know.
    `known`: the header as it was read before; another message's is read anew.

    Bcc and what else must not leave is in neither. Raises MessageError where the header cannot be read."""
    read, begin = (known.read, known.at) if known is not None and known.heads(raw) else (rfc_message.read(raw), 0)
    header = read.raw
    trace: list[bytes] = [raw[:begin]] if begin else []
    inner: list[bytes] = []
    structure: list[bytes] = []
    usual = True
    outer: dict[bytes, bytes] = {}
    for field in read.fields:
        name = field.name
        whole = header[field.start : field.end]
        if name in _OUTSIDE:
            inner.append(whole)
            if encrypted and name not in outer and (shown := _outside(read, field)):
                outer[name] = shown
        elif name == b"content-type":
            structure.append(_marked(header[field.value : field.end - 2], encrypted, old_parameter))
        elif name.startswith(b"content-"):
            structure.append(whole)
            usual = usual and name == b"content-transfer-encoding"
        elif name == b"mime-version" or name in _GONE or name.startswith(rfc_message.REMOVED_PREFIX):
            continue
        elif name in TRACE:
            # the way it came stays (RFC 5321 4.4); what the sender's servers found about him is for nobody else, and
            # anything can be written into it
            if name == b"received" or not encrypted:
                trace.append(whole)
        else:
            inner.append(whole)
    if b"content-type" not in read.first:
        structure.append(_marked(b" text/plain; charset=us-ascii", encrypted, old_parameter))
    if encrypted:
        # where the sender gave none a constant stands all the same: "no subject" is something said, too
        outer.setdefault(b"subject", SUBJECT)
        head = [b"%b: %b\r\n" % (_OUTSIDE[name], shown) for name, shown in outer.items()]
        listed = b"HP-Outer: " + b"HP-Outer: ".join(head)
    else:
        head, listed = inner, b""
    before = b"".join((*inner, listed, b"MIME-Version: 1.0\r\n"))
    # the body is nearly all of it, and copied once
    payload = b"".join((before, *structure, b"\r\n", memoryview(raw)[begin + read.header_end :]))
    return Protected(b"".join(trace + head), payload, _outline(read, before, structure) if usual else None, outer)


def _outline(read: rfc_message.Message, before: bytes, structure: Sequence[bytes]) -> Outline | None:
    """`before`: the payload up to its Content-* fields, `structure`: these."""
    at, kind, kind_end, coding = len(before), 0, 0, None
    for field in structure:
        if field.startswith(_KIND):
            kind, kind_end = at + len(_KIND), at + len(field) - 2
        else:
            coding = field.partition(b":")[2][:-2]
        at += len(field)
    subject = read.first.get(b"subject")
    if subject is None or at > rfc_message.MAX_HEADER:
        return None
    return Outline(read.raw[subject.value : subject.end - 2], kind, kind_end, coding, at + 2)


def _outside(read: rfc_message.Message, field: rfc_message.Field) -> bytes:
    """What of a composed field stands outside an encrypted message; b"" for nothing."""
    name = field.name
    if name == b"subject":
        return SUBJECT
    if name == b"from":
        return _bare(read.from_)
    value = read.text(field)
    if name in _ADDRESSES:
        return _bare(_mailboxes(value))
    form = _FORMS[name].match(value)
    # a comment after it is not the field's content (RFC 5322 3.2.2), and a person wrote it; anything else is none
    if form is None or (form.end() != len(value) and not value[form.end() :].lstrip().startswith("(")):
        return _other_id(read, value) if name == b"message-id" else b""
    shown = form[0] if name != b"references" else "\r\n ".join(_SPACE.split(form[0]))
    return shown.encode("ascii")


def _other_id(read: rfc_message.Message, value: str) -> bytes:
    """A Message-ID of our own for one that could say anything: the same at every attempt."""
    name = hashlib.sha256(value.encode("utf-8", "replace")).hexdigest()[:32]
    return f"<{name}@{read.from_[0].address.rpartition('@')[2]}>".encode()


def _mailboxes(value: str) -> Sequence[Mailbox]:
    try:
        return parse_mailboxes(value)
    except AddressError:
        return ()


def _bare(mailboxes: Sequence[Mailbox]) -> bytes:
    """Addresses alone: names of people and of groups stay inside."""
    return ",\r\n ".join([m.address for m in mailboxes]).encode("utf-8") or b"undisclosed-recipients:;"


def _marked(value: bytes, encrypted: bool, old_parameter: bool) -> bytes:
    """The Content-Type field of a payload. The mark follows the type itself, so nothing after it can swallow it."""
    kind = _USUAL_TYPE.fullmatch(value) or _TYPE.match(value)
    if kind is not None and kind.re is _USUAL_TYPE:
        name, rest = kind[1], kind[2]
    elif kind is None or parts.parameters(_flat(value))[0] != kind[1].decode("ascii").lower():
        # what cannot be read is bytes to every reader of ours (RFC 2045 5.2)
        name, rest = b"application/octet-stream", b""
    else:
        name, rest = kind[1], value[kind.end() :]
        if {"hp", "protected-headers", "hp-legacy-display"} & set(parts.parameters(_flat(value))[1]):
            rest = _MARK.sub(b"", rest)
    marks = b';\r\n hp="cipher"' if encrypted else b';\r\n hp="clear"'
    if old_parameter:
        marks += b'; protected-headers="v1"'
    return _KIND + b" " + name + marks + rest + b"\r\n"


def _flat(value: bytes) -> str:
    return value.replace(b"\r\n", b"").decode("utf-8", "replace").strip()


def mark(payload: bytes) -> str:
    """The header protection a payload says it has: cipher | clear | v1 (the form before RFC 9788) | ""."""
    fields, _ = rfc_message.section(payload)
    for field in fields:
        if field.name == b"content-type":
            _, params = parts.parameters(_flat(payload[field.value : field.end - 2]))
            if params.get("hp") in ("cipher", "clear"):
                return params["hp"]
            return "v1" if params.get("protected-headers") == "v1" else ""
    return ""


def senders(payload: bytes) -> list[str]:
    """The addresses of From inside; [] where there is no From, [""] where it cannot be read or stands twice."""
    fields, _ = rfc_message.section(payload)
    found = [f for f in fields if f.name == b"from"]
    if len(found) != 1:
        return [""] if found else []
    try:
        return [m.address for m in parse_mailboxes(_flat(payload[found[0].value : found[0].end - 2]), groups=False)]
    except AddressError:
        return [""]


def open_(outer: bytes, payload: bytes, *, encrypted: bool, vouched: Collection[str] = ()) -> Opened:
    """The message as composed, from the message it came in (`outer`, whole or its header) and the entity that was
    signed or decrypted (`payload`), both with CRLF line ends.

    `vouched`: addresses the signature speaks for. Where the From inside is another than outside and not among them, the
    From outside stays and `warnings` says from-differs (RFC 9788 4.4, BI-075). Raises MessageError."""
    read = rfc_message.read(outer)
    fields, body = rfc_message.section(payload)
    said = mark(payload)
    structure = b"".join(
        payload[f.start : f.end] for f in fields if f.name.startswith(b"content-") or f.name == b"mime-version"
    )
    if not any(f.name == b"mime-version" for f in fields):
        structure = b"MIME-Version: 1.0\r\n" + structure
    if not said:
        around = [outer[f.start : f.end] for f in read.fields if not _structural(f.name)]
        return Opened(b"".join([*around, structure, b"\r\n", payload[body:]]), "")
    inner = [f for f in fields if not _structural(f.name) and f.name not in TRACE]
    _single(inner)
    inside = {address.lower() for address in senders(payload)}
    differs = bool(inside) and inside != {m.address.lower() for m in read.from_}
    keep_outer = differs and not inside <= {address.lower() for address in vouched}
    if keep_outer:
        inner = [f for f in inner if f.name != b"from"]
    names = {f.name for f in inner}
    # before RFC 9788 not all of a header was put inside; since then what is not inside was not composed (4.1)
    kept = TRACE | {b"from"} if said != "v1" else {f.name for f in read.fields if not _structural(f.name)}
    head = [outer[f.start : f.end] for f in read.fields if f.name in kept and f.name not in names]
    head += [payload[f.start : f.end] for f in inner if f.name != b"hp-outer"]
    whole = b"".join([*head, structure, b"\r\n", payload[body:]])
    # read again: what is given back has one reading
    rfc_message.read(whole)
    # "cipher" said by what was not encrypted is a claim, nothing more (RFC 9788 4.2)
    protection = ("cipher" if said != "clear" else "clear") if encrypted else "clear"
    hidden = _hidden(read, payload, inner) if protection == "cipher" else ()
    return Opened(whole, protection, hidden, ("from-differs",) if differs else ())


def _structural(name: bytes) -> bool:
    return name.startswith(b"content-") or name == b"mime-version"


def _single(fields: list[rfc_message.Field]) -> None:
    names = [f.name for f in fields if f.name in rfc_message.SINGLE]
    if len(names) != len(set(names)):
        raise MessageError("duplicate-field", "A protected header field that may appear once appears twice.")


def _hidden(read: rfc_message.Message, payload: bytes, inner: list[rfc_message.Field]) -> tuple[str, ...]:
    """RFC 9788 4.3: confidential is what HP-Outer does not give as it stands inside; without HP-Outer, what the outer
    header does not."""
    shown: set[tuple[str, str]] = set()
    listed = False
    for field in inner:
        if field.name == b"hp-outer":
            listed = True
            pair = _HP_OUTER.fullmatch(_flat(payload[field.value : field.end - 2]))
            if pair is not None:
                shown.add((pair[1].lower(), _SPACE.sub(" ", pair[2])))
    if not listed:
        shown = {(f.name.decode("ascii"), _SPACE.sub(" ", read.text(f))) for f in read.fields}
    own = {
        (f.name.decode("ascii"), _SPACE.sub(" ", _flat(payload[f.value : f.end - 2])))
        for f in inner
        if f.name != b"hp-outer"
    }
    return tuple(sorted({words.safe(name) for name, value in own if (name, value) not in shown}))
