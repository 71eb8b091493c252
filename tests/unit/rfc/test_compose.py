"""Built messages: what is given becomes one field or one part; the standard library, as a peer, reads the same."""

import email
import email.message
import email.policy
from typing import Any

import pytest

from carepost.rfc import lines, message, mime
from carepost.rfc.address import Mailbox
from carepost.rfc.compose import Attachment, build
from carepost.rfc.errors import ComposeError

pytestmark = pytest.mark.fast

BASE: dict[str, Any] = {
    "from_": Mailbox("Nurse, Ann", "ann@clinic.test"),
    "to": [Mailbox("", "pat@verified.test")],
    "subject": "Your visit",
    "text": "Hello",
    "message_id": "<0190@clinic.test>",
    "at": 1_700_000_000_000_000,
}


def made(**given: Any) -> bytes:
    raw = build(**{**BASE, **given})
    lines.check(raw)
    message.read(raw)
    return raw


def peer(raw: bytes) -> email.message.EmailMessage:
    return email.message_from_bytes(raw, policy=email.policy.default)


@pytest.mark.parametrize(
    "value", ["x\r\nBcc: x@y.test", "x\nBcc: x@y.test", "x\rBcc: x@y.test", "x\n", "x\0", "a\x85b", "a\u2028b"]
)
@pytest.mark.parametrize(
    "where", ["subject", "header", "name", "address", "filename", "content_id", "message_id", "type"]
)
def test_no_value_begins_another_field(value: str, where: str) -> None:
    """BI-043, BI-045, BI-046."""
    given: dict[str, Any] = {
        "subject": {"subject": value},
        "header": {"headers": [("X-Note", value)]},
        "name": {"to": [Mailbox(value, "pat@verified.test")]},
        "address": {"to": [Mailbox("", value + "@verified.test")]},
        "filename": {"attachments": [Attachment(value, "text/csv", b"")]},
        "content_id": {"html": "x", "attachments": [Attachment("a", "text/csv", b"", value)]},
        "message_id": {"message_id": f"<{value}@b.test>"},
        "type": {"attachments": [Attachment("a", "text/" + value, b"")]},
    }[where]
    with pytest.raises(ValueError) as error:
        build(**{**BASE, **given})
    assert isinstance(error.value, ComposeError)
    assert "Bcc" not in str(error.value)


@pytest.mark.parametrize(
    "name",
    ["", "X Y", "X:Y", "X\r\nBcc", "From", "Bcc", "Content-Type", "MIME-Version", "DKIM-Signature", "Received", "Ü"],
)
def test_header_names_that_are_not_the_callers(name: str) -> None:
    with pytest.raises(ComposeError):
        build(**{**BASE, "headers": [(name, "x")]})


TEXTS = [
    "Hello",
    "Grüße\n.\n..dots\n",
    "trailing space \nand tab\t\nend ",
    "long " * 500,
    "x" * 5_000,
    "日本語" * 600,
    "a\rb\r\nc\n",
    "=\n==\n=20\n",
    "\n\n\n",
    "From here\n",
    "é" + "x" * 3_000,
]


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("eightbit", [False, True])
def test_text_arrives_as_it_was(text: str, eightbit: bool) -> None:
    """BI-051: whatever its lines are."""
    # the last line end belongs to the boundary after it
    expected = text.replace("\r\n", "\n").replace("\r", "\n").rstrip("\n")
    raw = made(text=text, html=f"<p>{text}</p>", eightbit=eightbit)
    assert eightbit or raw.isascii()
    read = peer(raw)
    for kind, want in (("plain", expected), ("html", f"<p>{text}</p>".replace("\r\n", "\n").replace("\r", "\n"))):
        part = read.get_body((kind,))
        assert part is not None
        assert part.get_content().replace("\r\n", "\n").rstrip("\n") == want
    content = mime.read(raw)
    assert content.text.rstrip("\n") == expected
    assert all(len(line) <= 998 for line in raw.split(b"\r\n"))


