"""docs/hostile-inputs.md says which test holds which hostile input: all are there, and each test named cites it."""

import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.fast

TESTS = Path(__file__).parent.parent
PAGE = TESTS.parent / "docs" / "hostile-inputs.md"
#: what must be there: SMTP, DNS, MIME, encryption, and of the HTTP group what touches what exists
WANTED = {*range(1, 81), *range(82, 97), 98}
#: some have a row for each method
_ROW = re.compile(r"^\| (\d{3})(?:, ([^|]+))? \|.*\| ([^|]+) \|$", re.MULTILINE)
_CITED = re.compile(
    r"bi[-_]?(\d{3})(?:\s*(?:\.\.|to)\s*(?:bi-)?(\d{3}))?((?:(?:,| and) (?:bi-)?\d{3})*)", re.IGNORECASE
)
ROWS = [(int(number), of, files.split(", ")) for number, of, files in _ROW.findall(PAGE.read_text())]


def cited(file: Path) -> set[int]:
    found: set[int] = set()
    for first, last, more in _CITED.findall(file.read_text()):
        found |= set(range(int(first), int(last or first) + 1)) | {int(n) for n in re.findall(r"\d{3}", more)}
    # bi_043_045_046 in a test's name
    for name in re.findall(r"bi((?:_\d{3})+)", file.read_text()):
        found |= {int(n) for n in name.split("_") if n}
    return found


def test_every_hostile_input_has_one_row() -> None:
    rows = [(number, of) for number, of, _ in ROWS]
    numbers = {number for number, _ in rows}
    assert numbers >= WANTED, sorted(WANTED - numbers)
    assert len(rows) == len(set(rows))


@pytest.mark.parametrize(
    ("number", "files"), [row[::2] for row in ROWS], ids=[f"{number:03}{of and f' {of}'}" for number, of, _ in ROWS]
)
def test_each_test_named_cites_it(number: int, files: list[str]) -> None:
    for name in files:
        assert number in cited(TESTS / name), f"{name} does not cite BI-{number:03}"
