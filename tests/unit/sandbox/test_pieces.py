"""The body's end is CRLF.CRLF alone, however the bytes are cut; paths are read strictly."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carepost.sandbox import pieces

pytestmark = pytest.mark.fast

BITS = st.lists(st.sampled_from([b"\r\n", b".", b"\n", b"\r", b"a", b"\r\n.", b".\r\n"]), max_size=30).map(b"".join)


@given(BITS, st.lists(st.integers(1, 7), min_size=1, max_size=40))
def test_a_body_is_what_was_stuffed_however_it_is_cut(text: bytes, sizes: list[int]) -> None:
    text = text + b"\r\n"
    stuffed = (b"." if text.startswith(b".") else b"") + text.replace(b"\r\n.", b"\r\n..")
    wire = stuffed + b".\r\nNEXT"
    body, buffer, found, at = pieces.Body(), bytearray(), None, 0
    while found is None:
        size = sizes[at % len(sizes)]
        piece, wire, at = wire[:size], wire[size:], at + 1
        assert piece
        buffer += piece
        found = body.take(buffer)
    assert pieces.unstuffed(found) == text
    assert bytes(buffer) + wire == b"NEXT"


@pytest.mark.parametrize("end", [b"\n.\n", b"\n.\r\n", b"\r\n.\n", b"\r.\r", b"\r\n.\r", b"\r\n\0.\r\n"])
def test_nothing_else_ends_a_body_bi_001_to_005(end: bytes) -> None:
    assert pieces.Body().take(bytearray(b"text" + end + b"MAIL FROM:<x@y.test>")) is None


def test_an_empty_body() -> None:
    buffer = bytearray(b".\r\nQUIT\r\n")
    assert pieces.Body().take(buffer) == b""
    assert buffer == b"QUIT\r\n"


@pytest.mark.parametrize(
    ("argument", "read"),
    [
        ("FROM:<a@b.test>", ("a@b.test", [])),
        ("from: <> SIZE=1 BODY=8BITMIME", ("", ["SIZE=1", "BODY=8BITMIME"])),
        ("FROM:a@b.test", (None, [])),
        ("FROM:<a@b.test", (None, [])),
        ("TO:<a@b.test>", (None, [])),
        ("", (None, [])),
    ],
)
def test_paths(argument: str, read: tuple[str | None, list[str]]) -> None:
    assert pieces.path(argument, "FROM:") == read
