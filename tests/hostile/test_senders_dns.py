"""BI-041, BI-042: records a stranger wrote (SPF, DMARC) cost us nothing, because nobody here asks for them.

Mail from the world is only put on record or refused (docs/submitting.md): no verdict about its sender is needed."""

import select
import smtplib
import socket
from pathlib import Path

from tests.support.house import ENGINE_ONLY, House

REPORT = (
    b"From: mailer-daemon@spf-bomb.test\r\nSubject: Undelivered\r\n"
    b"Authentication-Results: mail.clinic.test; dmarc=pass\r\n"
    b"DKIM-Signature: v=1; a=rsa-sha256; d=dmarc-loop.test; s=x; h=from; bh=x; b=x\r\n"
    b"Content-Type: multipart/report; report-type=delivery-status; boundary=x\r\n\r\n--x--\r\n"
)


def asked(dns: socket.socket, within: float) -> bytes:
    """The first query that came, or nothing."""
    ready, _, _ = select.select([dns], [], [], within)
    return dns.recvfrom(4096)[0] if ready else b""


def test_bi_041_bi_042_no_record_of_a_sender_is_looked_up(tmp_path: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as dns:
        dns.bind(("127.0.0.1", 0))
        port = dns.getsockname()[1]
        with House(tmp_path, *ENGINE_ONLY, CAREPOST_RESOLVERS=f"127.0.0.1:{port}") as house:
            with smtplib.SMTP("127.0.0.1", house.ports["mx"], local_hostname="mx.spf-bomb.test", timeout=20) as peer:
                peer.ehlo()
                for sender, raw, code in (
                    ("", REPORT, 250),
                    ("ann@spf-bomb.test", REPORT, 250),
                    ("ann@dmarc-loop.test", b"From: ann@dmarc-loop.test\r\n\r\nx\r\n", 550),
                    ("a@x.test", b"From: a@x.test\r\nFrom: b@dmarc-loop.test\r\n\r\nx\r\n", 550),
                    (
                        "a@x.test",
                        b"From: a@" + b".".join([b"a"] * 14) + b".test\r\nAuto-Submitted: x\r\n\r\nx\r\n",
                        250,
                    ),
                ):
                    assert (peer.mail(sender)[0], peer.rcpt("notice@clinic.test")[0]) == (250, 250)
                    assert peer.data(raw)[0] == code
            assert asked(dns, 0) == b""
            # the same name servers are asked for what we send ourselves: the ear above was open
            house.send("jane.roe@verified.test")
            assert b"\x08verified\x04test" in asked(dns, 20)
