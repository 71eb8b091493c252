"""What can be concluded from a message, in words; and what cannot."""

import pytest

from carepost.crypto import dkim, examine
from carepost.crypto.examine import Examined
from carepost.ground import clock
from carepost.rfc.asking import run
from carepost.rfc.errors import RfcError
from tests.support.zone import Dns

pytestmark = pytest.mark.fast

NOW = clock.now() // 1_000_000
SECRET, PUBLIC = dkim.generate(dkim.ED25519)
ZONE = {
    "s._domainkey.clinic.test": [("TXT", PUBLIC)],
    "_dmarc.clinic.test": [("TXT", "v=DMARC1; p=reject")],
    "clinic.test": [("TXT", "v=spf1 ip4:198.51.100.7 -all"), ("A", "198.51.100.7")],
}
RECEIVED = (
    "Received: from out.clinic.test (out.clinic.test [198.51.100.7])\r\n\tby mx.there.test with ESMTPS id 1;\r\n"
    "\tSat, 21 Nov 2026 12:30:00 +0000\r\n"
    "Received: from desk (desk [10.0.0.9]) by out.clinic.test with ESMTP id 2; Sat, 21 Nov 2026 12:00:00 +0000\r\n"
)


def mail(received: str = RECEIVED, fields: str = "", sign: bool = True, sender: str = "nurse@clinic.test") -> bytes:
    raw = f"From: Nurse Quill <{sender}>\r\nSubject: Plumage\r\n{fields}\r\nQuillfeather is well.\r\n".encode()
    top = dkim.Signer("clinic.test", "s", dkim.ED25519, SECRET).sign(raw, NOW) if sign else b""
    return f"Return-Path: <nurse@clinic.test>\r\n{received}".encode() + top + raw


def examined(raw: bytes, zone: dict[str, list[tuple[str, str]]] | None = None) -> Examined:
    return run(examine.examine(raw, NOW), Dns(ZONE if zone is None else zone))


def told(found: Examined) -> dict[str, str]:
    return {one.heading: f"{one.tone}: {one.words}" for one in found.findings}


def test_a_mail_that_is_proved() -> None:
    found = examined(mail())
    said = told(found)
    assert said["The sender’s domain is proved"].startswith("good: clinic.test is proved by a signature")
    assert said["Signature holds"].startswith("good: The signature of clinic.test holds.")
    assert said["SPF: pass"].startswith("good: If the line of mx.there.test is genuine, 198.51.100.7")
    assert "30 minutes" in said["It was held up"] and "out.clinic.test" in said["Part of the way was in clear"]
    assert "What a header cannot show" in said
    assert (found.author, found.handed.address if found.handed else "") == ("nurse@clinic.test", "198.51.100.7")


def test_bi_027_a_loop_is_examined_and_called_one() -> None:
    one = RECEIVED.partition("Received: from desk")[0]
    found = examined(mail(one * 200 + RECEIVED))
    assert (found.lines, len(found.hops)) == (202, 100) and found.proved.dmarc_word == "pass"
    assert told(found)["A mail loop"].startswith("bad: It has 202 Received lines")
    assert "A mail loop" not in told(examined(mail(one * 98 + RECEIVED)))
    with pytest.raises(RfcError, match="mail loop"):
        examined(mail(one * 1_001))


@pytest.mark.parametrize("ends", [b"\n", b"\r"])
def test_line_ends_of_mail_programs_and_what_stands_before_a_message(ends: bytes) -> None:
    raw = mail().replace(b"\r\n", ends)
    assert examined(b"\n\n" + raw).proved.dmarc_word == "pass"
    mbox = b"From nurse@clinic.test Sat Nov 21 12:00:00 2026\n" + mail().replace(b"\r\n", b"\n")
    assert examined(mbox).proved.dmarc_word == "pass"


def test_a_forged_sender_is_named_and_what_else_it_may_be() -> None:
    said = told(examined(mail(sign=False, received="")))
    assert said["The sender’s domain is not proved"].startswith("bad: Nothing proves that clinic.test sent this")
    assert "refused" in said["The sender’s domain is not proved"] and "No trail" in said and "No signature" in said


