"""Floods over SMTP: guesses (BI-013), chunks (BI-007), recipients (BI-020), sizes (BI-025)."""

import base64
import io
import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from carepost.ground import log
from carepost.reception.throttle import MOST, Throttle
from tests.support.clinics import PASSWORDS
from tests.support.dialogue import read_reply, say, sign_in
from tests.support.live import HOST, Live


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Live]:
    server = Live(tmp_path, max_message=100_000, max_recipients=100)
    yield server
    server.close()


def secure(live: Live) -> socket.socket:
    connection = live.client_tls().wrap_socket(live.connect("submissions"), server_hostname=HOST)
    read_reply(connection)
    say(connection, "EHLO x.test")
    return connection


def plain(username: str, password: str) -> str:
    return "AUTH PLAIN " + base64.b64encode(f"\0{username}\0{password}".encode()).decode()


def test_bi_013_guessing_is_cut_off_by_address_while_a_known_password_is_not_forgotten(live: Live) -> None:
    lines = io.StringIO()
    log.start("engine-00", lines)
    try:
        codes: list[str] = []
        while not codes or codes[-1] != "421":
            assert len(codes) < 200
            with secure(live) as connection:
                try:
                    for _ in range(15):
                        codes.append(say(connection, plain(f"user{len(codes)}", "Secret-Guess-77"))[0][:3])
                except EOFError:
                    pass
        # thirty tries in five minutes from one address
        assert codes == ["535"] * 30 + ["421"]
    finally:
        log.start("")
    # neither password nor name stands in any line
    assert "Secret-Guess" not in lines.getvalue() and "user1" not in lines.getvalue()
    for line in lines.getvalue().splitlines():
        json.loads(line)


def test_bi_013_an_unknown_name_costs_what_a_wrong_password_costs(live: Live) -> None:
    # the same number of PBKDF2 rounds, counted, not timed
    counted: list[str] = []
    from carepost.crypto import scram

    check = scram.check_plain

    def counting(verifier: str, password: str) -> bool:
        counted.append(verifier)
        return check(verifier, password)

    scram.check_plain = counting
    try:
        with secure(live) as connection:
            assert say(connection, plain("maple", "wrong"))[0].startswith("535")
            assert say(connection, plain("nobody", "wrong"))[0].startswith("535")
            assert say(connection, plain("maple", PASSWORDS["maple"]))[0].startswith("235")
        # remembered: the same password costs no second round
        with secure(live) as connection:
            assert say(connection, plain("maple", PASSWORDS["maple"]))[0].startswith("235")
    finally:
        scram.check_plain = check
    assert len(counted) == 3
    assert len({v.split("$")[1].split(":")[0] for v in counted}) == 1


def test_bi_013_a_remembered_password_ends_with_the_epoch(live: Live) -> None:
    with secure(live) as connection:
        assert say(connection, plain("maple", PASSWORDS["maple"]))[0].startswith("235")
    live.clinics.withdraw("maple")
    with secure(live) as connection:
        assert say(connection, plain("maple", PASSWORDS["maple"]))[0].startswith("535")


def test_bi_013_the_memory_of_failures_is_bounded() -> None:
    throttle = Throttle(5, 300)
    for n in range(3 * MOST):
        throttle.hit(f"user{n}")
    assert len(throttle._hits) <= MOST


def test_bi_007_a_million_chunks_end_at_the_first(live: Live) -> None:
    with sign_in(live, "maple") as connection:
        say(connection, "MAIL FROM:<nurse@maple.test>")
        say(connection, "RCPT TO:<ann@elsewhere.test>")
        connection.sendall(b"BDAT 1\r\nx" * 100)
        assert read_reply(connection)[0].startswith("502 5.5.1")
        # what it still sends is dropped, then the connection ends
        with pytest.raises((EOFError, OSError)):
            _send_chunks(connection)
    assert live.intake.submissions == [] and live.bodies.held == 0


def _send_chunks(connection: socket.socket) -> None:
    for _ in range(1000):
        connection.sendall(b"BDAT 1\r\nx" * 1000)
    read_reply(connection)


def test_bi_020_fifty_thousand_recipients_get_452_and_the_first_hundred_are_kept(live: Live) -> None:
    with sign_in(live, "maple") as connection:
        say(connection, "MAIL FROM:<nurse@maple.test>")
        seen: dict[str, int] = {}
        file = connection.makefile("rb")
        for start in range(0, 50_000, 500):
            lines = (f"RCPT TO:<r{n}@elsewhere.test>\r\n" for n in range(start, start + 500))
            connection.sendall("".join(lines).encode())
            for _ in range(500):
                code = file.readline()[:9].decode()
                seen[code] = seen.get(code, 0) + 1
        assert seen == {"250 2.1.5": 100, "452 4.5.3": 49_900}
        connection.sendall(b"DATA\r\n")
        assert file.readline().startswith(b"354")
        connection.sendall(b"Subject: x\r\n\r\n.\r\n")
        assert file.readline().startswith(b"250 2.0.0")
        file.close()
    [submission] = live.intake.submissions
    assert len(submission.envelope.recipients) == 100


def test_bi_025_size_1_with_too_much_data_is_552_at_the_limit_and_memory_stays_flat(live: Live) -> None:
    with sign_in(live, "maple") as connection:
        say(connection, "MAIL FROM:<nurse@maple.test> SIZE=1")
        say(connection, "RCPT TO:<ann@elsewhere.test>")
        say(connection, "DATA")
        connection.settimeout(20)
        try:
            for _ in range(500):
                connection.sendall(b"x" * 998 + b"\r\n")
                assert live.bodies.held <= 2 * 100_000 + 262_144
        except OSError:
            pass
        assert read_reply(connection)[0].startswith("552 5.3.4")
    assert live.intake.submissions == []


def test_bodies_over_all_connections_are_bounded(live: Live) -> None:
    live.bodies.limit = 150_000
    held = [sign_in(live, "maple") for _ in range(3)]
    for number, connection in enumerate(held, 1):
        for line in ("MAIL FROM:<nurse@maple.test>", "RCPT TO:<ann@elsewhere.test>", "DATA"):
            say(connection, line)
        connection.sendall((b"x" * 98 + b"\r\n") * 700)
        began = time.monotonic()
        while live.bodies.held < min(number, 2) * 70_000 and time.monotonic() - began < 10:
            time.sleep(0.005)
    answers = []
    for connection in reversed(held):
        connection.sendall(b".\r\n")
        answers.append(read_reply(connection)[0][:9])
        connection.close()
    assert answers == ["452 4.3.1", "250 2.0.0", "250 2.0.0"]
    assert live.bodies.held == 0


def test_a_credential_withdrawn_while_its_message_comes_sends_nothing(live: Live) -> None:
    with sign_in(live, "maple") as connection:
        for line in ("MAIL FROM:<nurse@maple.test>", "RCPT TO:<ann@elsewhere.test>", "DATA"):
            say(connection, line)
        connection.sendall(b"Subject: x\r\n\r\n")
        live.clinics.withdraw("maple")
        connection.sendall(b"late\r\n.\r\n")
        assert read_reply(connection)[0].startswith("535 5.7.8")
    assert live.intake.submissions == []
