"""Reading a DMARC aggregate report (RFC 9990 and the form of RFC 7489 appendix C) as a stream of XML.

A DOCTYPE, an entity or nesting over 12 ends the reading at once: nothing is ever expanded or fetched. What is kept is
bounded while it is read, so a report of any size costs the same memory."""

import ipaddress
from typing import Final
from xml.parsers import expat

from carepost.rfc.reports import ROWS, Report, ReportError, Row, name, number, text

_DEPTH: Final = 12
_TEXT: Final = 4096
#: records counted; more is no report of one day
_RECORDS: Final = 200_000

_META: Final = "feedback/report_metadata/"
_RECORD: Final = "feedback/record"
_FIELDS: Final = frozenset({
    f"{_META}org_name", f"{_META}report_id", f"{_META}date_range/begin", f"{_META}date_range/end",
    "feedback/policy_published/domain", "feedback/policy_published/p",
    f"{_RECORD}/row/source_ip", f"{_RECORD}/row/count", f"{_RECORD}/row/policy_evaluated/disposition",
    f"{_RECORD}/row/policy_evaluated/dkim", f"{_RECORD}/row/policy_evaluated/spf",
    f"{_RECORD}/row/policy_evaluated/reason/type", f"{_RECORD}/identifiers/header_from",
    f"{_RECORD}/auth_results/dkim/domain", f"{_RECORD}/auth_results/spf/domain",
})  # fmt: skip


class _Reader:
    """Called by the parser; refuses by raising, which ends the parse."""

    def __init__(self) -> None:
        self._path: list[str] = []
        self._text: list[str] = []
        self._length = 0
        self.head: dict[str, str] = {}
        self._record: dict[str, list[str]] = {}
        self.rows: list[Row] = []
        self.good = self.bad = self.more = self.records = 0

    def start(self, tag: str, _attributes: dict[str, str]) -> None:
        self._path.append(tag.rpartition(" ")[2].lower()[:60])
        if len(self._path) > _DEPTH:
            raise ReportError("report-syntax", "The DMARC report is nested too deep.")
        if len(self._path) == 1 and self._path[0] != "feedback":
            raise ReportError("report-syntax", "This is not a DMARC aggregate report.")
        self._text.clear()
        self._length = 0

    def data(self, chunk: str) -> None:
        if self._length < _TEXT:
            self._text.append(chunk)
            self._length += len(chunk)

    def end(self, _tag: str) -> None:
        path = "/".join(self._path)
        self._path.pop()
        if path == _RECORD:
            self._row()
        elif path in _FIELDS:
            value = "".join(self._text)
            if path.startswith(_RECORD):
                self._record.setdefault(path.removeprefix(f"{_RECORD}/"), []).append(value)
            else:
                self.head.setdefault(path, value)
        self._text.clear()

    def _row(self) -> None:
        self.records += 1
        if self.records > _RECORDS:
            raise ReportError("report-size", "The DMARC report has more records than this system reads.")
        record, self._record = self._record, {}

        def one(key: str) -> str:
            return record.get(key, [""])[0]

        count = number(one("row/count") or "0")
        dkim, spf = name(one("row/policy_evaluated/dkim")), name(one("row/policy_evaluated/spf"))
        if "pass" in (dkim, spf):
            self.good += count
        else:
            self.bad += count
        if len(self.rows) >= ROWS:
            self.more += count
            return
        self.rows.append(
            Row(
                _address(one("row/source_ip")), count, text(one("row/policy_evaluated/disposition"), 20).lower(),
                dkim[:10], spf[:10], name(one("identifiers/header_from")),
                tuple(dict.fromkeys(name(d) for d in record.get("auth_results/dkim/domain", [])[:5])),
                name(one("auth_results/spf/domain")), text(one("row/policy_evaluated/reason/type"), 40),
            )
        )  # fmt: skip


def _refuse(*_anything: object) -> int:
    raise ReportError("report-doctype", "The DMARC report has a DOCTYPE or entities, which no report needs.")


def read(data: bytes) -> Report:
    """Raises ReportError."""
    reader = _Reader()
    # names come as "namespace local": RFC 9990 has a namespace, older reports have none
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
    parser.StartElementHandler, parser.EndElementHandler = reader.start, reader.end
    parser.CharacterDataHandler = reader.data
    parser.StartDoctypeDeclHandler = parser.EntityDeclHandler = parser.ExternalEntityRefHandler = _refuse
    parser.UnparsedEntityDeclHandler = _refuse
    try:
        parser.Parse(data, True)
    except (expat.ExpatError, LookupError, ValueError):
        # the last two for an encoding no parser knows, or one of Python's that is none of text
        raise ReportError("report-syntax", "The DMARC report is not well-formed XML.") from None
    return _report(reader)


def _report(reader: _Reader) -> Report:
    head = reader.head
    domain = name(head.get("feedback/policy_published/domain"))
    if not domain or not reader.records:
        raise ReportError("report-empty", "The DMARC report says nothing about any domain.")
    asked = text(head.get("feedback/policy_published/p"), 20)
    return Report(
        "dmarc", domain, text(head.get(f"{_META}org_name"), 120), text(head.get(f"{_META}report_id"), 200),
        number(head.get(f"{_META}date_range/begin", "0")) * 1_000_000 % 10**17,
        number(head.get(f"{_META}date_range/end", "0")) * 1_000_000 % 10**17,
        reader.good, reader.bad, f"p={asked}" if asked else "", tuple(reader.rows), (), reader.more,
    )  # fmt: skip


def _address(value: str) -> str:
    try:
        return str(ipaddress.ip_address(value.strip()))
    except ValueError:
        return ""
