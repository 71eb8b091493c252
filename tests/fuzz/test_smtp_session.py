"""Any bytes in any packets: the session never raises, never says two different things for two packetings of the same
bytes, gives back all it held, and hands over no message but by <CRLF>.<CRLF>."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carepost.reception.smtp.effects import Accept, Authenticate, Close, Reply, StartTls
from carepost.reception.smtp.session import Session
from carepost.wire.types import Accepted
from tests.support.talk import Role, Talk

_PIECES = st.sampled_from(
    [
        b"EHLO x.test\r\n", b"HELO x\r\n", b"MAIL FROM:<nurse@maple.test>\r\n", b"MAIL FROM:<>\r\n", b"MAIL FROM:<a@",
        b"RCPT TO:<ann@elsewhere.test>\r\n", b"RCPT TO:<portal@maple.test>\r\n", b"RCPT TO:<\xc3\xa4@b.test>\r\n",
        b"DATA\r\n", b"RSET\r\n", b"NOOP\r\n", b"QUIT\r\n", b"STARTTLS\r\n", b"BDAT 3\r\nabc", b"AUTH PLAIN\r\n",
        b"AUTH LOGIN bWFwbGU=\r\n", b"AUTH SCRAM-SHA-256 biwsbj1tYXBsZSxyPWFiYw==\r\n", b"AG1hcGxlAHB3\r\n", b"*\r\n",
        b".\r\n", b"\r\n.\r\n", b"..\r\n", b"\r\n", b"\r", b"\n", b".", b"\0", b"text\r\n",
        b"From: a@maple.test\r\n\r\n",
        b"\xff\xfe", b"x" * 300,
    ]
)  # fmt: skip
_STREAM = st.lists(st.one_of(_PIECES, st.binary(max_size=12)), max_size=25).map(b"".join)


def play(role: Role, packets: list[bytes], *, signed_in: bool) -> tuple[bytes, list[bytes]]:
    """(all that was said, all that was handed over)."""
    talk = Talk(role, max_errors=8)
    if signed_in:
        talk.sign_in()
    session, said, bodies = talk.session, [], []
    for packet in packets:
        effects = session.feed(packet)
        while effects:
            said += [e.data for e in effects if isinstance(e, Reply)]
            effects = answer(session, effects[-1], bodies)
    assert talk.bodies.held == session.buffered == 0 or not session.closed
    session.lost()
    assert talk.bodies.held == 0
    return b"".join(said), bodies


def answer(session: Session, effect: object, bodies: list[bytes]) -> list[object]:
    match effect:
        case Accept(body=body):
            bodies.append(body)
            return list(session.accepted(Accepted("id", ())))
        case Authenticate():
            return list(session.authenticated(None))
        case StartTls():
            return list(session.secured())
        case Close() | Reply():
            return []
    raise AssertionError(effect)


@pytest.mark.parametrize(("role", "signed_in"), [(Role.SUBMISSION, True), (Role.SUBMISSION, False), (Role.MX, False)])
def test_any_bytes_in_any_packets(role: Role, signed_in: bool) -> None:
    @settings(max_examples=150, deadline=None, database=None)
    @given(_STREAM, st.lists(st.integers(0, 400), max_size=6))
    def run(stream: bytes, cuts: list[int]) -> None:
        marks = sorted({0, len(stream), *(cut for cut in cuts if cut < len(stream))})
        packets = [stream[a:b] for a, b in itertools.pairwise(marks)]
        if b"STARTTLS" in stream.upper():
            # what stands behind it in the same packet is dropped, so there the packets do count
            play(role, packets, signed_in=signed_in)
            return
        said, bodies = play(role, [stream], signed_in=signed_in)
        # SCRAM's challenge is random
        if b"AUTH SCRAM" not in stream.upper():
            assert play(role, packets, signed_in=signed_in) == (said, bodies)
            assert play(role, [stream[i : i + 1] for i in range(len(stream))], signed_in=signed_in) == (said, bodies)
        for body in bodies:
            assert b"\n" not in body.replace(b"\r\n", b"") and b"\r" not in body.replace(b"\r\n", b"")
            assert b"\0" not in body

    run()
