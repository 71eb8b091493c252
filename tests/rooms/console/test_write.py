"""The page "Write": what it foresees is the engine's own answer; what is written survives whatever happens to it."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from msgspec.structs import replace

from carepost.console import writing
from carepost.drafts.models import Draft, DraftFile
from carepost.drafts.types import File, Written
from carepost.policy.types import Access, Assurance, Level, Rule
from carepost.rfc import message as rfc_message
from carepost.rfc import mime
from carepost.rfc.address import Mailbox
from carepost.tenancy import scope
from carepost.tenancy.models import Organisation
from carepost.wire.types import Actor, Origin
from tests.support.desk import person, seated
from tests.support.small_engine import SmallEngine

pytestmark = pytest.mark.django_db(databases=["default", "records"], transaction=True)

BY_MAIL = Rule("portal-by-mail", portal_by_mail=True)
LETTER = {
    "to": "Jane Roe <jane.roe@verified.test>, p@selfsigned.test", "cc": "", "subject": "Your visit on Monday",
    "text": "Dear Jane Quillfeather,\nsee you on Monday.", "reason": "", "code": "",
}  # fmt: skip


@pytest.fixture(autouse=True)
def eyes() -> Iterator[None]:
    """The test sees all rows; what it calls asks for its own organisation."""
    with scope.every("the test's own eyes"):
        yield


@pytest.fixture
def engine(tmp_path: Path, maple: Organisation, log_tables: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    made = SmallEngine(tmp_path / "shards")
    made.knows(maple.pk.bytes, "maple.test", rules=(BY_MAIL,))
    made.seen("verified.test", Assurance.VERIFIED)
    made.seen("selfsigned.test", Assurance.ENCRYPTED)
    monkeypatch.setattr("carepost.mailbox.door.client", lambda: made)
    yield made
    made.close()


def post(http: Client, do: str, *, path: str = "/write", expect: int | None = 200, **changes: Any) -> Any:
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', http.get("/write").content.decode())
    assert token is not None
    answer = http.post(path, {**LETTER, "do": do, **changes, "csrfmiddlewaretoken": token[1]})
    if expect is not None:
        assert answer.status_code == expect, answer.content.decode()[-3000:]
    return answer


def rows(page: str) -> list[str]:
    """The recipients and their words, in order."""
    shown = re.findall(r'<strong>([^<]+)</strong> <span class="cs-state cs-(\w+)">([^<]+)', page)
    return [f"{who}: {word} ({tone})" for who, tone, word in shown]


def test_it_foresees_for_each_recipient_what_the_engine_would_do(at_desk: Any, engine: Any) -> None:
    page = post(at_desk("sender"), "look").content.decode()
    assert rows(page) == [
        "jane.roe@verified.test: Ordinary mail over TLS (good)",
        "p@selfsigned.test: Secure portal (good)",
    ]
    assert "reads the message in the portal" in page and "portal-by-mail" in page
    assert not engine.taken


def test_the_live_look_says_the_same_and_keeps_a_draft(at_desk: Any, engine: Any) -> None:
    http = at_desk("sender")
    answer = post(http, "look", path="/write/look")
    assert rows(answer.content.decode()) == rows(post(http, "look").content.decode())
    assert answer.headers["Carepost-Saved"] == "yes" and "<html" not in answer.content.decode()
    draft = answer.headers["Carepost-Draft"]
    # seconds later it is not written again, and the page is told so
    answer = post(http, "look", path="/write/look", draft=draft, text="Dear Jane, more")
    assert (answer.headers["Carepost-Saved"], answer.headers["Carepost-Draft"]) == ("no", draft)
    # nothing typed, nothing kept
    before = Draft.objects.count()
    blank = dict.fromkeys(LETTER, "")
    assert post(http, "look", path="/write/look", **blank).headers["Carepost-Draft"] == ""
    assert Draft.objects.count() == before


def test_after_sending_it_says_how_in_the_words_of_before(at_desk: Any, engine: Any) -> None:
    http = at_desk("sender")
    post(http, "send", expect=302)
    said = http.get("/write").content.decode()
    assert "The message was accepted. Expected: 1 × Ordinary mail over TLS, 1 × Secure portal." in said
    assert "jane.roe" not in said
    engine.seen("plain.test", Assurance.NONE)
    look = rows(post(http, "look", to="q@plain.test").content.decode())
    assert look == ["q@plain.test: Held for a person (wait)"]
    post(http, "send", to="q@plain.test", expect=302)
    said = http.get("/write").content.decode()
    assert "Expected: Held for a person. What is held waits until somebody here releases it." in said


def test_it_is_sent_through_the_one_door_as_who_is_signed_in(maple: Organisation, at_desk: Any, engine: Any) -> None:
    somebody = person(maple, "operator", "nora@maple.test", "Nora Quill")
    http = seated(somebody)
    scan = SimpleUploadedFile("scan.txt", b"all well", "text/plain")
    page = post(http, "attach", files=scan).content.decode()
    draft = re.search(r'name="draft" value="([^"]+)"', page)
    assert draft is not None and "scan.txt" in page
    answer = post(http, "send", draft=draft[1], expect=302)
    (sent,) = engine.taken
    assert answer.headers["Location"].startswith("/messages/")
    assert (sent.origin, sent.actor, sent.org) == (Origin.CONSOLE, Actor("staff", str(somebody.pk)), maple.pk.bytes)
    assert sent.envelope.sender == "nora@maple.test"
    assert [r.address for r in sent.envelope.recipients] == ["jane.roe@verified.test", "p@selfsigned.test"]
    read = rfc_message.read(sent.body)
    assert (read.from_[0].name, read.from_[0].address) == ("Nora Quill", "nora@maple.test")
    assert read.subject == LETTER["subject"]
    found = mime.read(sent.body)
    assert "Quillfeather" in found.text and [a.data for a in found.attachments] == [b"all well"]
    assert not Draft.objects.exists() and not DraftFile.objects.exists()
    # an old tab, whose file went with the draft: refused as another text of a message that was sent
    assert "sent already" in post(http, "send", draft=draft[1], expect=422).content.decode()
    assert {s.key for s in engine.taken} == {f"write:{draft[1]}"}


def test_pressing_send_twice_is_one_message(at_desk: Any, engine: Any) -> None:
    """On a page on which nothing was kept yet, and after the draft is gone."""
    http = at_desk("sender")
    draft = draft_of(http.get("/write"))
    first = post(http, "send", draft=draft, expect=302).headers["Location"]
    assert post(http, "send", draft=draft, expect=302).headers["Location"] == first
    assert len({s.key for s in engine.taken}) == 1 and not Draft.objects.exists()


def test_under_the_id_of_a_colleagues_draft_one_gets_ones_own(at_desk: Any, engine: Any) -> None:
    theirs = post(at_desk("operator"), "look", path="/write/look").headers["Carepost-Draft"]
    assert draft_of(post(at_desk("sender"), "look", draft=theirs)) != theirs
    assert Draft.objects.count() == 2


def test_the_same_draft_handed_over_twice_is_one_message(at_desk: Any, engine: Any, monkeypatch: Any) -> None:
    """As after a crash between the engine's commit and the end of the draft."""
    http = at_desk("operator")
    draft = draft_of(post(http, "look"))
    monkeypatch.setattr("carepost.drafts.acts.sent", lambda *_, **__: None)
    first = post(http, "send", draft=draft, expect=302).headers["Location"]
    assert post(http, "send", draft=draft, expect=302).headers["Location"] == first
    changed = post(http, "send", draft=draft, text="Something else", expect=422).content.decode()
    assert "sent already" in changed and "Something else" in changed


