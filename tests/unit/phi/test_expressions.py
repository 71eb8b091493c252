"""What is looked for before an expression is tried takes nothing away that the expression finds."""

import importlib
from typing import Any

import pytest

from carepost.phi import lists, names

pytestmark = pytest.mark.fast

_parser, _codes = importlib.import_module("re._parser"), importlib.import_module("re._constants")
_NOTHING_WIDE = (_codes.AT, _codes.ASSERT, _codes.ASSERT_NOT)


def worded(tree: Any) -> bool:
    """Whether whatever an expression finds begins with a letter, a digit or an underscore."""
    for kind, value in tree:
        if kind in _NOTHING_WIDE:
            continue
        if kind is _codes.LITERAL:
            return _in_word(value)
        if kind is _codes.IN:
            return all(_set(one, of) for one, of in value)
        if kind is _codes.BRANCH:
            return all(worded(branch) for branch in value[1])
        if kind is _codes.SUBPATTERN:
            return worded(value[3])
        if kind is _codes.MAX_REPEAT and worded(value[2]):
            if value[0]:
                return True
            continue
        return False
    return False


def _in_word(code: int) -> bool:
    return chr(code).isalnum() or chr(code) == "_"


def _set(kind: Any, value: Any) -> bool:
    if kind is _codes.LITERAL:
        return _in_word(value)
    if kind is _codes.RANGE:
        return all(map(_in_word, range(value[0], value[1] + 1)))
    return kind is _codes.CATEGORY and value in (_codes.CATEGORY_WORD, _codes.CATEGORY_DIGIT)


@pytest.mark.parametrize("name", sorted(lists.WORDED))
def test_every_line_of_these_files_begins_with_a_word(name: str) -> None:
    found = lists.expressions(name)
    assert found
    for section, expression in found.items():
        assert worded(_parser.parse(expression.pattern)), section


def test_what_a_name_follows_is_a_word() -> None:
    assert "(?=[A-Za-z])" in names._MEANT.pattern
    assert worded(_parser.parse(names._MEANT.pattern))


@pytest.mark.parametrize(("pattern", "begins"), [("a|b", True), ("a|#b", False), ("-?a", False), ("(?:x )?a", True)])
def test_the_check_itself_tells_them_apart(pattern: str, begins: bool) -> None:
    assert worded(_parser.parse(pattern)) is begins
