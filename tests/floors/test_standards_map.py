"""docs/standards-map.md names tests; each of them is there, or the map says something that is no longer so."""

import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.fast

TESTS = Path(__file__).parents[1]
MAP = TESTS.parent / "docs" / "standards-map.md"
NAMED = re.compile(r"((?:\w+/)*test_\w+\.py)?(?:::(\w+))?")


def test_every_test_that_is_named_is_there() -> None:
    missing, named, file = [], 0, ""
    for found in NAMED.finditer(MAP.read_text()):
        file = found[1] or file
        if found[1] and not (TESTS / file).is_file():
            missing.append(file)
        elif found[2]:
            named += 1
            # a name may stand for several that begin alike
            if f"def {found[2]}" not in (TESTS / file).read_text():
                missing.append(f"{file}::{found[2]}")
    assert not missing
    assert named > 60
