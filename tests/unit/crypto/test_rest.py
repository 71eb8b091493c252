"""Encryption at rest: what was sealed opens only whole, in its place and under its key (HS-34, BI-077)."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carepost.crypto import rest, wrap
from carepost.crypto.rest import CHUNK, Damaged

pytestmark = pytest.mark.fast

ORG, MESSAGE = b"o" * 16, b"m" * 16
KEY = bytes(range(32))


@settings(deadline=None)
@given(plain=st.binary(max_size=300), aad=st.binary(max_size=40))
def test_a_sealed_value_opens_to_its_plaintext(plain: bytes, aad: bytes) -> None:
    blob = rest.seal(KEY, plain, aad)
    assert blob[:1] == b"\x01"
    assert rest.open_(KEY, blob, aad) == plain
    assert len(blob) == len(plain) + rest.OVERHEAD


def test_the_same_plaintext_is_never_sealed_to_the_same_bytes() -> None:
    assert len({rest.seal(KEY, b"x", b"") for _ in range(100)}) == 100


def test_every_flipped_bit_of_a_sealed_value_is_damage() -> None:
    blob = rest.seal(KEY, b"Synthia Example", b"row 7")
    for position in range(len(blob)):
        for bit in range(8):
            broken = bytearray(blob)
            broken[position] ^= 1 << bit
            with pytest.raises(Damaged):
                rest.open_(KEY, bytes(broken), b"row 7")


@pytest.mark.parametrize("cut", [0, 1, 12, 28])
def test_a_cut_value_is_damage(cut: int) -> None:
    with pytest.raises(Damaged):
        rest.open_(KEY, rest.seal(KEY, b"", b"")[:cut], b"")


def test_another_key_or_place_does_not_open() -> None:
    blob = rest.seal(KEY, b"x", b"row 7")
    with pytest.raises(Damaged):
        rest.open_(KEY, blob, b"row 8")
    with pytest.raises(Damaged):
        rest.open_(rest.new_key(), blob, b"row 7")


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 3 * CHUNK + 17])
def test_a_body_of_any_size_opens(size: int) -> None:
    plain = bytes(i * 7 % 251 for i in range(size))
    chunks = rest.seal_body(KEY, ORG, MESSAGE, plain)
    assert len(chunks) == max(1, -(-size // CHUNK))
    assert rest.open_body(KEY, ORG, MESSAGE, chunks) == plain


def test_chunks_missing_moved_repeated_or_foreign_are_damage() -> None:
    """BI-077"""
    plain = b"a" * CHUNK + b"b" * CHUNK + b"c" * CHUNK + b"d"
    a, b, c, d = rest.seal_body(KEY, ORG, MESSAGE, plain)
    foreign = rest.seal_body(KEY, ORG, MESSAGE, plain)
    wrong = [
        [a, b, c], [a, b], [a], [b, c, d], [a, c, d], [a, c, b, d], [a, b, b, d], [a, b, c, d, d], [a, b, c, c],
        [a, foreign[1], c, d], [foreign[0], b, c, d], [],
    ]  # fmt: skip
    assert rest.open_body(KEY, ORG, MESSAGE, [a, b, c, d]) == plain
    for chunks in wrong:
        with pytest.raises(Damaged):
            rest.open_body(KEY, ORG, MESSAGE, chunks)


def test_a_body_opens_only_for_its_organisation_message_and_part() -> None:
    """BI-077: a swap between rows, or between organisations, is damage."""
    chunks = rest.seal_body(KEY, ORG, MESSAGE, b"x")
    for org, message, part in ((b"p" * 16, MESSAGE, b"body"), (ORG, b"n" * 16, b"body"), (ORG, MESSAGE, b"draft")):
        with pytest.raises(Damaged):
            rest.open_body(KEY, org, message, chunks, part)
    # the border between two parts of the AAD cannot be moved
    shifted = rest.seal_body(KEY, b"ab", b"c", b"x")
    with pytest.raises(Damaged):
        rest.open_body(KEY, b"a", b"bc", shifted)


def test_every_flipped_byte_of_a_body_is_damage() -> None:
    chunks = rest.seal_body(KEY, ORG, MESSAGE, b"x" * 50)
    for position in range(len(chunks[0])):
        broken = bytearray(chunks[0])
        broken[position] ^= 1
        with pytest.raises(Damaged):
            rest.open_body(KEY, ORG, MESSAGE, [bytes(broken)])


def test_a_wrapped_key_names_its_version_and_opens_in_its_place_only() -> None:
    content = rest.new_key()
    wrapped = wrap.wrap_key(KEY, content, b"org message", version=7)
    assert wrap.version(wrapped) == 7
    assert wrap.unwrap_key(KEY, wrapped, b"org message") == content
    for key, blob, aad in (
        (rest.new_key(), wrapped, b"org message"),
        (KEY, wrapped, b"org other"),
        (KEY, wrapped[:-1], b"org message"),
        (KEY, wrapped[:4] + b"\x08" + wrapped[5:], b"org message"),
    ):
        with pytest.raises(Damaged):
            wrap.unwrap_key(key, blob, aad)


def test_damage_says_nothing_of_the_content() -> None:
    blob = rest.seal(KEY, b"Synthia Example", b"aad")
    with pytest.raises(Damaged) as caught:
        rest.open_(KEY, blob[:-1], b"aad")
    assert "Synthia" not in f"{caught.value} {caught.value.detail} {caught.value.public}"
