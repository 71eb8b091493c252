"""Tokens of return paths and links: good for one use, one organisation, one delivery (BI-028)."""

import os

import pytest

from carepost.crypto import delivery_token as tokens
from carepost.rfc.address import parse_path

pytestmark = pytest.mark.fast

KEY, ORG, DELIVERY = bytes(range(32)), b"o" * 16, bytes(range(16))


def test_a_token_names_its_delivery_whatever_the_case() -> None:
    token = tokens.make(KEY, tokens.RETURN, ORG, DELIVERY)
    assert token == tokens.make(KEY, tokens.RETURN, ORG, DELIVERY)
    assert tokens.delivery_of(KEY, tokens.RETURN, ORG, token) == DELIVERY
    assert tokens.delivery_of(KEY, tokens.RETURN, ORG, token.upper()) == DELIVERY
    assert tokens.number_of(token) == 1
    assert len(token) == tokens.LENGTH


def test_a_return_path_fits_a_local_part() -> None:
    """RFC 5321 4.5.3.1.1: 64 octets."""
    for _ in range(50):
        address = f"b-{tokens.make(KEY, tokens.RETURN, ORG, os.urandom(16))}@bounce.clinic.test"
        assert len(address.partition("@")[0]) <= 64
        assert parse_path(address) == address


def test_no_other_key_organisation_use_or_letter_makes_it() -> None:
    token = tokens.make(KEY, tokens.RETURN, ORG, DELIVERY)
    assert tokens.delivery_of(bytes(32), tokens.RETURN, ORG, token) is None
    assert tokens.delivery_of(KEY, tokens.UNSUBSCRIBE, ORG, token) is None
    assert tokens.delivery_of(KEY, tokens.RETURN, b"x" * 16, token) is None
    for at in range(len(token)):
        other = token[:at] + ("a" if token[at] != "a" else "b") + token[at + 1 :]
        assert tokens.delivery_of(KEY, tokens.RETURN, ORG, other) is None, at


@pytest.mark.parametrize("token", ["", "a", "a" * 48, "!" * 48, "é" * 48, "a" * 4_000], ids=range(6))
def test_what_is_no_token(token: str) -> None:
    assert tokens.delivery_of(KEY, tokens.RETURN, ORG, token) is None
    assert tokens.number_of(token) == 0