@pytest.mark.parametrize("policy", [True, False], ids=["with DMARC", "without"])
def test_what_spf_alone_proves_rests_on_the_trail(policy: bool) -> None:
    zone = ZONE if policy else {name: rows for name, rows in ZONE.items() if name != "_dmarc.clinic.test"}
    found = told(examined(mail(sign=False), zone))["The sender’s domain is proved"]
    assert found.startswith("good:") and found.endswith("That rests on the Received line being genuine.")


def test_what_a_client_calls_itself_is_not_where_it_came_from() -> None:
    """Postfix writes an address literal the client says after HELO before what it saw itself."""
    top = "Received: from [198.51.100.7] (unknown [203.0.113.66]) by mx.there.test (Postfix) with ESMTP id 1;\r\n"
    found = examined(mail(top + "\tSat, 21 Nov 2026 12:30:00 +0000\r\n", sign=False))
    assert found.handed and found.handed.address == "203.0.113.66"
    assert told(found)["The sender’s domain is not proved"].startswith("bad:") and not found.proved.aligned


def test_where_it_entered_is_not_a_line_below_that_the_sender_wrote() -> None:
    """Exchange Online writes addresses of IPv6 without brackets, of its own servers and of others."""
    at = "\tMon, 23 Nov 2026 02:00:00 +0000\r\n"
    inside = "Received: from a.prod.there.test (2600:1::1) by b.prod.there.test (2600:1::2) with Microsoft SMTP;\r\n"
    edge = "Received: from mail.evil.test (2a00:1450::66) by edge.there.test (2600:1::3) with Microsoft SMTP;\r\n"
    found = examined(mail(inside + at + edge + at + RECEIVED, sign=False))
    assert found.handed and found.handed.address == "2a00:1450::66"
    assert found.proved.spf.result == "fail" and not found.proved.aligned


def test_a_changed_text_and_a_header_alone_are_told_apart() -> None:
    assert "the text is not" in told(examined(mail() + b"PS: send money.\r\n"))["Signature does not help"]
    header = mail().split(b"\r\n\r\n")[0] + b"\r\n\r\n"
    said = told(examined(header.replace(b"198.51.100.7", b"203.0.113.1")))
    assert said["Signature does not help"].startswith("wait:") and "whole message" in said["Signature does not help"]
    assert said["The sender’s domain is not proved"].startswith("wait: Only the header was given")


def test_dns_that_does_not_answer_concludes_nothing() -> None:
    down = {name: [("TXT", "!")] for name in ("s._domainkey.clinic.test", "_dmarc.clinic.test", "clinic.test")}
    said = told(examined(mail(), down))
    assert said["Not known now"].startswith("wait:") and "The sender’s domain is not proved" not in said


def test_an_answer_that_goes_elsewhere_and_times_that_do_not_follow() -> None:
    said = told(examined(mail(RECEIVED.replace("12:00:00", "13:00:00"), "Reply-To: x@evil.test\r\n")))
    assert "x@evil.test" in said["Answers go elsewhere"] and "Times do not follow" in said


def test_what_other_servers_wrote_is_shown_as_their_word() -> None:
    fields = "Authentication-Results: mx.there.test; dkim=pass header.d=evil.test\r\n"
    assert examined(mail(fields=fields)).claims == (("mx.there.test", "dkim=pass header.d=evil.test"),)


@pytest.mark.parametrize(
    "raw",
    [
        b"", b"hello", b"\0" * 50, b"From: a@b.test\r\nFrom: c@d.test\r\n\r\n", b"Subject: x\r\n\r\nbody",
        b"From: a@b.test\r\n" + b"Received: x\r\n" * 1001 + b"\r\n", b"From: <a@good.test> <b@evil.test>\r\n\r\n",
    ],
)  # fmt: skip
def test_bi_047_bi_048_what_has_two_readings_or_none_is_a_sentence(raw: bytes) -> None:
    with pytest.raises(RfcError) as error:
        examined(raw)
    assert error.value.public.endswith(".") or ":" in error.value.public
