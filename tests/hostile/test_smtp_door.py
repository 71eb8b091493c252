"""What is only seen in the whole message, over SMTP before the real door: loops, headers, what is stored."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.dialogue import read_reply, say, sign_in
from tests.support.live import Live


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    server = Live(tmp_path_factory.mktemp("door"), real=True, max_errors=1000)
    yield server
    server.close()


def send(live: Live, raw: bytes, sender: str = "nurse@maple.test") -> str:
    with sign_in(live, "maple") as connection:
        say(connection, f"MAIL FROM:<{sender}>")
        say(connection, "RCPT TO:<ann@elsewhere.test>")
        say(connection, "DATA")
        connection.sendall(raw + b".\r\n")
        return read_reply(connection)[0]


FROM = b"From: nurse@maple.test\r\n"


@pytest.mark.parametrize(
    ("raw", "reply"),
    [
        (b"Received: by x.test;\r\n" * 101 + FROM + b"\r\nx\r\n", "550 5.4.6"),
        (FROM + FROM + b"\r\nx\r\n", "550 5.6.0"),
        (b"From: a@maple.test, b@maple.test\r\n\r\nx\r\n", "550 5.6.0"),
        (b"From: Team: a@maple.test;\r\n\r\nx\r\n", "550 5.6.0"),
        (b"From:\r\n\r\nx\r\n", "550 5.6.0"),
        (b"From: <a@maple.test> <b@harbour.test>\r\n\r\nx\r\n", "550 5.6.0"),
        (b"Subject: no sender\r\n\r\nx\r\n", "550 5.6.0"),
        (b"", "550 5.6.0"),
        (b"\r\n", "550 5.6.0"),
        (b"no header at all\r\n", "550 5.6.0"),
        (FROM + b"X-Many: x\r\n" * 100_000 + b"\r\nx\r\n", "552 5.3.4"),
        (FROM + b"X-Long: " + (b"x" * 900 + b"\r\n ") * 6000 + b"\r\n\r\nx\r\n", "552 5.3.4"),
        (FROM + b"\r\n" + b"x" * 999 + b"\r\n", "550 5.6.0"),
        (FROM + b"\r\n" + b"<p>" * 700_000 + b"\r\n", "550 5.6.0"),
        (FROM + b"X-Long: " + b"x" * 2000 + b"\r\n\r\nx\r\n", "550 5.6.0"),
        (FROM + b"To: " + b"a@b.test,\r\n " * 20_000 + b"a@b.test\r\n\r\nx\r\n", "552 5.3.4"),
    ],
    ids=["BI-027 loop", "BI-047 twice", "BI-047 two", "BI-047 group", "BI-047 empty", "BI-048", "none", "nothing",
         "empty line", "no header", "BI-050 many", "BI-050 long", "BI-051 line", "BI-051 no line end", "BI-051 field",
         "BI-050 to"],
)  # fmt: skip
def test_refused_with_its_own_code_and_the_session_lives(live: Live, raw: bytes, reply: str) -> None:
    before = len(live.intake.submissions)
    assert send(live, raw)[:9] == reply
    assert len(live.intake.submissions) == before
    assert live.bodies.held == 0


def test_bi_021_the_server_is_alive_after_a_utf8_address_without_its_parameter(live: Live) -> None:
    with sign_in(live, "maple") as connection:
        assert say(connection, "MAIL FROM:<jörg@maple.test>")[0].startswith("553 5.6.7")
        assert say(connection, "MAIL FROM:<jörg@maple.test> SMTPUTF8")[0].startswith("250")


def test_a_message_of_the_largest_size_arrives(live: Live) -> None:
    size = 52_428_800 - 1000
    line = b"x" * 998 + b"\r\n"
    with sign_in(live, "maple") as connection:
        connection.settimeout(60)
        say(connection, f"MAIL FROM:<nurse@maple.test> SIZE={size}")
        say(connection, "RCPT TO:<ann@elsewhere.test>")
        say(connection, "DATA")
        connection.sendall(FROM + b"\r\n")
        block = line * 1000
        for _ in range((size - 26) // len(block)):
            connection.sendall(block)
        connection.sendall(b".\r\n")
        assert read_reply(connection)[0].startswith("250 2.0.0")
    assert live.bodies.held == 0


def test_an_access_code_is_nowhere_on_the_disk(live: Live, tmp_path: Path) -> None:
    code = b"Canary-Code-7731"
    assert send(live, FROM + b"X-Carepost-Access-Code: " + code + b"\r\n\r\nx\r\n").startswith("250")
    stored = live.intake.submissions[-1]
    assert code not in stored.body and stored.protection.access.verifier.startswith("$argon2id$")
    for file in live.home.rglob("*"):
        if file.is_file():
            assert code not in file.read_bytes(), file


def test_our_trace_names_neither_client_nor_recipient(live: Live) -> None:
    assert send(live, FROM + b"Subject: x\r\n\r\nx\r\n").startswith("250")
    assert (live.intake.submissions[-1].via, live.intake.submissions[-1].client) == ("ESMTPSA", "127.0.0.1")
