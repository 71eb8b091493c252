"""Sealed: made in one way, never changed, never stored (DESIGN law 4)."""

import copy
import pickle

import pytest

from carepost.crypto.sealed import Sealed

pytestmark = pytest.mark.fast

DATA = b"From: a@clinic.test\r\n\r\nhello\r\n"


def sealed(**changes: object) -> Sealed:
    values: dict[str, object] = {"method": "tls", "floor": 30, "sender": "", "recipient": "b@x.test", "data": DATA}
    return Sealed.make(**(values | changes))  # type: ignore[arg-type]


def test_it_carries_what_it_was_made_of() -> None:
    value = sealed(utf8=True)
    assert (value.method, value.floor, value.sender, value.recipient) == ("tls", 30, "", "b@x.test")
    assert (value.data, value.utf8, value.eightbit) == (DATA, True, False)
    assert sealed(data="Subject: \u00e9\r\n\r\n".encode()).eightbit is True


def test_only_make_makes_one() -> None:
    with pytest.raises(TypeError):
        Sealed(object(), DATA, False, 30, "tls", "b@x.test", "", False)


def test_it_cannot_be_changed_copied_or_stored() -> None:
    value = sealed()
    with pytest.raises(AttributeError):
        value.floor = 0
    with pytest.raises(AttributeError):
        del value.floor
    with pytest.raises(AttributeError):
        value.more = 1  # type: ignore[attr-defined]
    for act in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError):
            act(value)


@pytest.mark.parametrize(
    "changes",
    [
        {"recipient": ""},
        {"recipient": "b@x.test>\r\nRCPT TO:<c@x.test"},
        {"sender": "a@x.test\n"},
        {"data": b"a\nb\r\n"},
        {"data": b"a\rb\r\n"},
        {"data": b"a\r\n.\r"},
        {"data": b"no end"},
        {"data": b""},
    ],
)
def test_what_no_server_must_see_is_not_sealed(changes: dict[str, object]) -> None:
    """BI-001..007: no bare CR or LF leaves; BI on envelope injection."""
    with pytest.raises(ValueError):
        sealed(**changes)


def test_it_shows_no_address_in_a_log() -> None:
    assert "x.test" not in repr(sealed()) + str(sealed())