def draft_of(answer: Any) -> str:
    found = re.search(r'name="draft" value="([^"]*)"', answer.content.decode())
    assert found is not None
    return found[1]


def test_a_rule_that_asks_for_a_reason_gets_one(maple: Organisation, at_desk: Any, engine: Any) -> None:
    why = Rule("why", recipient_domain="verified.test", ask_reason=True)
    engine.knows(maple.pk.bytes, "maple.test", rules=(BY_MAIL, why))
    http = at_desk("operator")
    page = post(http, "look").content.decode()
    assert "fill in the reason" in page and 'id="reason-box" hidden' not in page
    refused = post(http, "send", expect=422)
    assert "Nothing was sent yet" in refused.content.decode() and not engine.taken
    assert "Quillfeather" in refused.content.decode(), "what was written stands there still"
    post(http, "send", draft=draft_of(refused), reason="The patient asked for it", expect=302)
    assert b"X-Carepost-Reason: The patient asked for it" in engine.taken[0].body


def test_an_access_code_opens_the_portal_where_a_mailed_one_may_not(at_desk: Any, engine: Any) -> None:
    engine.seen("plain.test", Assurance.NONE)
    http = at_desk("operator")
    assert rows(post(http, "look", to="x@plain.test").content.decode()) == ["x@plain.test: Held for a person (wait)"]
    with_code = post(http, "look", to="x@plain.test", code="Blue-42")
    assert rows(with_code.content.decode()) == ["x@plain.test: Secure portal (good)"]
    post(http, "send", to="x@plain.test", code="Blue-42", draft=draft_of(with_code), expect=302)
    proof = engine.taken[0].protection.access
    assert proof.kind is Access.CODE and "Blue" not in proof.verifier


