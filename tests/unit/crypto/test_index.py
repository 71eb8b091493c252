"""Blind index: equal values meet, different ones do not, and nothing can be read."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carepost.crypto import index

pytestmark = pytest.mark.fast

KEY = b"k" * 32


def test_a_token_is_eight_bytes_and_stable() -> None:
    assert index.token(KEY, "address", "a@x.test") == index.token(KEY, "address", "a@x.test")
    assert len(index.token(KEY, "address", "a@x.test")) == 8
    # fixed forever: stored tokens must be found again
    assert index.token(KEY, "address", "a@x.test").hex() == "e2ddacf7ed9ae842"
    assert index.token(KEY, "address", "a@x.test", 20000).hex() == "4879aaa16543950f"


@pytest.mark.parametrize(
    ("field", "one", "other"),
    [
        ("address", "Jane.Roe@X.test ", "jane.roe@x.test"),
        ("domain", "X.Test.", "x.test"),
        ("message-id", " <a@b> ", "a@b"),
        ("word", "STRASSE", "straße"),
        ("address", "Jose\u0301@x.test", "jos\u00e9@x.test"),
    ],
)
def test_spellings_of_one_value_meet(field: str, one: str, other: str) -> None:
    assert index.token(KEY, field, one) == index.token(KEY, field, other)


def test_field_key_and_day_tell_tokens_apart() -> None:
    seen = {
        index.token(KEY, "address", "x"), index.token(KEY, "word", "x"), index.token(b"l" * 32, "address", "x"),
        index.token(KEY, "address", "x", 1), index.token(KEY, "address", "x", 2), index.token(KEY, "message-id", "X"),
        index.token(KEY, "message-id", "x"),
    }  # fmt: skip
    assert len(seen) == 7


def test_the_border_between_field_and_value_cannot_be_moved() -> None:
    assert index.token(KEY, "word", "s x") != index.token(KEY, "words", " x")


def test_twelve_different_words_of_a_subject_are_indexed() -> None:
    words = index.subject_words("Re: Lab results, LAB Results (a) " + " ".join(f"word{i}" for i in range(20)))
    assert words[:3] == ["re", "lab", "results"]
    assert len(words) == len(set(words)) == 12


@settings(deadline=None)
@given(st.text())
def test_any_text_can_be_indexed(text: str) -> None:
    assert len(index.token(KEY, "subject", text)) == 8
    assert len(index.subject_words(text)) <= 12


def test_a_day_is_counted_in_utc() -> None:
    assert index.day_of(86_400_000_000 * 3 - 1) == 2
