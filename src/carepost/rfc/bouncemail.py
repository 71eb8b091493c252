"""A mail that says of another that it did not arrive: RFC 3464 reports, and what systems write in their own words.

Nothing is believed here: whoever knows an address can write such a mail (BI-028). Bounded, never raises."""

import re
from typing import Final

import msgspec

from carepost.rfc import bounceparts, bouncewords, dsn, mime, parts, words
from carepost.rfc.bounces import Class, Verdict, classify
from carepost.rfc.errors import RfcError

#: recipients of one mail, octets and lines of its text looked at
MOST, _OCTETS, _LINES = 100, 256 * 1024, 2_000
#: characters of what was said of one recipient
_SAID: Final = 1_200


class Failed(msgspec.Struct, frozen=True):
    """One recipient; "" where the mail names none that can be read. `action`: failed | delayed | delivered | relayed |
    expanded (RFC 3464 2.3.3)."""

    recipient: str
    verdict: Verdict
    action: str = "failed"
    #: as the sender had it, where that is another; ""
    original: str = ""
    #: of a delay: until when the other system tries, UTC microseconds; 0: it does not say
    until: int = 0


class Bounce(msgspec.Struct, frozen=True):
    """`form`: dsn | text. `message_id` of the mail it is about, "" where it does not say."""

    form: str
    recipients: tuple[Failed, ...]
    message_id: str = ""


_ADDRESS: Final = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,10}")
_FAILED_FIELD: Final = re.compile(rb"^x-failed-recipients:[ \t]*((?:[^\r\n]|\r\n[ \t])*)", re.IGNORECASE | re.MULTILINE)
_MESSAGE_ID: Final = re.compile(r"^[ \t>|]*message-id:\s*(<[^<>\s]{1,995}>)", re.IGNORECASE | re.MULTILINE)
_ORIGINAL: Final = dsn.ORIGINAL_TYPES | {"message/rfc822-headers"}
_TAG: Final = re.compile(r"<(?:br|/p|/div|/tr|/li|/h\d)\b[^<>]{0,300}>", re.IGNORECASE)
_MARKUP: Final = re.compile(
    r"<(?:/?[a-z][a-z0-9]*(?:\s[^<>]{0,500})?|!--.{0,500}?--)/?>|&nbsp;", re.IGNORECASE | re.DOTALL
)


def read(raw: bytes) -> Bounce | None:
    """None where it is none: a person's mail, an answer of an absent person, a report of reading."""
    raw = _lines(raw[: 16 * 1024 * 1024])
    report = dsn.read(raw) or _loose_report(raw)
    found = _report(report, raw) if report is not None else None
    if found is not None:
        return found
    header, _, rest = raw.partition(b"\r\n\r\n")
    if b"feedback-report" in header.lower():
        # a complaint (`rfc.arf`)
        return None
    named = _FAILED_FIELD.search(header)
    text = _text(raw, rest)
    if named is None and not _bounces(header, text, _has_copy(raw, rest)):
        return None
    return _told(text, named[1].decode("ascii", "ignore") if named else "", _about(raw), _own(header))


def _lines(raw: bytes) -> bytes:
    """CRLF whatever the mail was kept with."""
    if b"\n" in raw and raw.count(b"\r\n") == raw.count(b"\n") == raw.count(b"\r"):
        return raw
    return raw.replace(b"\r\n", b"\n").replace(b"\r", b"\n").replace(b"\n", b"\r\n")


def _loose_report(raw: bytes) -> dsn.Received | None:
    """Of a mail whose parts have no single reading, or whose report stands in another multipart."""
    if b"delivery-status" not in raw[:_OCTETS].lower():
        return None
    leaves = bounceparts.sections(raw)
    status = next((one.body for one in leaves if one.type in dsn.STATUS_TYPES), None)
    if status is None:
        return None
    return dsn.of(status, next((one.body for one in leaves if one.type in dsn.ORIGINAL_TYPES), b"")[:_OCTETS])


def _has_copy(raw: bytes, rest: bytes) -> bool:
    return b"\r\ncontent-type: message/" in rest[:_OCTETS].lower() and any(
        one.type in _ORIGINAL for one in bounceparts.sections(raw)
    )


