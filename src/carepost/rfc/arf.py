"""Complaints that mailbox providers pass on (RFC 5965, RFC 6650), read within bounds, also where they are badly made.

Nothing is believed here; most providers hide the complainant, so what counts is what the copy carries of ours."""

import re
from typing import Final

import msgspec

from carepost.rfc import mime, parts, words
from carepost.rfc.errors import RfcError

#: octets of the copy looked at
_COPY: Final = 64 * 1024
_TYPES: Final = frozenset({"message/rfc822", "text/rfc822-headers", "message/rfc822-headers", "message/global"})
#: in the copy's header, by Microsoft's Junk Mail Reporting Program (JMRP)
_MICROSOFTS: Final = "x-hmxmroriginalrecipient"
_KINDS: Final = frozenset({"abuse", "fraud", "virus", "other", "not-spam", "opt-out", "opt-out-list", "auth-failure"})


class Complaint(msgspec.Struct, frozen=True):
    """`kind`: RFC 5965 7.3, `abuse` where none is readable. `fields`: of the copy's header, lower-case names, the first
    of each; `mail_from`: the envelope sender it was sent with; `reporter`: the software that wrote it."""

    kind: str
    mail_from: str
    fields: dict[str, str]
    reporter: str = ""
    #: no report part could be read: it is known for one by its shape alone
    damaged: bool = False

    @property
    def message_id(self) -> str:
        found = re.search(r"<[^<>\s]{1,995}>", self.fields.get("message-id", ""))
        return found[0] if found else ""


def read(raw: bytes) -> Complaint | None:
    """None where it is no feedback report. Never raises."""
    raw = raw.replace(b"\r\n", b"\n").replace(b"\r", b"\n").replace(b"\n", b"\r\n")
    declared = b"feedback-report" in raw[: 16 * 1024].lower()
    if not declared:
        return _junk_mail_report(raw)
    try:
        leaves = parts.walk(raw)
    except RfcError:
        return _damaged(raw)
    said = next((p for p in leaves if p.type == "message/feedback-report"), None)
    copy = next((p for p in leaves if p.type in _TYPES), None)
    report = _fields(_decoded(raw, said)) if said is not None else {}
    fields = _fields(_decoded(raw, copy)[:_COPY]) if copy is not None else {}
    if said is None and copy is None:
        return _damaged(raw)
    return _made(report, fields, damaged=said is None)


def _junk_mail_report(raw: bytes) -> Complaint | None:
    """Microsoft's JMRP in its own form: no report part, only the copy, whose header begins with the name of who
    complained. Without that field it is a mail that somebody forwards, and no complaint."""
    if _MICROSOFTS.encode() not in raw[:_COPY].lower():
        return None
    try:
        copy = next((p for p in parts.walk(raw) if p.type in _TYPES), None)
    except RfcError:
        return None
    fields = _fields(_decoded(raw, copy)[:_COPY]) if copy is not None else {}
    return _made({"user-agent": "JMRP"}, fields, damaged=False) if _MICROSOFTS in fields else None


def _made(report: dict[str, str], fields: dict[str, str], *, damaged: bool) -> Complaint:
    kind = report.get("feedback-type", "abuse").lower()
    # taken out (RFC 6590), it may stand there as <>: the copy may still say it
    said = report.get("original-mail-from", "").strip("<> ")
    mail_from = said or fields.get("return-path", "").strip("<> ")
    return Complaint(
        kind if kind in _KINDS else "other",
        mail_from[:320],
        fields,
        report.get("user-agent", "")[:120],
        damaged,
    )


def _damaged(raw: bytes) -> Complaint | None:
    """The parts cannot be told apart: the fields are looked for where they stand."""
    text = raw[: 4 * _COPY]
    at = text.lower().find(b"feedback-type:")
    if at < 0:
        return None
    report = _fields(text[at:])
    rest = text[at:].partition(b"\r\n\r\n")[2]
    begins = re.search(rb"^(?:received|return-path|from|message-id):", rest, re.IGNORECASE | re.MULTILINE)
    return _made(report, _fields(rest[begins.start() :]) if begins else {}, damaged=True)


def _decoded(raw: bytes, part: parts.Part) -> bytes:
    try:
        return mime.decode(raw, part)
    except RfcError:
        return raw[part.start : part.end]


def _fields(data: bytes) -> dict[str, str]:
    """Header fields up to the first empty line; those of a report may begin with one."""
    text = data[:_COPY].replace(b"\r\n", b"\n").lstrip(b"\n").partition(b"\n\n")[0].decode("utf-8", "replace")
    fields: dict[str, str] = {}
    for line in re.sub(r"\n[ \t]+", " ", text).split("\n"):
        name, colon, value = line.partition(":")
        if colon and len(fields) < 200 and " " not in name:
            fields.setdefault(name.strip().lower(), words.safe(value.strip())[:2_000])
    return fields
