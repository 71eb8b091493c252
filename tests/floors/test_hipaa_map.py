"""docs/hipaa-map.md claims nothing that has no room and no test: each it names is there, and no claim stands alone."""

import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.fast

TESTS = Path(__file__).parent.parent
ROOT = TESTS.parent
PAGE = (ROOT / "docs" / "hipaa-map.md").read_text()
ROWS = [
    [cell.strip() for cell in line.strip("| ").split(" | ")] if not line.endswith("| | |") else [line]
    for line in PAGE.splitlines()
    if line.startswith("| ") and "---" not in line and not line.startswith(("| safeguard", "| rule", "| item"))
]


def test_every_claim_names_a_test_or_is_a_gap() -> None:
    assert len(ROWS) > 40
    for row in ROWS:
        line = " | ".join(row)
        assert re.search(r"tests?_[a-z_]+\.py", line) or "**gap**" in line.lower() or "**yours**" in line, line


def test_every_test_named_is_there() -> None:
    named = set(re.findall(r"\b[a-z]+/(?:[a-z]+/)?test_[a-z_0-9]+\.py", PAGE))
    assert len(named) > 40
    for name in named:
        assert (ROOT / name if name.startswith("tests/") else TESTS / name).is_file(), name


def test_every_room_named_is_there() -> None:
    named = {room for row in ROWS if len(row) > 3 for room in row[-2].split(", ") if re.fullmatch(r"[a-z]+", room)}
    assert {"policy", "crypto", "mailbox"} <= named
    for room in named:
        assert (ROOT / "src" / "carepost" / room).is_dir(), room


def test_what_is_proposed_says_so() -> None:
    for row in ROWS:
        if row[0].startswith("NP-"):
            assert row[1].startswith("proposed:"), row[0]
        if row[0].startswith("| NP-"):
            assert "| proposed:" in row[0], row[0]