def _report(report: dsn.Received, raw: bytes) -> Bounce | None:
    failed: list[Failed] = []
    said = ""
    known: set[str] = set()
    for one in report.recipients:
        recipient = _first(one.final) or _first(one.original)
        if not recipient or recipient in known:
            continue
        known.add(recipient)
        text = one.diagnostic.partition(";")[2].strip() or one.diagnostic
        verdict = classify(text, one.status)
        if verdict.klass is Class.UNDETERMINED or (
            verdict.reason in ("policy", "expired", "server-trouble") and len(text) < 30
        ):
            # some systems keep the reason for the part that people read
            said = said or _text(raw, b"")[:_SAID]
            further = classify(f"{text} {said}", one.status)
            verdict = further if further.klass is not Class.UNDETERMINED else verdict
        failed.append(Failed(recipient, verdict, one.action or "failed", _first(one.original), one.until))
    if not failed:
        return None
    return Bounce("dsn", tuple(failed[:MOST]), report.message_id or _about(raw))


def _bounces(header: bytes, text: str, copy: bool) -> bool:
    head = header[:_OCTETS].decode("utf-8", "replace")
    sender = " ".join(re.findall(r"^(?:from|return-path|sender):[ \t]*(.*)$", head, re.IGNORECASE | re.MULTILINE))
    found = re.search(r"^subject:[ \t]*((?:.|\n[ \t])*?)$", head.replace("\r\n", "\n"), re.IGNORECASE | re.MULTILINE)
    subject = words.decode(found[1].strip()) if found else ""
    if re.search(
        r"^auto-submitted:[ \t]*auto-replied", head, re.IGNORECASE | re.MULTILINE
    ) and not bouncewords.SUBJECT.search(subject):
        return False
    marks = (
        (2 if copy and _DAEMON.search(sender) else 0)
        + bool(bouncewords.SENDER.search(sender))
        + bool(bouncewords.SUBJECT.search(subject))
        + bool(bouncewords.SPEAKS.search(text[:4_000]))
    )
    return marks >= 2


def _text(raw: bytes, rest: bytes) -> str:
    """What is written in it for people, without the mail that came back."""
    found: list[str] = []
    for kind, body in _readable(raw):
        if kind in _ORIGINAL:
            break
        if kind in ("text/plain", "text/html") and len(found) < 3:
            text = body[:_OCTETS].decode("utf-8", "replace")
            found.append(_MARKUP.sub(" ", _TAG.sub("\n", text)) if kind == "text/html" else text)
    found = found or [rest[:_OCTETS].decode("utf-8", "replace")]
    lines: list[str] = []
    for line in "\n".join(found).replace("\r\n", "\n").split("\n")[:_LINES]:
        if bouncewords.COPY.search(line) and lines:
            break
        lines.append(line[:1_000])
    return "\n".join(lines)


def _readable(raw: bytes) -> list[tuple[str, bytes]]:
    """(type, decoded body) of the first parts, up to the copy."""
    found: list[tuple[str, bytes]] = []
    try:
        for part in parts.walk(raw)[:20]:
            found.append((part.type, b"" if part.type in _ORIGINAL else mime.decode(raw, part)))
    except RfcError:
        return [(one.type, one.body) for one in bounceparts.sections(raw)[:20]]
    return found


def _told(text: str, named: str, message_id: str, own: frozenset[str]) -> Bounce:
    """Each address in turn, and what is said until the next one."""
    wanted = [a.lower() for a in _ADDRESS.findall(named)][:MOST]
    found: dict[str, list[str]] = {one: [] for one in wanted}
    current = ""
    lines_ = text.split("\n")
    for number, line in enumerate(lines_):
        address = _listed(line, own) if not wanted else next((a for a in wanted if a in line.lower()), "")
        if address and not wanted and _DESCRIBES.match(line) and _described(lines_[number + 1 : number + 5]):
            # `To:` of the block that says which message it was
            continue
        if address and address != current and (address not in found or wanted):
            if len(found) >= MOST and address not in found:
                break
            found.setdefault(address, [])
            current = address
        if current:
            found[current].append(line)
    if not found:
        about = "\n".join(line for line in lines_ if not _DESCRIBES.match(line))
        loose = [a.strip("'").lower() for a in _ADDRESS.findall(about)]
        loose = [a for a in loose if a not in own and _OFFICE.match(a) is None]
        found = {a: [text] for a in list(dict.fromkeys(loose))[:1]}
    if not found:
        # a signed return path says whom it is about; without one it is about nobody
        found = {"": [text]}
    action = "delayed" if bouncewords.LATER.search(text) else "failed"
    told = tuple(_verdict(a, lines, text, action, len(found) == 1) for a, lines in found.items())
    return Bounce("text", told, message_id)


