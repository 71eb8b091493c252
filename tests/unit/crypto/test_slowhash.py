"""Access codes and answers: forgiving to people, slow for guessers."""

import time

import pytest

from carepost.crypto import slowhash


@pytest.mark.parametrize(
    ("kept", "typed", "fits"),
    [
        ("St. John's Road", "st johns  ROAD", True),
        ("7391-4420", "73914420", True),
        ("Zoë", "zoe\u0308", True),
        ("7391-4420", "73914421", False),
        ("\U0001f600", "\U0001f600", True),
        ("abc", "", False),
    ],
)
def test_people_may_type_it_their_way(kept: str, typed: str, fits: bool) -> None:
    assert slowhash.verify(slowhash.make(kept), typed) is fits


def test_a_hash_is_argon2id_salted_and_slow() -> None:
    started = time.perf_counter()
    one = slowhash.make("blue horse")
    took = time.perf_counter() - started
    assert one.startswith("$argon2id$v=19$m=32768,t=2,p=1$")
    assert one != slowhash.make("blue horse")
    assert "blue" not in one
    # fast machines included: never in the microseconds of a plain hash
    assert took > 0.01


@pytest.mark.parametrize("stored", ["", "plain", "$argon2id$", "$argon2id$v=19$m=1,t=1,p=1$x$y", "$2b$12$abc"])
def test_a_stored_text_that_is_no_hash_fits_nothing(stored: str) -> None:
    assert slowhash.verify(stored, "x") is False


@pytest.mark.parametrize("secret", ["", "   ", "x" * 1025])
def test_empty_and_huge_secrets_are_refused(secret: str) -> None:
    with pytest.raises(ValueError):
        slowhash.make(secret)
    assert slowhash.verify("$argon2id$v=19$m=32768,t=2,p=1$AAAA$AAAA", secret) is False
