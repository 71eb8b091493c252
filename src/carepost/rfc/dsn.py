"""Delivery status notifications (RFC 3461, 3464, 6522): ours, and those that come back.

Ours hold of the original only Message-ID, Date, From and this recipient (DESIGN 3), under one constant subject; the
other server's words stay with us, because they may quote the message.
"""

import enum
import os
import re

import msgspec

from carepost.rfc import date, esmtp, message, mime, parts, trail, words
from carepost.rfc.address import Mailbox, format_mailbox
from carepost.rfc.errors import ComposeError, RfcError

SUBJECT = "Delivery report"
#: recipients read of one report
MAX_RECIPIENTS = 100

_STATUS = re.compile(r"[245]\.\d{1,3}\.\d{1,3}")
_HOST = re.compile(r"[A-Za-z0-9._-]{1,255}")
_MESSAGE_ID = re.compile(r"<[^<>\s]{1,995}>")
_ESCAPE = re.compile(r"\\x\{([0-9A-Fa-f]{2,6})\}")
_CODE = re.compile(r"[2-5][0-9][0-9]")


class Action(enum.StrEnum):
    """RFC 3464 2.3.3; success is `relayed`: we know of one hop, never of a mailbox."""

    FAILED = "failed"
    DELAYED = "delayed"
    RELAYED = "relayed"


_OPENING = {
    Action.FAILED: "Your message could not be delivered to this recipient and is no longer tried:",
    Action.DELAYED: "Your message could not be delivered to this recipient yet. It is still being tried:",
    Action.RELAYED: "Your message was handed over to the mail server of this recipient:",
}


class Report(msgspec.Struct, frozen=True):
    """What our report says of one delivery. Times: UTC microseconds."""

    action: Action
    #: enhanced status code, `5.1.1`
    status: str
    recipient: str
    #: as given in RCPT, or None
    orcpt: str | None = None
    envid: str | None = None
    #: name of the server that answered, "" where none did
    remote: str = ""
    #: its reply code; its text is left out
    code: int = 0
    arrived: int = 0
    #: a sentence of ours, never the other server's
    words: str = ""


def build(
    report: Report, *, reporting: str, from_: Mailbox, to: str, message_id: str, at: int, original: dict[str, str]
) -> bytes:
    """The report as a message. `reporting`: our host name; `to`: the original's envelope sender;
    `original`: Message-ID, Date and From as `message.Message.get` gives them (others are ignored).

    Raises ComposeError or AddressError. The envelope sender of a report is "" (RFC 3464 2)."""
    if _HOST.fullmatch(reporting) is None or _MESSAGE_ID.fullmatch(message_id) is None:
        raise ComposeError("dsn", "The host name or Message-ID of the report is not well formed.")
    if _STATUS.fullmatch(report.status) is None:
        raise ComposeError("dsn", "The status of the report is not well formed.")
    mark = "=_" + os.urandom(16).hex()
    head = (
        f"From: {format_mailbox(from_.name, from_.address)}\r\nTo: {format_mailbox('', to)}\r\nSubject: {SUBJECT}\r\n"
        f"Date: {date.text(at)}\r\nMessage-ID: {message_id}\r\nAuto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n"
        f'Content-Type: multipart/report; report-type=delivery-status;\r\n boundary="{mark}"\r\n\r\n'
    )
    sections = (
        "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n" + _people(report),
        "Content-Type: message/delivery-status\r\n\r\n" + _machine(report, reporting),
        "Content-Type: text/rfc822-headers; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
        + _original(original),
    )
    body = "".join(f"--{mark}\r\n{section}\r\n" for section in sections)
    return f"{head}{body}--{mark}--\r\n".encode()


def _people(report: Report) -> str:
    said = words.safe(report.words).strip()
    return f"{_OPENING[report.action]}\r\n\r\n    {report.recipient}\r\n\r\n" + (f"{said}\r\n" if said else "")


def _machine(report: Report, reporting: str) -> str:
    lines = [f"Reporting-MTA: dns; {reporting}"]
    if report.envid and report.envid.isascii() and report.envid.isprintable():
        lines.append(f"Original-Envelope-Id: {report.envid[:100]}")
    if report.arrived:
        lines.append(f"Arrival-Date: {date.text(report.arrived)}")
    lines.append("")
    if report.orcpt and (original := _original_recipient(report.orcpt)):
        lines.append(f"Original-Recipient: {original}")
    lines += [f"Final-Recipient: {_typed(report.recipient)}", f"Action: {report.action}", f"Status: {report.status}"]
    if _HOST.fullmatch(report.remote):
        lines.append(f"Remote-MTA: dns; {report.remote}")
        if _CODE.fullmatch(str(report.code)):
            lines.append(f"Diagnostic-Code: smtp; {report.code} {report.status}")
    return "\r\n".join(lines) + "\r\n"


