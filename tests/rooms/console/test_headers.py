"""Check a message: pasted or uploaded, concluded in words, compared with history, and kept nowhere."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from carepost.archive import books
from carepost.crypto import dkim
from carepost.ground import clock
from carepost.proof import kinds
from carepost.proof.commitments import mail_value
from carepost.rfc.asking import Found, Question
from carepost.tenancy.models import Organisation
from tests.support.mailroom import KeptDoor
from tests.support.outbox import Outbox, office_events
from tests.support.zone import Dns

pytestmark = pytest.mark.django_db(databases=["default", "records"])

MARK = "Quillfeather"
SECRET, PUBLIC = dkim.generate(dkim.ED25519)


class Engine(KeptDoor):
    """Asks a dictionary for DNS."""

    def __init__(self) -> None:
        super().__init__()
        self.dns = Dns({
            "s._domainkey.maple.test": [("TXT", PUBLIC)], "_dmarc.maple.test": [("TXT", "v=DMARC1; p=reject")],
        })  # fmt: skip

    def ask(self, question: Question) -> Found:
        return self.dns(question)


@pytest.fixture
def outbox(maple: Organisation, log_tables: None) -> Outbox:
    return Outbox()


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Engine:
    made = Engine()
    monkeypatch.setattr("carepost.mailbox.door.client", lambda: made)
    books.book.cache_clear()
    books.opener.cache_clear()
    return made


def mail(number: str = "<m-1@maple.test>", text: str = f"{MARK} is well.") -> bytes:
    raw = (
        f"From: Nurse Quill <nurse@maple.test>\r\nTo: jane@patient.test\r\nSubject: {MARK}\r\nMessage-ID: {number}\r\n"
        f"Date: Sat, 21 Nov 2026 12:00:00 +0000\r\n\r\n{text}\r\n"
    ).encode()
    top = "Received: from out.maple.test ([198.51.100.7]) by mx.patient.test with ESMTPS;"
    signed = dkim.Signer("maple.test", "s", dkim.ED25519, SECRET).sign(raw, clock.now() // 1_000_000) + raw
    return f"{top}\r\n Sat, 21 Nov 2026 12:00:05 +0000\r\n".encode() + signed


def given(http: Client, **fields: Any) -> tuple[int, str]:
    found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', http.get("/check").content.decode())
    assert found is not None
    answer = http.post("/check", {"csrfmiddlewaretoken": found[1], **fields})
    return answer.status_code, answer.content.decode()


def upload(raw: bytes) -> SimpleUploadedFile:
    return SimpleUploadedFile("mail.eml", raw, "message/rfc822")


def accepted(outbox: Outbox, org: Organisation, raw: bytes, number: str = "<m-1@maple.test>") -> None:
    """One of ours, whose events commit to this mail."""
    message, (delivery,) = outbox.accepted(org.pk.bytes, ("jane@patient.test",), message_id=number)
    values = {"mail": mail_value(raw), "sent": bytes(32)}
    outbox.add(org.pk.bytes, kinds.DELIVERY_SENT, [message, delivery], values=values, facts={"state": "sent"})
    outbox.commit()


def test_a_mail_is_taken_apart_and_nothing_of_it_is_kept(
    maple: Organisation, at_desk: Callable[..., Client], engine: Engine
) -> None:
    http = at_desk("operator")
    code, page = given(http, text=mail().decode())
    assert code == 200
    for words in ("is proved by a signature that holds today", "mx.patient.test", "ESMTPS", "Not ours", MARK):
        assert words in page
    assert "<title>Check a message" in page
    assert all(MARK not in str(row) for row in http.session.items())


def test_one_of_ours_is_known_and_the_look_is_on_record(
    maple: Organisation, at_desk: Callable[..., Client], engine: Engine, outbox: Outbox
) -> None:
    raw = mail()
    accepted(outbox, maple, raw)
    code, page = given(at_desk("operator"), file=upload(raw))
    assert code == 200 and "This is one of ours" in page
    assert [len(office_events(kind)) for kind in (kinds.MESSAGE_SEARCHED, kinds.MESSAGE_VIEWED)] == [1, 1]


def test_a_mail_altered_by_a_word_is_not(
    maple: Organisation, at_desk: Callable[..., Client], engine: Engine, outbox: Outbox
) -> None:
    accepted(outbox, maple, mail())
    code, page = given(at_desk("operator"), file=upload(mail(text=f"{MARK} is not well.")))
    assert code == 200 and "Like one of ours, but not the same" in page and "the text (body)" in page


def test_another_organisation_learns_nothing_of_ours(
    maple: Organisation, at_desk: Callable[..., Client], engine: Engine, outbox: Outbox
) -> None:
    raw = mail()
    accepted(outbox, maple, raw)
    code, page = given(at_desk("operator", elsewhere=True), file=upload(raw))
    assert code == 200 and "Not one of ours" in page
    assert office_events(kinds.MESSAGE_VIEWED) == []


@pytest.mark.parametrize("role", ["auditor", "sender"])
def test_whoever_may_not_read_messages_finds_no_page(
    maple: Organisation, at_desk: Callable[..., Client], engine: Engine, role: str
) -> None:
    assert at_desk(role).get("/check").status_code == 404
    assert Client().get("/check").status_code == 302


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "Choose a file, or paste the message."),
        ({"text": "hello"}, "Not one message"),
        ({"text": "From: a@b.test\nFrom: c@d.test\n\nx"}, "Not one message"),
        ({"text": "x" * 2_000_001}, "2000000"),
    ],
)
def test_bi_047_what_is_no_message_is_a_sentence(
    maple: Organisation, at_desk: Callable[..., Client], engine: Engine, fields: dict[str, str], words: str
) -> None:
    code, page = given(at_desk("operator"), **fields)
    assert code == 422 and words in page


def hops(*days: int, by: str = "mx.there.test") -> bytes:
    """Received lines, the first hop last."""
    lines = [
        f"Received: from relay{n} by {by} with ESMTPS; {day} Nov 2026 11:00:00 +0000\r\n" for n, day in enumerate(days)
    ]
    return "".join(reversed(lines)).encode() + b"From: a@b.test\r\n\r\nx\r\n"


def test_a_long_trail_is_folded_in_its_middle(
    maple: Organisation, at_desk: Callable[..., Client], engine: Engine
) -> None:
    http = at_desk("operator")
    _, page = given(http, file=upload(hops(*[1] * 40)))
    assert "40 lines." in page and "32 more between</summary>" in page
    assert page.count('<h3 class="cs-entry">mx.there.test</h3>') == 40
    assert page.index("from relay3,") < page.index("more between") < page.index("relay36")
    code, page = given(http, file=upload(hops(*[1] * 120)))
    assert code == 200 and "A mail loop" in page and "It has 120 Received lines" in page
    assert "120 lines." in page and "112 more between, 92 of them shown</summary>" in page
    assert "mx.there.test stands in 100 of the 100 that were read" in page
    assert page.index("from relay3,") < page.index("more between") < page.index("relay49,") < page.index("relay70,")
    assert page.index("relay70,") < page.index("relay116,") and "relay50," not in page and "relay69," not in page
    code, page = given(http, file=upload(hops(*[1] * 1_200)))
    assert code == 422 and "A mail loop" in page and "would disagree" not in page
    _, page = given(http, file=upload(hops(1, 20, 2)))
    assert "3 lines." in page and "more between" not in page
    assert "19 days after the one above" in page and "18 days before, not after the one above" in page


def test_what_a_stranger_wrote_fills_no_screen(
    maple: Organisation, at_desk: Callable[..., Client], engine: Engine
) -> None:
    raw = b"Authentication-Results: " + b"z" * 2000 + b"; dkim=" + b"y" * 3000 + b"\r\n" + hops(1, by="b." * 120 + "x")
    _, page = given(at_desk("operator"), file=upload(raw))
    assert "z" * 70 in page and "z" * 80 not in page and "y" * 601 not in page
    assert "b." * 30 in page and f'<h3 class="cs-entry">{"b." * 41}' not in page


def test_bi_062_markup_in_a_header_is_text(maple: Organisation, at_desk: Callable[..., Client], engine: Engine) -> None:
    top = b"Received: from <b>\r\n\tby <i>; x\r\nSubject: <img src=x>\r\n"
    raw = top + b'From: "<script>x</script>" <a@b.test>\r\n\r\nx\r\n'
    code, page = given(at_desk("operator"), file=upload(raw))
    assert code == 200 and "<script>x" not in page and "<img src=x" not in page and "<i>;" not in page


def test_a_busy_engine_answers_nothing_and_the_page_says_so(
    maple: Organisation, at_desk: Callable[..., Client], engine: Engine
) -> None:
    engine.dns = Dns({name: [("TXT", "!")] for name in ("s._domainkey.maple.test", "_dmarc.maple.test")})
    code, page = given(at_desk("operator"), file=upload(mail()))
    assert code == 200 and "nothing can be concluded" in page
