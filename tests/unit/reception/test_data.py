"""The end of a message and the strictness of its lines (RFC 5321 4.1.1.4, 2.3.8)."""

import pytest

from carepost.reception.smtp.data import DataReader, Fault

pytestmark = pytest.mark.fast


def read(*chunks: bytes, limit: int = 10_000) -> tuple[DataReader, bytes | None]:
    reader = DataReader(limit)
    rest = None
    for chunk in chunks:
        assert rest is None
        rest = reader.feed(chunk)
    return reader, rest


def test_ends_at_a_dot_alone_and_gives_back_what_follows() -> None:
    reader, rest = read(b"Subject: x\r\n\r\nhello\r\n.\r\nQUIT\r\n")
    assert rest == b"QUIT\r\n"
    assert reader.body() == b"Subject: x\r\n\r\nhello\r\n"


def test_a_dot_at_the_very_start_is_an_empty_message() -> None:
    reader, rest = read(b".\r\n")
    assert rest == b""
    assert reader.body() == b""


def test_dots_are_unstuffed_at_line_starts_only() -> None:
    reader, _ = read(b"..a\r\n...\r\nb.\r\n..\r\n.\r\n")
    assert reader.body() == b".a\r\n..\r\nb.\r\n.\r\n"


MESSAGE = b"Subject: x\r\n\r\n..one\r\ntwo\r\n.\r\nMAIL"


@pytest.mark.parametrize("cut", range(1, len(MESSAGE) - 4))
def test_any_split_into_two_packets_reads_the_same(cut: int) -> None:
    reader = DataReader(10_000)
    rest = reader.feed(MESSAGE[:cut])
    rest = reader.feed(MESSAGE[cut:]) if rest is None else rest + MESSAGE[cut:]
    assert reader.fault is Fault.NONE
    assert rest == b"MAIL"
    assert reader.body() == b"Subject: x\r\n\r\n.one\r\ntwo\r\n"


def test_one_octet_at_a_time_reads_the_same() -> None:
    reader = DataReader(10_000)
    octets = [MESSAGE[i : i + 1] for i in range(len(MESSAGE) - 4)]
    answers = [reader.feed(octet) for octet in octets]
    assert answers[-1] == b"" and not any(a is not None for a in answers[:-1])
    assert reader.body() == b"Subject: x\r\n\r\n.one\r\ntwo\r\n"


@pytest.mark.parametrize(
    "smuggled", [b"\n.\n", b"\n.\r\n", b"\r\n.\n", b"\r.\r", b"\r\n.\r", b"\r.\r\n", b"\r\n.\r\r\n"]
)
@pytest.mark.parametrize("step", [1, 2, 3, 1000])
def test_bi_001_to_004_nothing_but_crlf_dot_crlf_ends_a_message(smuggled: bytes, step: int) -> None:
    wire = b"Subject: x\r\n\r\nfirst" + smuggled + b"MAIL FROM:<ceo@maple.test>\r\n.\r\n"
    reader = DataReader(10_000)
    ended_at = None
    for start in range(0, len(wire), step):
        rest = reader.feed(wire[start : start + step])
        if rest is not None:
            ended_at = start + step - len(rest)
            break
    assert reader.fault is Fault.BARE_NEWLINE
    assert ended_at in (None, len(wire), len(wire) + (-len(wire) % step))


@pytest.mark.parametrize("smuggled", [b"\r\n\0.\r\n", b"\r\n.\0\r\n"])
def test_bi_005_nul_is_a_fault_and_no_end(smuggled: bytes) -> None:
    reader, rest = read(b"first" + smuggled + b"second\r\n.\r\n")
    assert reader.fault is Fault.NUL
    assert rest == b""


def test_bi_025_a_message_over_the_limit_is_dropped_while_it_comes_and_read_to_its_end() -> None:
    reader = DataReader(100)
    assert reader.feed(b"x" * 90) is None
    assert reader.feed(b"y" * 90) is None
    assert reader.fault is Fault.TOO_LARGE
    assert reader._chunks == []
    assert reader.feed(b"\r\n.\r\nRSET\r\n") == b"RSET\r\n"


def test_a_bare_cr_at_the_end_of_a_packet_is_judged_with_the_next() -> None:
    good, _ = read(b"a\r", b"\nb\r\n.\r\n")
    bad, _ = read(b"a\r", b"b\r\n.\r\n")
    assert (good.fault, bad.fault) == (Fault.NONE, Fault.BARE_NEWLINE)