@pytest.mark.parametrize(
    "subject", ["", "Your visit", "Grüße " * 30, "word " * 60, "日本語" * 40, "=?utf-8?q?x?=", "x" * 900]
)
def test_the_subject_reads_back(subject: str) -> None:
    raw = made(subject=subject)
    assert message.read(raw).subject == subject.strip()
    assert str(peer(raw)["Subject"] or "") == subject.strip()


@pytest.mark.parametrize(
    "given", [{"subject": "x" * 999}, {"headers": [("X-A", "y" * 2_000)]}, {"text": "a\0b"}, {"text": "a\ud800"}]
)
def test_what_cannot_be_carried_is_refused(given: dict[str, Any]) -> None:
    """BI-051, BI-085."""
    with pytest.raises(ComposeError):
        build(**{**BASE, **given})


def test_everything_at_once() -> None:
    files = [
        Attachment("report.pdf", "application/pdf", bytes(range(256)) * 50),
        Attachment("Befund für Päivi 検査結果 (endgültig) " * 3 + ".pdf", "application/pdf", b"%PDF"),
        Attachment("logo.png", "image/png", b"\x89PNG", "logo@clinic"),
        Attachment("old.eml", "message/rfc822", b"From: a@b.test\r\n\r\nx"),
        Attachment("", "application/octet-stream", b""),
    ]
    raw = made(
        html='<img src="cid:logo@clinic">', attachments=files, cc=[Mailbox("", "c@d.test")], reply_to=[BASE["from_"]]
    )
    read = peer(raw)
    assert [p.get_content_type() for p in read.walk() if p.is_multipart()] == [
        "multipart/mixed", "multipart/alternative", "multipart/related"
    ]  # fmt: skip
    assert [p.get_filename() for p in read.iter_attachments()] == [
        files[0].filename,
        files[1].filename,
        "old.eml",
        None,
    ]
    content = mime.read(raw)
    got = {a.content_id or a.name: (a.data, a.inline) for a in content.attachments}
    assert got["report.pdf"] == (files[0].data, False)
    assert got["logo@clinic"] == (b"\x89PNG", True)
    assert content.html == '<img src="cid:logo@clinic">'


def test_no_recipient_is_invented_or_shown() -> None:
    raw = made(to=[])
    assert b"To: undisclosed-recipients:;\r\n" in raw
    assert message.read(raw).mailboxes("to") == []


def test_many_recipients_each_on_a_line() -> None:
    raw = made(to=[Mailbox(f"Pat {n}", f"pat{n}@verified.test") for n in range(1_000)])
    assert len(message.read(raw).mailboxes("to")) == 1_000


@pytest.mark.parametrize(
    ("said", "type_", "parameters"),
    [
        ("text/calendar; method=REQUEST", "text/calendar", {"method": "REQUEST"}),
        ('text/calendar;charset="utf-8" ;METHOD=CANCEL', "text/calendar", {"charset": "utf-8", "method": "CANCEL"}),
        ("Text/Plain; charset=utf-8", "text/plain", {"charset": "utf-8"}),
        ('application/pdf; name="other.pdf"', "application/pdf", {}),
        ("message/rfc822; charset=utf-8", "application/octet-stream", {}),
    ],
)
def test_a_files_type_keeps_its_parameters(said: str, type_: str, parameters: dict[str, str]) -> None:
    """Without its method an invitation is a file and no invitation (RFC 5546, RFC 6047 2.4)."""
    [part] = peer(made(attachments=[Attachment("visit.ics", said, b"BEGIN:VCALENDAR")])).iter_attachments()
    assert part.get_content_type() == type_ and part.get_filename() == "visit.ics"
    assert dict(part["content-type"].params) == parameters


@pytest.mark.parametrize(
    "said",
    ["text/plain; charset", "text/plain; a=b c=d", "text/plain; a=b; A=c", 'text/plain; a="b\r\nBcc: x@y.test"',
     "text/plain; a=\u00e4", 'text/plain; a="\\""', "multipart/mixed; boundary=x", "text", "; a=b", "text/plain;;a=b"],
)  # fmt: skip
def test_a_type_that_says_more_than_a_type_is_refused_with_an_example(said: str) -> None:
    with pytest.raises(ComposeError, match="application/pdf"):
        build(**{**BASE, "attachments": [Attachment("a", said, b"")]})
