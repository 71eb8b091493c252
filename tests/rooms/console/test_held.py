"""Held, as reviewers meet it: the list, the page, the decision for one and for several, the figure of what waits."""

import re
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from carepost.archive.models import Delivery
from carepost.keyring.acts import add_key
from carepost.review import settings
from carepost.tenancy import scope
from carepost.tenancy.models import Organisation
from carepost.tenancy.permissions import BOOTSTRAP
from tests.rooms.keyring.test_recipient_keys import smime
from tests.support.cast import fresh_books
from tests.support.heldmail import JANE, SUBJECT, TEXT, HeldMail, waiting, wanting

__all__ = ["fresh_books", "waiting", "wanting"]

pytestmark = [pytest.mark.django_db(databases=["default", "records"]), pytest.mark.usefixtures("log_tables")]

Sit = Callable[..., Client]
HOSTILE = '<script>alert(1)</script>\u202e"><img src=x onerror=alert(2)>'


def text_of(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


def post(http: Client, page: str, to: str = "/held/decide", **data: Any) -> Any:
    found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', http.get(page).content.decode())
    assert found
    return http.post(to, {"csrfmiddlewaretoken": found[1], **data}, follow=True)


def state(waiting: HeldMail, delivery: uuid.UUID) -> str:
    row = waiting.shard.backend.delivery(delivery.bytes)
    assert row is not None
    return row.state


def test_the_list_tells_what_who_why_and_until_when(maple: Organisation, waiting: HeldMail, at_desk: Sit) -> None:
    delivery = waiting.mail(maple)
    page = at_desk("operator").get("/held").content.decode()
    said = text_of(page)
    assert SUBJECT in said and "jane.quillfeather@patient.test" in said and "nurse@maple.test" in said
    assert "A rule holds it" in said and "then back to the sender" in said
    assert f"/held/{delivery}" in page
    assert SUBJECT not in page[: page.index("</title>")], "no title tells of a message"


def test_hostile_names_and_subjects_are_text(maple: Organisation, waiting: HeldMail, at_desk: Sit) -> None:
    """HS: what a stranger wrote never becomes markup, in no place it is shown."""
    delivery = waiting.mail(maple, subject=HOSTILE, html=f"<p>{TEXT}</p><script>alert(3)</script>")
    http = at_desk("operator")
    pages = [http.get(path) for path in ("/held", f"/held/{delivery}", f"/held/{delivery}/message")]
    pages.append(post(http, "/held", delivery=[delivery], verb="refuse", from_list="on"))
    for page in pages:
        assert page.status_code == 200
        html = page.content.decode()
        assert "<script>alert" not in html and "<img src=x" not in html
        assert "&lt;script&gt;alert(1)" in html


def test_the_page_offers_what_can_be_done_and_not_what_cannot(
    maple: Organisation, waiting: HeldMail, at_desk: Sit
) -> None:
    delivery = waiting.mail(maple)
    said = text_of(at_desk("operator").get(f"/held/{delivery}").content.decode())
    assert "the rule look-at-it" in said
    assert "As the rules say : by ordinary mail over TLS VERIFIED" in said
    assert "Only by ordinary mail over TLS" in said
    assert "S/MIME cannot be chosen" in said


def test_a_changed_certificate_leads_to_where_it_is_decided(
    maple: Organisation, waiting: HeldMail, at_desk: Sit
) -> None:
    """The address stands in no web address on the way; who may not decide is told who does."""
    delivery = waiting.mail(maple)
    waiting.thread.run(waiting.held_for(maple.pk.bytes, delivery.bytes, "key-changed", "known-key-changed"))
    key = add_key(maple.pk, JANE, smime(JANE), actor=BOOTSTRAP, reason="known")
    http = at_desk("administrator")
    page = http.get(f"/held/{delivery}").content.decode()
    assert "Decide which certificate holds" in page and "goes on by itself" in page
    answer = post(http, f"/held/{delivery}", "/certificates", address=JANE, straight="on")
    assert answer.redirect_chain == [(f"/certificates/{key.pk}", 302)] and JANE in answer.content.decode()
    page = at_desk("operator").get(f"/held/{delivery}").content.decode()
    assert "Decide which certificate holds" not in page and "An administrator decides that" in page


def test_one_is_released_with_a_reason_and_the_second_is_told(
    maple: Organisation, waiting: HeldMail, at_desk: Sit
) -> None:
    delivery = waiting.mail(maple)
    http = at_desk("operator")
    page = f"/held/{delivery}"
    answer = post(http, page, delivery=delivery, verb="release", reason="")
    assert answer.status_code == 422 and state(waiting, delivery) == "held"
    answer = post(http, page, delivery=delivery, verb="release", reason="I rang them", method="")
    assert "Released; it goes on by itself" in answer.content.decode()
    assert state(waiting, delivery) == "queued"
    answer = post(at_desk("administrator"), "/held/letters", delivery=delivery, verb="refuse", reason="no")
    assert "Operator Heron has released it already. Nothing was done now." in text_of(answer.content.decode())


@pytest.mark.parametrize("several", [False, True])
def test_who_decides_from_an_old_page_decides_nothing_that_waits_for_another_reason(
    maple: Organisation, waiting: HeldMail, at_desk: Sit, several: bool
) -> None:
    """Released by somebody else and held again while the page stood open: what it said is not why it waits now."""
    delivery = waiting.mail(maple)
    http, page = at_desk("operator"), f"/held/{delivery}"
    shown = http.get(page).content.decode()
    if several:
        shown = post(http, "/held", delivery=[delivery], verb="release", from_list="on").content.decode()
    (seen,) = set(re.findall(r'name="seen" value="([^"]+)"', shown))
    more = {"from_list": "on", "confirmed": "on"} if several else {}
    post(at_desk("administrator"), page, delivery=delivery, verb="release", reason="I rang them")
    waiting.thread.run(waiting.held_for(maple.pk.bytes, delivery.bytes, "rule-holds", "another-rule"))
    assert state(waiting, delivery) == "held"
    answer = post(http, page, delivery=[delivery], verb="release", reason="as I saw", seen=[seen], **more)
    assert answer.status_code == 422 and state(waiting, delivery) == "held"
    said = text_of(answer.content.decode())
    assert "held again, perhaps for another reason. Nothing was done now" in said
    (now,) = set(re.findall(r'name="seen" value="([^"]+)"', answer.content.decode()))
    assert now != seen
    post(http, page, delivery=[delivery], verb="release", reason="as I see now", seen=[now], **more)
    assert state(waiting, delivery) == "queued"


def test_a_weaker_method_is_refused_in_words(maple: Organisation, waiting: HeldMail, at_desk: Sit) -> None:
    delivery = waiting.mail(maple)
    answer = post(
        at_desk("operator"), f"/held/{delivery}", delivery=delivery, verb="release", reason="r", method="portal"
    )
    assert "That method protects less" in text_of(answer.content.decode())
    assert state(waiting, delivery) == "held"


def test_a_note_that_tells_of_the_message_is_given_back(maple: Organisation, waiting: HeldMail, at_desk: Sit) -> None:
    delivery = waiting.mail(maple)
    http = at_desk("operator")
    answer = post(http, f"/held/{delivery}", delivery=delivery, verb="refuse", reason="r", note=f"not {SUBJECT}")
    assert answer.status_code == 422
    assert "The note goes to the sender by mail" in answer.content.decode()
    assert f'value="not {SUBJECT}"' in answer.content.decode(), "what was typed is still there"
    assert state(waiting, delivery) == "held"


def test_several_are_shown_once_more_before_anything_is_done(
    maple: Organisation, waiting: HeldMail, at_desk: Sit
) -> None:
    chosen = [waiting.mail(maple) for _ in range(3)]
    http = at_desk("operator")
    answer = post(http, "/held", delivery=chosen, verb="refuse", from_list="on")
    assert "Refuse 3 messages?" in answer.content.decode()
    assert {state(waiting, one) for one in chosen} == {"held"}
    more = {"delivery": chosen, "verb": "refuse", "from_list": "on", "confirmed": "on"}
    assert post(http, "/held", **more).status_code == 422, "a reason is needed"
    answer = post(http, "/held", **more, reason="sent to the wrong list", note="Use the new list.")
    assert "3 messages are refused." in answer.content.decode()
    assert {waiting.record(one).note for one in chosen} == {"Use the new list."}


@pytest.mark.parametrize("verb", ["release", "refuse"])
def test_another_organisation_and_who_may_not_find_nothing(
    maple: Organisation, waiting: HeldMail, at_desk: Sit, verb: str
) -> None:
    delivery = waiting.mail(maple)
    for http in (at_desk("administrator", elsewhere=True), at_desk("auditor")):
        for path in (f"/held/{delivery}", f"/held/{delivery}/message"):
            assert http.get(path).status_code == 404
        assert http.get("/held").status_code in (200, 404)
        assert SUBJECT not in http.get("/held").content.decode()
        answer = post(http, "/security", delivery=delivery, verb=verb, reason="r")
        assert answer.status_code in (200, 404)
    assert state(waiting, delivery) == "held"
    assert Client().get(f"/held/{delivery}").status_code == 302


def test_the_navigation_counts_what_waits(
    maple: Organisation, harbour: Organisation, waiting: HeldMail, at_desk: Sit
) -> None:
    http = at_desk("operator")
    assert text_of(http.get("/held/count").content.decode()).strip() == ""
    waiting.mail(maple)
    waiting.mail(maple)
    waiting.mail(harbour)
    said = text_of(http.get("/held/count").content.decode())
    # in the navigation, and where it is folded
    assert re.fullmatch(r" 2 waiting, as of [^,]+, \d\d:\d\d UTC 2 held, as of .+ ", said), said
    assert 'hx-get="/held/count"' in http.get("/held").content.decode()


def test_the_figure_does_not_keep_a_session_open(maple: Organisation, waiting: HeldMail, at_desk: Sit) -> None:
    """HS-33: what a page asks by itself is no activity of a person."""
    http = at_desk("operator")
    http.get("/held")
    session = http.session
    session["seen"] = seen = session["seen"] - 600
    session.save()
    http.get("/held/count", headers={"X-Carepost-Idle": "1"})
    assert http.session["seen"] == seen
    http.get("/held")
    assert http.session["seen"] > seen


def test_who_is_told_is_set_by_the_administrator(maple: Organisation, waiting: HeldMail, at_desk: Sit) -> None:
    assert at_desk("operator").get("/held/letters").status_code == 404
    http = at_desk("administrator")
    given = {"letters": "daily", "address": "office@maple.test", "remind": "8"}
    assert post(http, "/held/letters", "/held/letters", **given, reason="").status_code == 422
    post(http, "/held/letters", "/held/letters", **given, reason="fewer letters")
    assert settings.of(maple.pk) == settings.Told("daily", "office@maple.test", 8)


def test_reading_it_is_for_who_may_read(maple: Organisation, waiting: HeldMail, at_desk: Sit) -> None:
    delivery = waiting.mail(maple)
    page = at_desk("operator").get(f"/held/{delivery}/message").content.decode()
    assert TEXT in page


def test_only_some_are_shown_and_nothing_of_what_was_asked_stands_in_an_address(
    maple: Organisation, waiting: HeldMail, at_desk: Sit
) -> None:
    jane, kim = waiting.mail(maple), waiting.mail(maple, to="kim@clinic.example")
    http = at_desk("operator")

    def those(**asked: str) -> list[str]:
        page = post(http, "/held", "/held", **asked).content.decode()
        return re.findall(r'name="delivery" value="([^"]+)"', page)

    assert those() == [str(kim), str(jane)]
    assert those(recipient_domain="clinic.example") == [str(kim)]
    assert those(recipient_domain="@CLINIC.example ", who="me") == [str(kim)]
    assert those(since="2020-01-01", until="2020-01-02") == those(rule="none") == those(who="others") == []
    answer = post(http, "/held", "/held", recipient_domain="nowhere.example")
    assert "Nothing like that waits" in answer.content.decode() and 'value="nowhere.example"' in answer.content.decode()
    assert post(http, "/held", "/held", since="soon").status_code == 422
    assert "clinic.example" not in answer.request["PATH_INFO"] + answer.request["QUERY_STRING"]


def test_a_page_without_a_row_leads_on_where_more_was_not_looked_at(
    maple: Organisation, waiting: HeldMail, at_desk: Sit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("carepost.queue.reviewing.MOST", 1)
    monkeypatch.setattr("carepost.queue.reviewing._READ", 1)
    monkeypatch.setattr("carepost.review.held._PAGES", 1)
    jane = waiting.mail(maple)
    waiting.mail(maple, to="kim@clinic.example")
    http = at_desk("operator")
    page = post(http, "/held", "/held", recipient_domain="patient.test").content.decode()
    assert "Nothing like that so far" in page
    cursor = re.search(r'name="cursor" value="([^"]+)"><button class="btn btn-primary">Next', page)
    assert cursor
    page = post(http, "/held", "/held", recipient_domain="patient.test", cursor=cursor[1]).content.decode()
    assert f'name="delivery" value="{jane}"' in page


def test_what_was_decided_and_forgotten_leads_to_its_message(
    maple: Organisation, waiting: HeldMail, at_desk: Sit, monkeypatch: pytest.MonkeyPatch
) -> None:
    message, delivery = uuid.uuid4(), uuid.uuid4()
    with scope.organisation(maple.pk):
        Delivery.objects.create(
            id=delivery, org_id=maple.pk, message=message, state="failed", method="", assurance="", reason="refused",
            rule="", updated_at=1, recipient=b"",
        )  # fmt: skip
    http = at_desk("operator")
    answer = http.get(f"/held/{delivery}")
    assert (answer.status_code, answer.headers["Location"]) == (302, f"/messages/{message}")
    assert at_desk("operator", elsewhere=True).get(f"/held/{delivery}").status_code == 404
    assert http.get(f"/held/{uuid.uuid4()}").status_code == 404


def test_what_waits_for_a_code_is_given_one(maple: Organisation, wanting: HeldMail, at_desk: Sit) -> None:
    delivery, code = wanting.mail(maple), "Xylo-7714"
    http, page = at_desk("operator"), f"/held/{delivery}"
    assert "Give it what opens it" in http.get(page).content.decode()
    told = {"kind": "code", "code": code, "question": "", "answer": ""}
    for wrong in (
        {"reason": ""},
        {"reason": "r", "code": "x" * 129},
        {"reason": "r", "kind": "question", "question": "q"},
    ):
        answer = post(http, page, f"{page}/access", **{**told, **wrong})
        assert answer.status_code == 422 and "agree-error" in answer.content.decode()
        assert code not in answer.content.decode(), "a secret is not shown again"
    assert state(wanting, delivery) == "held"
    answer = post(http, page, f"{page}/access", **told, reason="by telephone")
    said = text_of(answer.content.decode())
    assert "Tell it to the person by telephone or face to face, never by e-mail" in said and code not in said
    assert state(wanting, delivery) == "queued"
    assert wanting.record(delivery).access.verifier
    assert "Give it what opens it" not in http.get(page).content.decode()


def test_a_question_that_was_filled_in_is_meant(maple: Organisation, wanting: HeldMail, at_desk: Sit) -> None:
    """Who fills in a question and leaves the choice above it as it was, need not begin anew."""
    delivery = wanting.mail(maple)
    given = {"kind": "code", "code": "", "question": "Which ward?", "answer": "the owls", "reason": "by telephone"}
    post(at_desk("operator"), f"/held/{delivery}", f"/held/{delivery}/access", **given)
    assert wanting.record(delivery).access.question == "Which ward?"


def test_a_code_is_asked_for_only_where_it_helps(maple: Organisation, waiting: HeldMail, at_desk: Sit) -> None:
    delivery = waiting.mail(maple)
    assert "Give it what opens it" not in at_desk("operator").get(f"/held/{delivery}").content.decode()
    assert at_desk("auditor").post(f"/held/{delivery}/access", {"code": "c", "reason": "r"}).status_code in (403, 404)