def test_a_refusal_sends_nothing_to_anybody_and_loses_nothing(maple: Organisation, at_desk: Any, engine: Any) -> None:
    never = Rule("never", recipient_domain="selfsigned.test", action="refuse", words="Call them instead.")
    engine.knows(maple.pk.bytes, "maple.test", rules=(BY_MAIL, never))
    answer = post(at_desk("operator"), "send", expect=422)
    page = answer.content.decode()
    assert "cannot go to one of its recipients" in page and "Call them instead." in page and "Quillfeather" in page
    assert not engine.taken and Draft.objects.count() == 1


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"to": "jane.roe@verified.test, not an address"}, "not complete"),
        ({"to": ""}, "at least one recipient"),
        ({"subject": "", "text": "  "}, "nothing to send yet"),
        ({"to": "jane.roe@verified.test\nBcc: x@y.test"}, "not complete"),
        ({"subject": "x" * 999}, "at most 998"),
    ],
    ids=["half-an-address", "nobody", "nothing", "header-injection", "long-subject"],
)
def test_what_cannot_be_sent_is_said_beside_the_field(changes: Any, said: str, at_desk: Any, engine: Any) -> None:
    page = post(at_desk("operator"), "send", expect=422, **changes).content.decode()
    assert said in page and not engine.taken


def test_an_engine_that_is_away_loses_nothing(at_desk: Any, engine: Any) -> None:
    http = at_desk("operator")
    engine.closed = True
    page = post(http, "send", expect=422).content.decode()
    assert "Nothing answers just now" in page and "Quillfeather" in page
    assert Draft.objects.count() == 1 and not engine.taken


def test_somebody_outside_every_sender_domain_is_told_before_writing(maple: Organisation, engine: Any) -> None:
    http = seated(person(maple, "operator", "locum@elsewhere.test"))
    assert "in no sender domain" in http.get("/write").content.decode()
    answer = post(http, "send", expect=422)
    assert "not in a domain of your organisation" in answer.content.decode() and not engine.taken


def test_an_ended_session_gives_back_what_was_written_and_sends_nothing(at_desk: Any, engine: Any) -> None:
    http = at_desk("operator")
    page = http.get("/write").content.decode()
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
    assert token is not None
    http.cookies.pop("carepost-staff", None)
    for name in [n for n in http.cookies if "csrf" not in n]:
        del http.cookies[name]
    answer = http.post("/write", {**LETTER, "do": "send", "csrfmiddlewaretoken": token[1]})
    assert answer.status_code == 403
    assert "Nothing was sent" in answer.content.decode() and "Quillfeather" in answer.content.decode()
    assert not engine.taken and not Draft.objects.exists()
    # signed in again elsewhere the old page's token is of another session: the same answer, never a bare error
    again = http.post("/write", {**LETTER, "do": "send", "csrfmiddlewaretoken": "x" * 64})
    assert again.status_code == 403 and "Quillfeather" in again.content.decode()
    # every other form still gets the one sentence, without an echo
    other = http.post("/messages", {"recipient": "jane.quillfeather@x.test"})
    assert other.status_code == 403 and b"uillfeather" not in other.content


