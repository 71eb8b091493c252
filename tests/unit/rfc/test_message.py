"""The header section: read once, refused where it has two readings, changed without touching another octet."""

import pytest

from carepost.rfc import message
from carepost.rfc.address import Mailbox
from carepost.rfc.errors import MessageError

pytestmark = pytest.mark.fast

RAW = (
    b"Received: from a.test by b.test;\r\n\tFri, 21 Nov 2026 18:48:00 +0000\r\n"
    b"From: Nurse Ann <ann@clinic.test>\r\n"
    b"To: Pat <pat@verified.test>,\r\n Quinn <quinn@plain.test>\r\n"
    b"Bcc: secret@x.test\r\n"
    b"Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n =?utf-8?q?_aus?= Ulm\r\n"
    b"Date: Fri, 21 Nov 2026 18:48:00 +0000\r\n"
    b"Message-ID: <abc@clinic.test>\r\n"
    b"x-carepost-secret: 1234\r\n"
    b"X-Originating-IP: [192.0.2.1]\r\n"
    b"\r\nbody \xff\r\nBcc: not a header\r\n"
)


def test_it_reads_what_is_there() -> None:
    read = message.read(RAW)
    assert read.from_ == (Mailbox("Nurse Ann", "ann@clinic.test"),)
    assert read.subject == "Grüße aus Ulm"
    assert read.message_id == "<abc@clinic.test>"
    assert read.date_raw == "Fri, 21 Nov 2026 18:48:00 +0000"
    assert [m.address for m in read.mailboxes("TO")] == ["pat@verified.test", "quinn@plain.test"]
    assert read.get("X-None") is None and read.all("received") == [
        "from a.test by b.test;\tFri, 21 Nov 2026 18:48:00 +0000"
    ]
    assert RAW[read.header_end :] == b"body \xff\r\nBcc: not a header\r\n"
    for field in read.fields:
        assert RAW[field.start : field.value].lower() == field.name + b":"
        assert RAW[field.end - 2 : field.end] == b"\r\n"
    assert not read.automatic


def test_removing_touches_nothing_else() -> None:
    """Blind copies, our secrets and client addresses leave no trace; every other octet stays (DESIGN 3)."""
    read = message.read(RAW)
    out = message.rewrite(RAW, read, message.removed(read), b"X-New: 1\r\n")
    expected = RAW
    for line in (b"Bcc: secret@x.test\r\n", b"x-carepost-secret: 1234\r\n", b"X-Originating-IP: [192.0.2.1]\r\n"):
        expected = expected.replace(line, b"", 1)
    assert out == b"X-New: 1\r\n" + expected
    assert message.rewrite(RAW, read) == RAW


def test_a_message_of_header_alone() -> None:
    raw = b"From: a@b.test\r\n"
    assert message.read(raw).header_end == len(raw)
    assert message.read(raw + b"\r\n").header_end == len(raw) + 2


@pytest.mark.parametrize(
    ("header", "code"),
    [
        (b"", "no-from"),
        (b"To: a@b.test\r\n", "no-from"),
        (b"From:\r\n", "no-from"),
        (b"From: \r\n \r\n", "no-from"),
        (b"From: a@b.test\r\nFrom: c@d.test\r\n", "duplicate-field"),
        (b"From: a@b.test\r\nfrom: a@b.test\r\n", "duplicate-field"),
        (b"From: a@b.test\r\nSubject: x\r\nSubject: y\r\n", "duplicate-field"),
        (b"From: a@b.test\r\nContent-Type: text/plain\r\nContent-type: text/html\r\n", "duplicate-field"),
        (
            b"From: a@b.test\r\nContent-Transfer-Encoding: 7bit\r\nContent-Transfer-Encoding: base64\r\n",
            "duplicate-field",
        ),
        (b"From: a@b.test, c@d.test\r\n", "from-many"),
        (b"From: a@b.test, c@d.test\r\nSender: a@b.test, c@d.test\r\n", "from-many"),
        (b"From: Team: a@b.test;\r\n", "from-syntax"),
        (b"From: <a@good.test> <b@evil.test>\r\n", "from-syntax"),
        (b"From: a@good.test <b@evil.test>\r\n", "from-syntax"),
        (b"From: <>\r\n", "from-syntax"),
        (b'From: "\r\n', "from-syntax"),
        (b"From : a@b.test\r\n", "header-syntax"),
        (b" From: a@b.test\r\n", "header-syntax"),
        (b"From: a@b.test\r\njunk line\r\n", "header-syntax"),
        (b"From: a@b.test\r\n: empty\r\n", "header-syntax"),
        (b"From: a@b.test\nBcc: c@d.test\r\n", "header-syntax"),
        (b"From: a@b.test\rBcc: c@d.test\r\n", "header-syntax"),
        (b"From: a@b.test\0\r\n", "header-syntax"),
        (b"From: a@b.test\r\nS\xc3\xbcbject: x\r\n", "header-syntax"),
        (b"From: a@b.test\r\n" + b"Received: x\r\n" * 101, "loop"),
        (b"From: a@b.test\r\n" + b"X-A: b\r\n" * 1_000, "header-fields"),
        (b"From: a@b.test\r\n" + b"X-A: b\r\n" * 100_000, "header-size"),
        (b"X: y\r\n" * 70_000, "header-fields"),
        (b"From: a@b.test\r\nX-A:" + b" x\r\n" * 40_000, "header-size"),
        (b"From: a@b.test\r\nX-A: " + b"x" * 5 * 2**20 + b"\r\n", "header-size"),
    ],
)
def test_what_has_two_readings_or_no_end_is_refused(header: bytes, code: str) -> None:
    """BI-027, BI-047, BI-048, BI-050, BI-054."""
    with pytest.raises(MessageError) as error:
        message.read(header + b"\r\nbody\r\n")
    assert error.value.code == code
    assert error.value.enhanced == {"loop": "5.4.6", "header-size": "5.3.4", "header-fields": "5.3.4"}.get(
        code, "5.6.0"
    )


