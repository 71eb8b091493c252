"""Time grows with the text and no faster, whatever the text: four times the size is far from sixteen times the time.

Each case is one that a backtracking expression, a repeated search for an end, or a pile of matches would make slow.
"""

import time

import pytest

from carepost.phi.inspect import inspect
from carepost.phi.types import Custom, Part, Pattern, Where, Word

SMALL, LARGE = 30_000, 120_000
HOSTILE = [
    "1", "a", " ", "A ", "1 ", "1-", "9.", "_", "\n", "\t", "|", "1,", "é", "\u200b", "ﷺ",
    "<", "<a ", "<!--", "<b>", "<script>", '="', "<a href=\"data:", "&", "&#x", "AAAA", "((",
    "diabetes ", "your ", "your a ", "your test ", "SSN ", "123-45-6789 ", "Ann Ex ", "E11.9 ", "Dr. ", "x@", "a@b.c ",
    "1/1/2001 ", "metformin ", "a1c ", "name,dob\n", "patient: ", "CPT 99213 ", "confidentiality notice ",
    "code E66.01 name ", "MBI 1EG4TE5MK7S ", "dx e1l.9 ", "SSN4 ", "4O1 ", "4111.1111.card ",
]  # fmt: skip


def cost(text: str, where: Where, own: Custom | None = None) -> float:
    """CPU seconds, the better of two."""
    taken = []
    for _ in range(2):
        began = time.process_time()
        inspect([Part(where, text)], own)
        taken.append(time.process_time() - began)
    return min(taken)


@pytest.mark.parametrize("piece", HOSTILE, ids=repr)
def test_four_times_the_text_is_not_sixteen_times_the_time(piece: str) -> None:
    where = Where.HTML if piece[0] in "<&=" else Where.TEXT
    small, large = (cost((piece * (size // len(piece) + 1))[:size], where) for size in (SMALL, LARGE))
    assert large < 9 * small + 0.02


@pytest.mark.parametrize("piece", ["1", "a", "1 ", "ab-", "A1"])
def test_the_widest_patterns_of_an_organisation_are_linear_too(piece: str) -> None:
    own = Custom(
        patterns=tuple(Pattern(f"p{n}", rf"[\w -]{{1,6}}[\d -]{{1,10}}x{n}", keywords=("file",)) for n in range(5)),
        words=tuple(Word(f"w{n}", "ab " * 50 + str(n)) for n in range(20)),
    )
    small, large = (cost((piece * (size // len(piece) + 1))[:size], Where.TEXT, own) for size in (SMALL, LARGE))
    assert large < 9 * small + 0.02


@pytest.mark.parametrize("piece", ["1", "a", " ", "<", "1 ", "1-"])
def test_a_megabyte_of_one_character_is_read(piece: str) -> None:
    where = Where.HTML if piece == "<" else Where.TEXT
    assert cost((piece * 1_000_000)[:1_000_000], where) < 10
