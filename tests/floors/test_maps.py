"""The maps of docs/ name tests; each of them is there, or a map says something that is no longer so."""

import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.fast

TESTS = Path(__file__).parents[1]
DOCS = TESTS.parent / "docs"
NAMED = re.compile(r"((?:\w+/)*(?:test_\w+|contract)\.py)?(?:::(\w+))?")


@pytest.mark.parametrize(("name", "least"), [("standards-map.md", 60), ("capabilities-map.md", 60)])
def test_every_test_that_is_named_is_there(name: str, least: int) -> None:
    missing, named, file = [], 0, ""
    for found in NAMED.finditer((DOCS / name).read_text()):
        file = found[1] or file
        named += bool(found[1] or found[2])
        if found[1] and not (TESTS / file).is_file():
            missing.append(file)
        # a name may stand for several that begin alike
        elif found[2] and f"def {found[2]}" not in (TESTS / file).read_text():
            missing.append(f"{file}::{found[2]}")
    assert not missing
    assert named > least
