"""The lines of a file of addresses nothing is to be sent to: a table (CSV) whose header names `address` and where known
`reason`, `scope`, `expires_at`, `note`, or JSON with the same names. Tables as other services and spreadsheets write
them are read too: other names for the address, semicolons or tabs, a server's reply as the reason."""

import csv
import datetime
import io
import json
import re
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from carepost.ground import clock
from carepost.ground.errors import Refused
from carepost.rfc.bounces import Class, classify
from carepost.tenancy.actions import suppression
from carepost.tenancy.actions.suppression import REASONS, Wanted

#: what the column is called, the surest first: beside `email`, `address` may be where somebody lives
_ADDRESS: Final = (
    "email", "e-mail", "email address", "e-mail address", "email_address", "emailaddress", "address", "recipient",
)  # fmt: skip
_DELIMITERS: Final = (",", ";", "\t")
#: as a server's reply begins: 550, or with 5.1.1 in it
_REPLY: Final = re.compile(r"[45]\d\d(?:[ -]|$)|.{0,80}?(?<![\d.])[45]\.\d{1,3}\.\d{1,3}(?![\d.])")
#: as an address book writes it; two addresses are none
_NAMED: Final = re.compile(r"[^<>@;]{0,300}<\s*([^<>,;\s]{3,320})\s*>")
_NOTE: Final = 500


class Head(NamedTuple):
    """The first line of a table; columns that say nothing to us keep their names, or have none."""

    columns: tuple[str, ...]
    delimiter: str = ","


#: lines of JSON name their fields themselves
JSON: Final = Head(())


def of_file(data: bytes) -> Iterator[tuple[int, dict[str, str]]]:
    """(line, fields) of a file that is here whole: a table with a header, or lines of JSON. Raises Refused."""
    text = data.decode("utf-8-sig", "replace")
    if text.lstrip()[:1] == "{":
        yield from records(text, 1)
        return
    first, _, rest = text.partition("\n")
    head = head_of(first)
    yield from records(rest, 2, head)


def head_of(line: str) -> Head:
    """Raises Refused where no column is one of addresses, or the file is in an encoding that is not read."""
    if "\0" in line:
        raise Refused(
            "import-encoding", "The file is not in UTF-8 (perhaps Unicode text of Excel): save it as CSV UTF-8.",
            status=422,
        )  # fmt: skip
    for delimiter in _DELIMITERS if "\r" not in line.rstrip("\r") else ():
        named = [name.strip().lower() for name in next(csv.reader([line], delimiter=delimiter), [])]
        address = next((name for name in _ADDRESS if name in named), "")
        if address:
            others = ["" if name == "address" else name for name in named]
            others[named.index(address)] = "address"
            return Head(tuple(others), delimiter)
    raise Refused(
        "import-header",
        "The first line must name the columns, and one of them must be `address` or `email`; between them stand "
        "commas, semicolons or tabs, and each line ends as on Windows or Unix.",
        status=422,
    )


def records(text: str, line: int, head: Head = JSON) -> Iterator[tuple[int, dict[str, str]]]:
    """(number in the file, fields) of whole lines, the first of which is line `line`: of a table, or of JSON where it
    has no columns. A row that goes over several lines has the number of its first."""
    if not head.columns:
        for number, one in enumerate(text.split("\n"), line):
            if one.strip():
                yield number, _json(one)
        return
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=head.delimiter)
    begins = line
    for row in reader:
        if row:
            yield begins, dict(zip(head.columns, row, strict=False))
        begins = line + reader.line_num


def _json(line: str) -> dict[str, str]:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return {k: str(v) for k, v in found.items()} if isinstance(found, dict) else {}


def wanted(fields: Mapping[str, str], reason: str) -> Wanted:
    """One line of a file. BI-106: spaces, `mailto:` and a name before `<address>` are taken off; several addresses in
    one cell are wrong. Raises AddressError, names.Wrong, Refused."""
    address = fields.get("address", "").strip()
    if named := _NAMED.fullmatch(address):
        address = named[1]
    if address[:7].lower() == "mailto:":
        address = address[7:]
    cause, note = fields.get("reason", "").strip(), fields.get("note", "")
    if cause.lower() in REASONS:
        cause = cause.lower()
    elif _REPLY.match(cause):
        note = note or cause[:_NOTE]
        cause = _of_reply(cause, fields.get("status", "").strip())
    return suppression.wanted(
        address,
        cause or reason,
        scope=fields.get("scope", "").strip().lower() or suppression.ALL,
        source="import",
        expires_at=_end(fields.get("expires_at", "").strip()),
        note=note,
    )


def _of_reply(text: str, status: str) -> str:
    """Lists of other services keep what the server said. What speaks of their addresses, or of a day, is no reason of
    ours to write to nobody there."""
    if classify(text, status).klass in (Class.HARD, Class.UNDETERMINED):
        return "bounce"
    raise Refused(
        "reply-not-final", "What the server said does not mean that the address is gone; name a reason of ours to put "
        "it on the list all the same.", status=422,
    )  # fmt: skip


def _end(text: str) -> int:
    """UTC microseconds; 0: no end. A day ends where it begins, in UTC."""
    if not text or text == "0":
        return 0
    end = -1
    if text.isascii() and text.isdigit():
        end = int(text) if len(text) <= 18 else -1
    else:
        try:
            at = datetime.datetime.fromisoformat(text)
            end = int(at.replace(tzinfo=at.tzinfo or datetime.UTC).timestamp()) * 1_000_000
        except (ValueError, OverflowError):
            end = -1
    if end < 0:
        raise Refused(
            "bad-end", "`expires_at` is a day (2026-12-31), a time (2026-12-31T12:00Z), UTC microseconds, or empty for "
            "no end.", status=422,
        )  # fmt: skip
    if end <= clock.now():
        raise Refused("end-passed", "`expires_at` has passed already: nothing would be kept back.", status=422)
    return end
