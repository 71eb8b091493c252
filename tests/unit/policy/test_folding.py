"""What a rule looks for is found however a program wrote it, and is taken out with all that was written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carepost.policy import folding

pytestmark = pytest.mark.fast

WRITTEN = {
    "as it is": "[secure]",
    "another case": "[SeCuRe]",
    "zero width space": "[sec\u200bure]",
    "zero width joiner": "[\u200dsecure]",
    "soft hyphen": "[se\u00adcure]",
    "word joiner": "[secure\u2060]",
    "byte order mark": "[s\ufeffecure]",
    "combining grapheme joiner": "[sec\u034fure]",
    "variation selector": "[secure\ufe0f]",
    "text direction": "\u2066[sec\u202eure]\u2069",
    "full width": "［ｓｅｃｕｒｅ］",
    "mathematical letters": "[𝐬𝐞𝐜𝐮𝐫𝐞]",
    "a control character": "[sec\x00ure]",
    "long s": "[\u017fecure]",
    "Hangul filler": "[sec\u3164ure]",
}


@pytest.mark.parametrize("written", WRITTEN.values(), ids=WRITTEN.keys())
def test_what_people_read_as_the_same_is_the_same(written: str) -> None:
    assert folding.wanted("[secure]") in folding.fold(f"Results {written} of Monday")
    assert folding.wanted(written) in folding.fold("Results [secure] of Monday")
    left = folding.without(f"Results {written} of Monday", "[secure]")
    assert left.translate({0x2066: None, 0x2069: None}) == "Results   of Monday"


@pytest.mark.parametrize("other", ["[sécure]", "[sеcure]", "(secure)", "[se cure]", "secure", "[secur]"])
def test_what_people_read_as_something_else_is(other: str) -> None:
    assert folding.wanted("[secure]") not in folding.fold(other)
    assert folding.without(f"a {other} b", "[secure]") == f"a {other} b"


def test_blanks_in_a_text_may_be_of_any_number_and_kind() -> None:
    assert folding.wanted("High  Risk") in folding.fold("x high\u00a0\t risk x")
    assert folding.without("x high\u2003 risk x", "High Risk") == "x   x"


def test_a_text_that_shows_nothing_is_looked_for_as_written() -> None:
    assert folding.wanted("\u200b") == "\u200b"
    assert folding.wanted("\u200b") not in folding.fold("Lunch")


def test_nested_ones_leave_none_behind() -> None:
    assert folding.wanted("a b") not in folding.fold(folding.without("x " + "a " * 30 + "b " * 30, "a b"))
    assert folding.without("[sec[secure]ure] x", "[secure]").split() == ["[sec", "ure]", "x"]


def test_letter_by_letter_leaves_the_rest_alone() -> None:
    assert folding.without("a [Plain] b [pl\u200bain]", "[plain]", exact=True) == "a   b [pl\u200bain]"


def test_a_character_of_several_letters_is_taken_out_whole() -> None:
    assert folding.without("x 5㎏ y", "5kg") == "x   y"
    assert folding.without("x 5㎏ y", "5k") == "x   y"


@given(st.text(max_size=60), st.text(min_size=1, max_size=4))
def test_nothing_is_left_to_find_and_nothing_else_is_lost(text: str, unwanted: str) -> None:
    left = folding.without(text, unwanted)
    assert folding.wanted(unwanted) not in folding.fold(left)
    if folding.wanted(unwanted) not in folding.fold(text):
        assert left == text
