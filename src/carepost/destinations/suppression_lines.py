"""The lines of a file of addresses nothing is to be sent to: a table (CSV) whose header names `address` and where known
`reason`, `scope`, `expires_at`, `note`, or JSON with the same names."""

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence

from carepost.ground.errors import Refused
from carepost.tenancy.actions import suppression
from carepost.tenancy.actions.suppression import Wanted


def of_file(data: bytes) -> Iterator[tuple[int, dict[str, str]]]:
    """(line, fields) of a file that is here whole: a table with a header, or lines of JSON. Raises Refused."""
    text = data.decode("utf-8-sig", "replace")
    if text.lstrip()[:1] == "{":
        yield from records(text, 1)
        return
    reader = csv.reader(io.StringIO(text, newline=""))
    names = columns_of(next(reader, []))
    for row in reader:
        if row:
            yield reader.line_num, dict(zip(names, row, strict=False))


def columns(head: str) -> tuple[str, ...]:
    """The names in the first line of a table. Raises Refused where none of them is `address`."""
    return columns_of(next(csv.reader([head]), []))


def columns_of(head: Sequence[str]) -> tuple[str, ...]:
    """As `columns`, of a line that is read already."""
    names = [name.strip().lower() for name in head]
    if "address" not in names and "email" not in names:
        raise Refused(
            "import-header", "The first line must name the columns, and one of them must be `address`.", status=422
        )
    return tuple("address" if name == "email" else name for name in names)


def records(text: str, line: int, names: Sequence[str] = ()) -> Iterator[tuple[int, dict[str, str]]]:
    """(number in the file, fields) of whole lines, the first of which is line `line`: of a table whose columns are
    `names`, or of JSON where there are none."""
    if not names:
        for number, one in enumerate(text.split("\n"), line):
            if one.strip():
                yield number, _json(one)
        return
    reader = csv.reader(io.StringIO(text, newline=""))
    for row in reader:
        if row:
            yield line + reader.line_num - 1, dict(zip(names, row, strict=False))


def _json(line: str) -> dict[str, str]:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return {k: str(v) for k, v in found.items()} if isinstance(found, dict) else {}


def wanted(fields: Mapping[str, str], reason: str) -> Wanted:
    """One line of a file. BI-106: spaces and `mailto:` are taken off; several addresses in one cell are wrong. Raises
    AddressError, names.Wrong, Refused."""
    address = fields.get("address", "").strip()
    if address[:7].lower() == "mailto:":
        address = address[7:]
    end = fields.get("expires_at", "").strip() or "0"
    if not end.isascii() or not end.isdigit() or len(end) > 18:
        raise Refused("bad-end", "`expires_at` is UTC microseconds, or empty for no end.", status=422)
    return suppression.wanted(
        address,
        fields.get("reason", "").strip() or reason,
        scope=fields.get("scope", "").strip() or suppression.ALL,
        source="import",
        expires_at=int(end),
        note=fields.get("note", ""),
    )
