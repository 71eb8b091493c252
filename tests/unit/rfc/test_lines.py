"""Line endings and dot-stuffing: every smuggling sequence is refused, everything else is left alone."""

import pytest

from carepost.rfc import lines
from carepost.rfc.errors import BareNewline

pytestmark = pytest.mark.fast

SMUGGLING = {
    "BI-001": b"\n.\n",
    "BI-002": b"\n.\r\n",
    "BI-003": b"\r\n.\n",
    "BI-004a": b"\r.\r",
    "BI-004b": b"\r\n.\r",
    "BI-004c": b"\r.\r\n",
    "BI-005a": b"\r\n\0.\r\n",
    "BI-005b": b"\r\n.\0\r\n",
    "BI-006": b"\n",
    "stray": b"\r\n.\r\r\n",
}


@pytest.mark.parametrize("sequence", SMUGGLING.values(), ids=SMUGGLING)
@pytest.mark.parametrize("around", [b"", b"some text\r\n" * 20, b"x" * 900], ids=["alone", "lines", "line"])
def test_a_smuggling_sequence_is_refused(sequence: bytes, around: bytes) -> None:
    with pytest.raises(BareNewline):
        lines.check(around + sequence + b"MAIL FROM:<ceo@clinic.test>\r\n")


@pytest.mark.parametrize("sequence", [b"\r", b"\n", b"\0"], ids=["CR", "LF", "NUL"])
@pytest.mark.parametrize("at", [0, 1, lines._WINDOW - 1, lines._WINDOW, lines._WINDOW + 1, -1])
def test_it_is_found_wherever_it_stands(sequence: bytes, at: int) -> None:
    body = bytearray((b"x" * 62 + b"\r\n") * (2 * lines._WINDOW // 64))
    lines.check(bytes(body))
    at = at % len(body)
    # never beside an existing line end, where CR and LF would complete one
    body[at - at % 64 + 30 if at not in (0, 1) else at] = sequence[0]
    with pytest.raises(BareNewline):
        lines.check(bytes(body))


def test_a_line_end_across_the_window_is_one_line_end() -> None:
    body = b"x" * 61 + b"\r\n"
    body = body * (lines._WINDOW // 63 + 1)
    for shift in range(64):
        lines.check(b"y" * shift + b"\r\n" + body)


@pytest.mark.parametrize("length", [998, 999, 1000, 1001, 2000, 40 * 2**20])
@pytest.mark.parametrize("end", [b"", b"\r\n"], ids=["cut", "ended"])
@pytest.mark.parametrize("before", [b"", b"short\r\n"], ids=["first", "later"])
def test_a_line_over_998_octets_is_refused(length: int, end: bytes, before: bytes) -> None:
    """BI-051, also without any line break in 40 MB."""
    body = before + b"x" * length + end
    if length <= 998:
        lines.check(body)
    else:
        with pytest.raises(BareNewline) as error:
            lines.check(body)
        assert error.value.code == "long-line"


def test_good_bodies_pass() -> None:
    for body in (b"", b"\r\n", b"text", b"a\r\n\r\n.\r\n..\r\nb\r\n", (b"x" * 998 + b"\r\n") * 50):
        lines.check(body)


@pytest.mark.parametrize(
    ("body", "stuffed"),
    [
        (b"", b""),
        (b"a\r\n", b"a\r\n"),
        (b".\r\n", b"..\r\n"),
        (b"a\r\n.\r\n..\r\nb.\r\n", b"a\r\n..\r\n...\r\nb.\r\n"),
        (b".a\r\n.", b"..a\r\n.."),
    ],
)
def test_dots_are_doubled_and_come_back(body: bytes, stuffed: bytes) -> None:
    assert lines.stuff(body) == stuffed
    assert lines.unstuff(stuffed) == body
    sent = lines.terminate(body)
    assert sent.endswith(b".\r\n")
    assert sent.count(b"\r\n.\r\n") + sent.startswith(b".\r\n") == 1
