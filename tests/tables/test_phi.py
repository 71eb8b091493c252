"""`phi.md` is what the detector answers, in a form a compliance officer reads; every row of it is carried out here."""

import pathlib
import re
from typing import NamedTuple

import pytest

from carepost.phi.explain import explain
from carepost.phi.inspect import inspect
from carepost.phi.level import level
from carepost.phi.types import Part, Recipient, Where

TABLE = pathlib.Path(__file__).with_name("phi.md")
TO = {
    "person": Recipient("pat@mailbox.example"),
    "desk": Recipient("intake@partner.example"),
    "colleague": Recipient("ann@clinic.test", own=True),
}
KINDS = {"subject": Where.SUBJECT, "html": Where.HTML, "file": Where.NAME}


class Row(NamedTuple):
    line: int
    text: str
    to: str
    level: str
    why: str


def rows() -> list[Row]:
    found = []
    for number, line in enumerate(TABLE.read_text("utf-8").splitlines(), 1):
        cells = [cell.strip() for cell in line.strip("|").split("|")] if line.startswith("|") else []
        if len(cells) == 4 and cells[1] in TO:
            found.append(Row(number, *cells))
    return found


def parts(cell: str) -> list[Part]:
    cell = cell.replace("↵", "\n").replace("{zwsp}", "\u200b").replace("{shy}", "\u00ad")
    found = re.fullmatch(r"(subject|html|file): (.*)", cell, re.DOTALL)
    if not found:
        return [Part(Where.TEXT, cell)]
    text = found[2].strip("`")
    if found[1] == "subject" and " / " in text:
        subject, body = text.split(" / ", 1)
        return [Part(Where.SUBJECT, subject), Part(Where.TEXT, body)]
    alone = found[1] == "file"
    return [Part(KINDS[found[1]], text, number=int(alone), group=int(alone))]


@pytest.mark.parametrize("row", rows(), ids=lambda row: f"line-{row.line}")
def test_each_row_says_what_the_table_says(row: Row) -> None:
    found = inspect(parts(row.text))
    assert level(found, TO[row.to]).word == row.level
    said = explain(found)
    for reason in filter(None, row.why.split("; ")):
        assert any(phrase.startswith(reason) for phrase in said), (reason, said)


def test_the_table_has_rows_of_every_level() -> None:
    assert {row.level for row in rows()} == {"none", "health-generic", "pii-only", "phi-likely", "phi-high"}
    assert len(rows()) >= 40
