"""Delivery reports: ours tell nothing of the message; those of others are read without trust."""

import email
import email.policy

import pytest

from carepost.rfc import dsn, lines, message
from carepost.rfc.address import Mailbox
from carepost.rfc.dsn import Action, Report
from carepost.rfc.errors import RfcError

pytestmark = pytest.mark.fast

ORIGINAL = {
    "From": "Nurse Ann <ann@clinic.test>",
    "Date": "Fri, 21 Nov 2026 18:48:00 +0000",
    "Message-ID": "<abc@clinic.test>",
    "Subject": "CANARY",
    "To": "CANARY <other@x.test>",
}


def built(report: Report) -> bytes:
    raw = dsn.build(
        report, reporting="mail.clinic.test", from_=Mailbox("Mail delivery", "mailer-daemon@clinic.test"),
        to="ann@clinic.test", message_id="<d1@clinic.test>", at=1_700_000_000_000_000, original=ORIGINAL,
    )  # fmt: skip
    lines.check(raw)
    return raw


@pytest.mark.parametrize("action", list(Action))
def test_a_report_says_nothing_of_the_message(action: Action) -> None:
    """Constant subject; of the original only Message-ID, Date, From and this recipient (DESIGN 3)."""
    raw = built(
        Report(action, "5.1.1", "pat@x.test", envid="E1", remote="mx.x.test", code=550, arrived=1, words="Why.")
    )
    assert b"CANARY" not in raw
    read = message.read(raw)
    assert read.subject == dsn.SUBJECT and read.automatic
    peer = email.message_from_bytes(raw, policy=email.policy.default)
    assert peer.get_content_type() == "multipart/report"
    assert [p.get_content_type() for p in peer.iter_parts()] == [
        "text/plain", "message/delivery-status", "text/rfc822-headers"
    ]  # fmt: skip
    back = dsn.read(raw)
    assert back is not None
    assert (back.reporting, back.envid, back.message_id) == ("mail.clinic.test", "E1", "<abc@clinic.test>")
    (one,) = back.recipients
    assert (one.final, one.action, one.status, one.diagnostic) == ("pat@x.test", action, "5.1.1", "smtp; 550 5.1.1")


def test_success_is_relayed() -> None:
    assert "delivered" not in {str(a) for a in Action}


def test_an_address_in_other_letters() -> None:
    raw = built(Report(Action.FAILED, "5.6.7", "pät@x.test", orcpt="utf-8;p\\x{E4}t@x.test"))
    back = dsn.read(raw)
    assert back is not None and back.recipients[0].final == "pät@x.test" and back.recipients[0].original == "pät@x.test"


@pytest.mark.parametrize(
    "report",
    [
        Report(Action.FAILED, "5.1.1\r\nX: y", "pat@x.test"),
        Report(Action.FAILED, "9.9.9", "pat@x.test"),
    ],
)
def test_a_report_that_is_not_well_formed(report: Report) -> None:
    with pytest.raises(RfcError):
        built(report)


def test_what_others_said_begins_no_field() -> None:
    raw = built(
        Report(
            Action.FAILED,
            "5.1.1",
            "pat@x.test",
            orcpt="rfc822;a+0D+0Ab",
            envid="a\r\nb",
            remote="x\r\ny",
            words="a\r\n--b",
        )
    )
    assert dsn.read(raw) is not None
    assert b"\r\nb" not in raw.replace(b"\r\nboundary", b"") and b"Remote-MTA" not in raw


HEAD = b"From: a@b.test\r\nContent-Type: multipart/report; boundary=b\r\n\r\n"
STATUS = HEAD + b"--b\r\nContent-Type: message/delivery-status\r\n\r\n"


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"From: a@b.test\r\n\r\nplain\r\n",
        b"From: a@b.test\r\nContent-Type: multipart/report\r\n\r\nx",
        HEAD + b"--b--\r\n",
        STATUS + b"\r\n--b--\r\n",
        STATUS + b"Reporting-MTA: dns; x\r\n--b--\r\n",
    ],
)
def test_what_is_no_report(raw: bytes) -> None:
    assert dsn.read(raw) is None


def test_a_flood_of_recipients_is_bounded() -> None:
    groups = b"\r\n\r\n".join(
        b"Final-Recipient: rfc822; a@b.test\r\nAction: failed\r\nStatus: 5.0.0" for _ in range(20_000)
    )
    raw = STATUS + b"Reporting-MTA: dns; x.test\r\n\r\n" + groups + b"\r\n--b--\r\n"
    back = dsn.read(raw)
    assert back is not None and len(back.recipients) == dsn.MAX_RECIPIENTS


@pytest.mark.parametrize(
    ("said", "until"),
    [
        ("Sat, 28 Nov 2026 10:00:00 +0100 (CET)", 1_795_856_400_000_000),
        ("Sat, 28 Nov 2026 10:00:00 -0000", 1_795_860_000_000_000),
        ("soon", 0),
        ("Sat, 28 Nov 99999 10:00:00 +0000", 0),
        ("", 0),
    ],
)
def test_a_delay_says_until_when_it_is_tried(said: str, until: int) -> None:
    status = (
        "Reporting-MTA: dns; mx.far.test\n\nFinal-Recipient: rfc822; ann@far.test\nAction: delayed\nStatus: 4.4.1\n"
        f"Will-Retry-Until: {said}\n"
    )
    received = dsn.of(status.encode(), b"")
    assert received is not None
    assert [(one.action, one.until) for one in received.recipients] == [("delayed", until)]