def _typed(address: str) -> str:
    """RFC 6533 3: an address with other letters than ASCII as utf-8-addr-xtext, so the part stays ASCII."""
    if address.isascii():
        return f"rfc822; {address}"
    return "utf-8; " + "".join(c if "!" <= c <= "~" and c not in "\\+=" else f"\\x{{{ord(c):02X}}}" for c in address)


def _original_recipient(orcpt: str) -> str:
    kind, _, value = orcpt.partition(";")
    if kind.lower() != "rfc822":
        return f"{kind}; {value}" if orcpt.isascii() and orcpt.isprintable() else ""
    try:
        text = esmtp.unxtext(value)
    except ValueError:
        return ""
    return f"rfc822; {text}" if text.isascii() and text.isprintable() else ""


def _original(original: dict[str, str]) -> str:
    given = {name.lower(): value for name, value in original.items()}
    lines = []
    for name in ("From", "Date", "Message-ID"):
        value = words.safe(given.get(name.lower(), ""))[:900].strip()
        if value:
            lines.append(f"{name}: {value}\r\n")
    return "".join(lines)


class Reported(msgspec.Struct, frozen=True):
    """One recipient of a report that came to us. Nothing of it is believed without its signed address (BI-028)."""

    final: str
    original: str
    #: failed | delayed | delivered | relayed | expanded
    action: str
    #: "" where it is not well formed
    status: str
    diagnostic: str
    #: Will-Retry-Until of a delay, UTC microseconds; 0 where it does not say
    until: int = 0


class Received(msgspec.Struct, frozen=True):
    reporting: str
    envid: str
    #: of the message reported on, "" where the report does not say
    message_id: str
    recipients: tuple[Reported, ...]


def read(raw: bytes) -> Received | None:
    """The report in `raw`; None where it is none, or is damaged. Never raises."""
    try:
        leaves = parts.walk(raw)
        status = next((p for p in leaves if p.type in STATUS_TYPES and p.within[-1:] == ("report",)), None)
        if status is None:
            return None
        quoted = next((p for p in leaves if p.type in ORIGINAL_TYPES), None)
        return of(mime.decode(raw, status), mime.decode(raw, quoted)[: message.MAX_HEADER] if quoted else b"")
    except RfcError:
        return None


def of(status: bytes, original: bytes) -> Received | None:
    """By the decoded bodies of its parts: `status` of message/delivery-status, `original` of what came back. Never
    raises."""
    groups = _groups(status)
    if len(groups) < 2:
        return None
    found = re.search(rb"^message-id:[ \t]*(?:\r?\n[ \t]+)?(<[^<>\s]{1,995}>)", original, re.IGNORECASE | re.MULTILINE)
    about, *recipients = groups
    return Received(
        _value(about.get("reporting-mta", "")),
        words.safe(about.get("original-envelope-id", ""))[:100],
        found[1].decode("utf-8", "replace") if found else "",
        tuple(_reported(group) for group in recipients[:MAX_RECIPIENTS]),
    )


#: media types of the report itself, and of what came back
STATUS_TYPES = frozenset({"message/delivery-status", "message/global-delivery-status"})
ORIGINAL_TYPES = frozenset({"message/rfc822", "text/rfc822-headers", "message/global", "message/global-headers"})


#: as some systems say it
_ACTIONS = {"failure": "failed", "fail": "failed", "error": "failed", "delay": "delayed"}


def _groups(body: bytes) -> list[dict[str, str]]:
    """The groups of fields of a delivery-status part; field names lower case, the first of two counts."""
    groups: list[dict[str, str]] = []
    text = body[: 1 << 20].decode("utf-8", "replace").replace("\r\n", "\n")
    for block in re.split(r"\n[ \t]*\n", text, maxsplit=MAX_RECIPIENTS + 1):
        fields: dict[str, str] = {}
        for line in re.sub(r"\n[ \t]+", " ", block.strip("\n")).split("\n"):
            name, colon, value = line.partition(":")
            if colon and len(fields) < 50:
                fields.setdefault(name.strip().lower(), value.strip())
        if fields:
            groups.append(fields)
    return groups


def _value(text: str) -> str:
    """Without its type: `rfc822; a@b` -> `a@b`."""
    kind, semicolon, value = text.partition(";")
    if kind.strip().lower() == "utf-8":
        value = _ESCAPE.sub(lambda m: chr(min(int(m[1], 16), 0x10FFFF)), value)
    return words.safe(value if semicolon else text).strip()[:320]


def _reported(fields: dict[str, str]) -> Reported:
    status = _STATUS.match(fields.get("status", ""))
    return Reported(
        _value(fields.get("final-recipient", "")),
        _value(fields.get("original-recipient", "")),
        _ACTIONS.get(action := words.safe(fields.get("action", "")).lower().partition(" ")[0][:20], action),
        status[0] if status else "",
        words.safe(fields.get("diagnostic-code", "") or ("" if status else fields.get("status", "")))[:512],
        trail.moment(fields.get("will-retry-until", "")),
    )