def _verdict(address: str, lines: list[str], text: str, action: str, alone: bool) -> Failed:
    said = " ".join(" ".join(lines).split())[:_SAID]
    verdict = classify(said)
    if verdict.klass is Class.UNDETERMINED or (alone and not verdict.enhanced and not verdict.code):
        whole = classify(" ".join(text.split()))
        if verdict.klass is Class.UNDETERMINED or (
            verdict.reason == "expired" and whole.klass is not Class.UNDETERMINED
        ):
            verdict = whole
    if action == "delayed" and verdict.klass is Class.HARD:
        verdict = msgspec.structs.replace(verdict, klass=Class.SOFT)
    return Failed(address, verdict, action)


#: a line that lists an address: alone, in brackets, after a name or a heading, or followed by what is said of it
_HEADING: Final = (
    r"(?:to|(?:intended |failed )?recipient(?: address)?|address|(?:local )?mailbox|user|rcpt to|final-recipient"
    r"|addressee|for|e-?mail|original-recipient|smtp|\d+[.)])(?:\s*[:=]\s*|\s+)"
)
_NAME: Final = r"(?:\"[^\"]{0,80}\"\s*|'|“|[\w ,.]{1,60}\s(?=<|\())"
_LISTS: Final = re.compile(
    rf"^[\s>*|•-]*(?:{_HEADING})?(?:rfc822;\s*)?{_NAME}?[<(\[]?(?:mailto:|smtp:)?({_ADDRESS.pattern})[>)\]'”]?"
    r"(?:\s*(?:$|[:;,(|-].*|\.{3}.*|on (?:\w{3}, )?\d.*|\s{2,}.*|\(.*))",
    re.IGNORECASE,
)
_WITHIN: Final = re.compile(
    r"(?:message (?:wasn't|was not|couldn't be|could not be) delivered to|delivery to"
    r"|deliver(?:ed)? (?:the |your )?(?:message|mail)? ?to|was not delivered to|unable to deliver (?:\w+ ){0,3}to"
    rf"|couldn't be delivered to|failed to deliver to|recipient|rcpt to:?)\s*:?\s*[<(\[]?({_ADDRESS.pattern})",
    re.IGNORECASE,
)


def _listed(line: str, own: frozenset[str]) -> str:
    if len(line) > 600 or "@" not in line:
        return ""
    for pattern in (_LISTS, _WITHIN):
        found = pattern.search(line) if pattern is _WITHIN else pattern.match(line)
        if found is None:
            continue
        address = _PREFIX.sub("", found[1].strip("'").rstrip(".").lower())
        if address not in own and not (_OFFICE.match(address) and _HELP.search(line)):
            return address
    return ""


#: who answers for a mail system: named where help is to be had
_OFFICE: Final = re.compile(r"(?:post ?master|mailer-daemon|abuse|help-?desk|support|admin)@", re.IGNORECASE)
_PREFIX: Final = re.compile(r"^(?:smtp|rfc822|mailto)=")
_HELP: Final = re.compile(r"contact|assistance|help|question|send (?:e-?)?mail to|mailto:", re.IGNORECASE)
_DAEMON: Final = re.compile(r"mailer-?daemon|mail delivery (?:sub)?system|postmaster@", re.IGNORECASE)
#: a block that describes the message: To, then Subject or Sent
_DESCRIBES: Final = re.compile(r"^[\s>*|-]*(?:to|cc)\s*:", re.IGNORECASE)
_DESCRIBED: Final = re.compile(r"^[\s>*|-]*(?:subject|sent|date|from|cc)\s*:", re.IGNORECASE)


def _described(following: list[str]) -> bool:
    return any(_DESCRIBED.match(line) for line in following)


def _own(header: bytes) -> frozenset[str]:
    """Addresses of the mail itself: who wrote it, and whom it went to, are not who failed."""
    head = header[:_OCTETS].decode("utf-8", "replace")
    lines = re.findall(
        r"^(?:from|to|return-path|delivered-to|reply-to|sender):(.*)$", head, re.IGNORECASE | re.MULTILINE
    )
    return frozenset(a.lower() for line in lines for a in _ADDRESS.findall(line))


def _about(raw: bytes) -> str:
    """Message-ID of the copy: the last one written, which is not this mail's own."""
    text = raw[: 4 * _OCTETS].partition(b"\r\n\r\n")[2].decode("utf-8", "replace")
    found = _MESSAGE_ID.search(text)
    return found[1] if found else ""


def _first(text: str) -> str:
    found = _ADDRESS.search(text)
    if found is not None:
        return found[0].lower()
    return words.safe(text).strip("<> ").lower()[:320] if "@" in text else ""