def test_a_draft_is_listed_for_its_writer_and_opens_with_all_it_had(maple: Organisation, engine: Any) -> None:
    nora, omar = (seated(person(maple, "operator", f"{n}@maple.test")) for n in ("nora", "omar"))
    draft = draft_of(post(nora, "attach", files=SimpleUploadedFile("scan.txt", b"all well", "text/plain")))
    assert LETTER["subject"] in nora.get("/write").content.decode()
    page = nora.get(f"/write/{draft}").content.decode()
    assert "Quillfeather" in page and "scan.txt" in page and len(rows(page)) == 2
    assert LETTER["subject"] not in omar.get("/write").content.decode()
    assert omar.get(f"/write/{draft}").status_code == 404
    assert post(omar, "discard", draft=draft, expect=404)
    file = DraftFile.objects.get()
    assert "scan.txt" not in post(nora, f"remove:{file.pk}", draft=draft).content.decode()
    post(nora, "discard", draft=draft, expect=302)
    gone = nora.get(f"/write/{draft}")
    assert gone.status_code == 404
    # what Back shows after Send: that it went, or was thrown away, and the way on
    assert "It was sent, or it was discarded" in gone.content.decode() and 'href="/write"' in gone.content.decode()


def test_nothing_written_is_no_draft_and_is_not_called_kept(at_desk: Any, engine: Any) -> None:
    http, before = at_desk("sender"), Draft.objects.count()
    assert "Kept as a draft" not in http.get("/write").content.decode()
    blank = dict.fromkeys(LETTER, "")
    page = post(http, "send", expect=422, **blank).content.decode()
    assert "Name at least one recipient." in page and "Kept as a draft" not in page
    assert Draft.objects.count() == before
    assert "Kept as a draft" in post(http, "look").content.decode()


@pytest.mark.parametrize("path", ["/write", "/write/look"])
def test_a_role_that_may_not_send_finds_no_page(path: str, at_desk: Callable[..., Client], engine: Any) -> None:
    http = at_desk("auditor")
    assert http.get("/write").status_code == 404
    token = re.search(r'value="([^"]+)"', http.get("/help").content.decode())
    assert token is not None
    assert http.post(path, {**LETTER, "csrfmiddlewaretoken": token[1]}).status_code in (403, 404)
    assert not engine.taken


def test_what_a_rule_reads_is_said_to_be_unknown_where_nobody_can_look(
    maple: Organisation, at_desk: Any, engine: Any
) -> None:
    engine.knows(maple.pk.bytes, "maple.test", rules=(BY_MAIL, Rule("phi", levels=(Level.PHI_HIGH,), action="hold")))
    page = post(at_desk("operator"), "look").content.decode()
    assert "not known here" in page and "Held for a person" in page


def test_nothing_of_it_stands_in_an_address_or_a_title(at_desk: Any, engine: Any) -> None:
    http = at_desk("operator")
    draft = draft_of(post(http, "look"))
    page = http.get(f"/write/{draft}").content.decode()
    title = re.search(r"<title>([^<]*)</title>", page)
    assert title is not None and title[1] == "Write · Carepost"
    assert not re.search(r'(?:href|action)="[^"]*(?:jane|Quill|Monday)', page)


