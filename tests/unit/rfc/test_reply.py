"""Replies of a server that may be hostile: bounded, and never taken for something they are not."""

import pytest

from carepost.rfc import reply
from carepost.rfc.reply import Parser, Reply

pytestmark = pytest.mark.fast


def feed(*pieces: bytes) -> list[Reply]:
    parser = Parser()
    return [r for piece in pieces for r in parser.feed(piece)]


def test_a_reply_however_it_is_cut() -> None:
    wire = b"250-mx.x.test\r\n250-SIZE 1000\r\n250 STARTTLS\r\n550 5.1.1 No such user\r\n354\r\n"
    whole = feed(wire)
    assert whole == feed(*(wire[i : i + 1] for i in range(len(wire))))
    assert whole[0].lines == ("mx.x.test", "SIZE 1000", "STARTTLS")
    assert (whole[1].code, whole[1].enhanced, whole[1].text) == (550, "5.1.1", "550 5.1.1 No such user")
    assert (whole[2].code, whole[2].lines) == (354, ("",))


def test_the_enhanced_code_must_agree_with_the_code() -> None:
    assert feed(b"250 5.1.1 odd\r\n")[0].enhanced == ""
    assert feed(b"450 4.2.0 later\r\n")[0].enhanced == "4.2.0"
    assert feed(b"550 5.1.1234 x\r\n")[0].enhanced == ""


@pytest.mark.parametrize(
    "wire",
    [
        b"2" * 2_000_000,
        b"250 " + b"x" * 2_000_000 + b"\r\n",
        b"250-x\r\n" * 1_000,
        b"250-" + b"x" * 4_000 + b"\r\n",
        b"999 hello\r\n",
        b"100 hello\r\n",
        b"hello\r\n",
        b"\r\n",
        b"\xff\xfe\xfd hello\r\n",
        b"250-a\r\n550 b\r\n",
        b"250+a\r\n",
        b"-50 a\r\n",
        "²50 a\r\n".encode(),
    ],
)
def test_what_is_no_reply_is_temporary_and_ends_the_conversation(wire: bytes) -> None:
    """BI-024."""
    parser = Parser()
    replies: list[Reply] = []
    for _ in range(40):
        replies += parser.feed(wire)
        assert len(parser._buffer) <= reply.MAX_LINE
    assert [r.code for r in replies] == [451]
    assert replies[0].malformed and parser.broken and not replies[0].positive
    assert len(replies[0].text) <= 512


def test_text_that_is_not_ascii() -> None:
    """BI-024: a refusal counts as temporary; an acceptance stands, or the message would be sent twice (law 6)."""
    refused, accepted = feed("550 5.1.1 pas trouvé\r\n250 2.0.0 accepté\r\n".encode())
    assert (refused.code, refused.malformed) == (451, True)
    assert (accepted.code, accepted.enhanced, accepted.malformed) == (250, "2.0.0", False)
    assert refused.text.isascii() and accepted.text.isascii()


def test_controls_in_the_text_do_not_reach_a_log() -> None:
    (answer,) = feed(b"250 ok\x1b[31m\x00\x07red\r\n")
    assert answer.text.isprintable()


def test_nothing_is_read_after_a_broken_reply() -> None:
    parser = Parser()
    assert len(parser.feed(b"junk\r\n250 ok\r\n")) == 1
    assert parser.feed(b"250 ok\r\n") == []