def test_a_hundred_received_lines_are_no_loop_yet() -> None:
    assert message.read(b"Received: x\r\n" * 100 + b"From: a@b.test\r\n\r\n")


def test_several_authors_need_one_sender() -> None:
    """BI-047."""
    read = message.read(b"From: a@b.test, c@d.test\r\nSender: e@f.test\r\n\r\n")
    assert [m.address for m in read.from_] == ["a@b.test", "c@d.test"]


@pytest.mark.parametrize(
    "subject",
    [
        b"=?UTF-8?Q?=0ABcc:_x@y.test?=",
        b"=?utf-8?b?DQpCY2M6IHhAeS50ZXN0?=",
        b"=?utf-8?q?a=00b=1B[31m?=",
        "a\u202eb".encode(),
    ],
)
def test_a_decoded_subject_is_one_safe_line(subject: bytes) -> None:
    """BI-044."""
    text = message.read(b"From: a@b.test\r\nSubject: " + subject + b"\r\n\r\n").subject
    assert text.isprintable()


@pytest.mark.parametrize(
    "charset", [b"utf-7", b"unknown-8bit", b"idna", b"punycode", b"unicode_escape", b"rot13", b"hex", b"\xff"]
)
def test_only_known_charsets_are_decoded(charset: bytes) -> None:
    """BI-061."""
    text = message.read(b"From: a@b.test\r\nSubject: =?" + charset + b"?q?+ADw-script+AD4-?=\r\n\r\n").subject
    assert "<" not in text


@pytest.mark.parametrize(
    "identifier", [b"<" + b"a" * 10_000 + b"@b.test>", b"<", b"none", b"<a@b.test> <c@d.test>", b"<a b@c.test>"]
)
def test_an_odd_message_id_is_none(identifier: bytes) -> None:
    """BI-065: no crash, and the field stays as it was."""
    raw = b"From: a@b.test\r\nDate: x\r\nMessage-ID: " + identifier + b"\r\n\r\n"
    read = message.read(raw)
    assert read.message_id == ""
    assert message.repair(raw, read, at=0, message_id="x", host="y.test") == raw


def test_what_breaks_the_standard_library_is_only_text() -> None:
    assert message.read(b"From: a@b.test\r\nMessage-ID: <[>\r\n\r\n").message_id == "<[>"


@pytest.mark.parametrize("date", [b"Fri, 21 Nov 9999 00:00:00 +0000", b"-1", b"x" * 900])
def test_an_odd_date_is_only_text(date: bytes) -> None:
    """BI-065."""
    assert len(message.read(b"From: a@b.test\r\nDate: " + date + b"\r\n\r\n").date_raw) <= 128


def test_repair_adds_what_is_missing_and_nothing_else() -> None:
    raw = b"From: a@b.test\r\n\r\nbody\r\n"
    fixed = message.repair(
        raw, message.read(raw), at=1_700_000_000_000_000, message_id="0190-a", host="mail.clinic.test"
    )
    assert fixed.endswith(raw)
    read = message.read(fixed)
    assert read.message_id == "<0190-a@mail.clinic.test>"
    assert read.date_raw == "Tue, 14 Nov 2023 22:13:20 +0000"
    assert message.repair(fixed, read, at=0, message_id="x", host="y.test") is fixed


@pytest.mark.parametrize(
    "field",
    [b"Auto-Submitted: auto-replied", b"Precedence: Bulk", b"List-Id: <a.b>", b"Auto-Submitted: auto-generated; x=y"],
)
def test_automatic_mail_is_known(field: bytes) -> None:
    assert message.read(b"From: a@b.test\r\n" + field + b"\r\n\r\n").automatic
