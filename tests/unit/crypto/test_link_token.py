"""Tokens of tracked links: only the organisation's key makes one, nothing of it can be read, nothing bent."""

import base64
import os

import pytest

from carepost.crypto import link_token
from carepost.crypto.link_token import Link, Use

pytestmark = pytest.mark.fast

KEY, ORG = b"k" * 32, bytes(range(16))
LINK = Link(bytes(range(16, 32)), 1_790_000_000, 2, 3, False, True, "https://clinic.test/a?b=c&d=ü#e")


def raw(token: str) -> bytearray:
    return bytearray(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))


def text(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).decode().rstrip("=")


def test_what_goes_in_comes_out() -> None:
    token = link_token.make(KEY, "click", ORG, LINK, 7)
    assert link_token.head_of(token) == link_token.Head(ORG, 7)
    assert link_token.open_(KEY, "click", token) == LINK
    decoy = Link(bytes(16), 1, decoy=True, links=2, with_decoy=True)
    assert link_token.open_(KEY, "click", link_token.make(KEY, "click", ORG, decoy, 1)) == decoy


def test_neither_delivery_nor_target_can_be_read() -> None:
    octets = bytes(raw(link_token.make(KEY, "click", ORG, LINK, 1)))
    assert LINK.delivery not in octets
    assert b"clinic.test" not in octets


@pytest.mark.parametrize("use", ["open", "click"])
def test_a_picture_is_no_link_and_a_link_no_picture(use: Use) -> None:
    other: Use = "click" if use == "open" else "open"
    assert link_token.open_(KEY, other, link_token.make(KEY, use, ORG, LINK, 1)) is None


def test_every_octet_counts() -> None:
    token = link_token.make(KEY, "click", ORG, LINK, 1)
    for at in range(len(raw(token))):
        bent = raw(token)
        bent[at] ^= 1
        assert link_token.open_(KEY, "click", text(bytes(bent))) is None
    for cut in (1, 16, len(raw(token)) // 2):
        assert link_token.open_(KEY, "click", text(bytes(raw(token))[:-cut])) is None


def test_another_key_and_another_organisation_are_nothing() -> None:
    token = link_token.make(KEY, "click", ORG, LINK, 1)
    assert link_token.open_(b"x" * 32, "click", token) is None
    moved = raw(token)
    moved[2:18] = os.urandom(16)
    assert link_token.open_(KEY, "click", text(bytes(moved))) is None


def test_a_token_has_one_spelling() -> None:
    token = link_token.make(KEY, "click", ORG, LINK, 1)
    for other in (
        f"{token}=",
        f"{token}==",
        f"{token} ",
        f"{token}\n",
        token[:-1] + "*",
        token.replace(token[5], "%", 1),
    ):
        assert link_token.open_(KEY, "click", other) is None
        assert link_token.head_of(other) is None or other == token


@pytest.mark.parametrize("text_", ["", "a", "A" * 72, "-" * 80, "ü" * 80, "A" * 100_000])
def test_what_is_no_token_is_told_at_once(text_: str) -> None:
    assert link_token.open_(KEY, "click", text_) is None


def test_the_longest_target_fits() -> None:
    longest = Link(bytes(16), 1, 1, 1, target="https://c.test/" + "a" * (link_token.MAX_TARGET - 15))
    token = link_token.make(KEY, "click", ORG, longest, 1)
    assert len(token) <= link_token.MAX_LENGTH
    assert link_token.open_(KEY, "click", token) == longest
