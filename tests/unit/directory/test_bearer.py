"""API keys as presented: the id finds the key, a hash is compared, anything else is nobody."""

import pytest

from carepost.directory import bearer
from carepost.directory.types import ApiKey

pytestmark = pytest.mark.fast


def test_what_was_made_is_accepted_and_nothing_near_it() -> None:
    presented, stored = bearer.make("0197-key")
    found = bearer.split(presented)
    assert found is not None
    key, digest = found
    assert key == "0197-key"
    assert bearer.matches(ApiKey(key, b"org", stored), digest)
    altered = presented[:-1] + ("A" if presented[-1] != "A" else "B")
    other = bearer.split(altered)
    assert other is not None
    assert not bearer.matches(ApiKey(key, b"org", stored), other[1])
    assert not bearer.matches(None, digest)


@pytest.mark.parametrize(
    "presented", ["", ".", "key.", "key", ".secret", "key.short", "key." + "x" * 44, "k." + "é" * 43]
)
def test_another_form_is_no_key(presented: str) -> None:
    assert bearer.split(presented) is None


def test_two_secrets_are_never_equal() -> None:
    assert bearer.make("k")[0] != bearer.make("k")[0]