def test_nobody_learns_of_a_bcc_but_who_writes(at_desk: Any, engine: Any) -> None:
    http = at_desk("operator")
    whom = {"bcc": "Chart Desk <charts@verified.test>, jane.roe@verified.test", "reply_to": "desk@maple.test"}
    page = post(http, "look", **whom).content.decode()
    assert re.findall(r"<strong>([^<]+)</strong> <span class=\"cs-label\">Bcc", page) == ["charts@verified.test"]
    post(http, "send", draft=draft_of(post(http, "look", **whom)), **whom, expect=302)
    (sent,) = engine.taken
    assert [r.address for r in sent.envelope.recipients] == [
        "jane.roe@verified.test", "p@selfsigned.test", "charts@verified.test",
    ]  # fmt: skip
    assert b"charts@verified.test" not in sent.body and not re.search(rb"(?im)^bcc:", sent.body)
    assert b"\r\nReply-To: desk@maple.test\r\n" in sent.body
    # a message to those in Bcc alone names nobody
    whom = {"to": "", "bcc": "a@verified.test; b@verified.test"}
    post(http, "send", draft=draft_of(post(http, "look", **whom)), **whom, expect=302)
    body = engine.taken[1].body
    assert b"To: undisclosed-recipients:;" in body and b"verified.test" not in body


@pytest.mark.parametrize("reply_to", ["me@elsewhere.test", "a@maple.test, b@maple.test", "nobody"], ids=range(3))
def test_answers_stay_in_the_house(reply_to: str, at_desk: Any, engine: Any) -> None:
    page = post(at_desk("operator"), "send", reply_to=reply_to, expect=422).content.decode()
    assert "in a sender domain of your organisation" in page and "Quillfeather" in page and not engine.taken


def test_light_formatting_is_seen_before_it_is_sent_and_goes_in_both_parts(at_desk: Any, engine: Any) -> None:
    http = at_desk("operator")
    typed = "Dear **Jane**,\n\n- no food\n- no drink\n\n<script>alert(1)</script> [plan](https://maple.test/p)"
    page = post(http, "look", text=typed, formatted="on").content.decode()
    assert "<strong>Jane</strong>" in page and "<li>no food</li>" in page and "<script>alert" not in page
    assert "<strong>Jane" not in post(http, "look", text=typed).content.decode(), "only where it is asked for"
    draft = draft_of(post(http, "look", text=typed, formatted="on"))
    reopened = http.get(f"/write/{draft}").content.decode()
    assert re.search(r'name="formatted"[^>]*checked', reopened) and "<strong>Jane</strong>" in reopened
    post(http, "send", draft=draft, text=typed, formatted="on", expect=302)
    found = mime.read(engine.taken[0].body)
    assert found.text.replace("\r\n", "\n").startswith("Dear Jane,\n\n- no food\n- no drink\n\n<script>alert(1)")
    assert "plan (https://maple.test/p)" in found.text
    assert "<strong>Jane</strong>" in found.html and "<script>" not in found.html
    long = post(http, "send", text="word " * 11_000, formatted="on", expect=422).content.decode()
    assert "send it unformatted" in long and len(engine.taken) == 1


def test_the_limits_of_files_are_said(at_desk: Any, engine: Any) -> None:
    http = at_desk("operator")
    assert "At most 20 files, 20 MB together." in http.get("/write").content.decode()
    page = post(http, "attach", files=SimpleUploadedFile("scan.txt", b"x" * 4_000, "text/plain")).content.decode()
    assert "1 of 20 files, 4 KB of 20 MB." in page


def test_what_was_handed_over_before_a_change_of_versions_is_the_same_after_it() -> None:
    """The hash as the version without Bcc made it."""
    jane = Mailbox("Jane Roe", "jane.roe@verified.test")
    written = Written("Jane Roe <jane.roe@verified.test>", "", "Your visit", "See you on Monday.")
    files = (File("", "plan.txt", "text/plain", 4, b"rest"),)
    made = writing.payload_hash(written, writing.Addressed((jane,)), files)
    assert made.hex() == "e55fd34c5177dcce9836dee5ef976e5af3397467e58e25853ae4fe6a57bbbc26"
    other = replace(written, bcc="x@y.test")
    assert writing.payload_hash(other, writing.Addressed((jane,), bcc=(Mailbox("", "x@y.test"),)), files) != made
