"""The list, the page and the acts: permissions, the other organisation, reasons, and nothing personal in an address."""

import re
import uuid
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from django.test import Client

from carepost.console import records, timeline
from carepost.ground import ids
from carepost.mailbox.course import courses
from carepost.mailbox.models import Deposit
from carepost.tenancy import scope
from carepost.tenancy.models import Organisation
from carepost.wire.types import Actor, MessageView
from tests.support.desk import sample
from tests.support.mailroom import KeptDoor, again, happened, lay

pytestmark = [pytest.mark.django_db(databases=["default", "records"]), pytest.mark.usefixtures("log_tables")]

Sit = Callable[..., Client]


class Acting(KeptDoor):
    """A door that also takes acts."""

    def __init__(self) -> None:
        super().__init__()
        self.acts: list[tuple[str, bytes, str, Actor, str]] = []
        self.state = "queued"

    def act(
        self,
        verb: str,
        org: bytes,
        deliveries: tuple[bytes, ...],
        actor: Actor,
        reason: str,
        also: tuple[str, ...] = (),
    ) -> dict[str, str]:
        name = ids.text(deliveries[0])
        self.acts.append((verb, org, name, actor, reason))
        return {name: self.state}


@pytest.fixture
def door(monkeypatch: pytest.MonkeyPatch) -> Acting:
    from carepost.mailbox import door as engine

    kept = Acting()
    monkeypatch.setattr(engine, "client", lambda: kept)
    return kept


@pytest.fixture
def view(maple: Organisation, monkeypatch: pytest.MonkeyPatch) -> MessageView:
    """A message as the archive's gate gives it to Maple, and to nobody else."""
    made = sample(maple.pk)
    real = records.access_message

    def access(desk: Any, message: uuid.UUID) -> MessageView:
        if desk.org == maple.pk and str(message) == made.id:
            return made
        return real(desk, message)

    monkeypatch.setattr(records, "access_message", access)
    return made


def token(http: Client, page: str) -> str:
    found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', http.get(page).content.decode())
    assert found
    return found[1]


def test_the_page_says_what_was_required_seen_chosen_and_answered(view: MessageView, at_desk: Sit) -> None:
    page = at_desk("operator").get(f"/messages/{view.id}").content.decode()
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))
    for said in (
        "Required VERIFIED: encrypted to a server whose certificate fits its name",
        "Seen AUTHENTICATED: encrypted to a server proved to be the recipient’s own",
        "TLS TLSv1.3, TLS_AES_256_GCM_SHA384",
        "250 2.0.0 Ok: queued as 4F1A2B",
        "not good enough, next method",
        "The certificate names other.test",
        "A person must release it, or take it back.",
        "550 5.1.1 No such person here",
        "Next attempt",
        # what has not left has no protection yet: only a way it is to go, or was kept from
        "Expected way ordinary mail over TLS",
        "Way chosen, not taken",
        "Way tried",
    ):
        assert said in text
    title = re.search(r"<title>(.*?)</title>", page)
    assert title
    assert title[1] == "Message · Carepost"


def test_a_message_held_before_a_way_was_decided_is_not_said_to_have_needed_nothing(view: MessageView) -> None:
    one = view.deliveries[0]
    first = msgspec.structs.replace(one.attempts[0], required="NONE", method="", result="held")
    for method, shown in (("", False), ("tls", True)):
        tried = msgspec.structs.replace(first, method=method)
        line = timeline.line(msgspec.structs.replace(one, state="held", attempts=(tried,)), None, view.at)
        assert any(name == "Required" for entry in line.entries for name, _ in entry.facts) is shown


def test_what_is_held_is_shown_with_its_end_and_what_then(
    at_desk: Sit, view: MessageView, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = view.deliveries[3]
    waits = msgspec.structs.replace(held, until=1_795_269_720_000_000, then="refuse")
    found = msgspec.structs.replace(view, deliveries=(*view.deliveries[:3], waits, *view.deliveries[4:]))
    monkeypatch.setattr(records, "access_message", lambda *_: found)
    page = re.sub(
        r"\s+", " ", re.sub(r"<[^>]+>", " ", at_desk("operator").get(f"/messages/{view.id}").content.decode())
    )
    assert page.count("Held until") == 1
    assert "it goes back to its sender with a report" in page


def test_an_empty_list_and_an_empty_search_say_what_to_do(at_desk: Sit) -> None:
    http = at_desk("operator")
    assert "No messages yet" in http.get("/messages").content.decode()
    fields = {"csrfmiddlewaretoken": token(http, "/messages"), "recipient": "anna@dane.test"}
    found = http.post("/messages", fields)
    assert "No message found" in found.content.decode()
    # a search by GET is no search
    assert "No messages yet" in http.get("/messages?recipient=anna@dane.test").content.decode()


@pytest.mark.parametrize("fields", [
    {"since": "2026-13-45"}, {"since": "2026-11-21", "until": "2026-11-20"}, {"state": "x"}, {"recipient": "x" * 500},
    {"cursor": "nonsense", "state": "held"},
])  # fmt: skip
def test_odd_searches_are_answered_in_words(fields: dict[str, str], at_desk: Sit) -> None:
    """BI-098."""
    http = at_desk("operator")
    answer = http.post("/messages", {"csrfmiddlewaretoken": token(http, "/messages"), **fields})
    assert answer.status_code == 422
    assert "alert" in answer.content.decode() or "That is not possible" in answer.content.decode()


def test_listing_and_searching_are_events(maple: Organisation, at_desk: Sit) -> None:
    """Law 7."""
    http = at_desk("operator")
    http.get("/messages")
    http.post("/messages", {"csrfmiddlewaretoken": token(http, "/messages"), "sender": "owl@maple.test"})
    listed, searched = happened(maple.pk, "message.listed"), happened(maple.pk, "message.searched")
    assert len(listed) == 2  # the page, and the page the search form stood on
    assert len(searched) == 1
    assert "owl" not in repr(searched)


@pytest.mark.parametrize(("role", "list_", "page", "act"), [
    ("administrator", 200, 200, 302), ("operator", 200, 200, 302), ("auditor", 200, 404, 404),
    ("sender", 404, 404, 404),
])  # fmt: skip
def test_each_role_sees_and_does_its_own(
    role: str, list_: int, page: int, act: int, view: MessageView, at_desk: Sit, door: Acting
) -> None:
    http = at_desk(role)
    held = view.deliveries[3].id
    assert http.get("/messages").status_code == list_
    assert http.get(f"/messages/{view.id}").status_code == page
    fields = {"csrfmiddlewaretoken": token(http, "/sign-out"), "verb": "release", "reason": "agreed by telephone"}
    assert http.post(f"/messages/{view.id}/deliveries/{held}/act", fields).status_code == act
    assert len(door.acts) == (1 if act == 302 else 0)


def test_an_auditor_gets_proofs_from_the_list(view: MessageView, at_desk: Sit, monkeypatch: pytest.MonkeyPatch) -> None:
    """May not open a message, and may take the proof of each delivery."""
    monkeypatch.setattr(records, "find", lambda *a, **k: records.Page((view,)))
    page = at_desk("auditor").get("/messages").content.decode()
    for one in view.deliveries:
        assert f'action="/messages/{view.id}/deliveries/{one.id}/proof"' in page
        assert f"Download the proof for {one.recipient}" in page
    assert "/messages/arrival" not in page and f'href="/messages/{view.id}"' not in page
    assert "Download the proof" not in at_desk("operator").get("/messages").content.decode()


def test_the_other_organisation_and_the_absent_are_answered_alike(
    view: MessageView, maple: Organisation, harbour: Organisation, at_desk: Sit, door: Acting
) -> None:
    """BI-089, HS-30."""
    http = at_desk("administrator", elsewhere=True)
    absent = uuid.UUID(bytes=ids.new())
    before = len(happened(maple.pk))
    row = lay(maple)
    for path in (f"/messages/{absent}", f"/messages/{uuid.UUID(bytes=ids.new())}"):
        assert http.get(path).status_code == 404
    mark = token(http, "/messages")
    proof = f"/messages/{row.message}/deliveries/{row.delivery}/proof"
    assert http.post(proof, {"csrfmiddlewaretoken": mark}).status_code == 404
    door.state = "not-found"
    fields = {"csrfmiddlewaretoken": mark, "verb": "retract", "reason": "x"}
    http.post(f"/messages/{row.message}/deliveries/{row.delivery}/act", fields)
    assert again(row).state == "open"
    assert [act[1] for act in door.acts] == [harbour.pk.bytes]
    assert len(happened(maple.pk)) == before


def test_an_act_needs_a_reason_and_carries_it(view: MessageView, at_desk: Sit, door: Acting) -> None:
    http = at_desk("operator")
    held = view.deliveries[3].id
    path = f"/messages/{view.id}/deliveries/{held}/act"
    mark = token(http, f"/messages/{view.id}")
    refused = http.post(path, {"csrfmiddlewaretoken": mark, "verb": "release", "reason": "  "})
    assert refused.status_code == 422
    assert "Say why" in refused.content.decode()
    assert door.acts == []
    http.post(path, {"csrfmiddlewaretoken": mark, "verb": "release", "reason": "code agreed by telephone"})
    ((verb, _, delivery, actor, reason),) = door.acts
    assert (verb, delivery, actor.kind, reason) == ("release", held, "staff", "code agreed by telephone")
    assert "was released" in http.get(f"/messages/{view.id}").content.decode()
    door.state = "not-possible"
    http.post(path, {"csrfmiddlewaretoken": mark, "verb": "hold", "reason": "too late"})
    assert "not possible any more" in http.get(f"/messages/{view.id}").content.decode()
    assert http.post(path, {"csrfmiddlewaretoken": mark, "verb": "destroy", "reason": "x"}).status_code == 422
    done = len(door.acts)
    assert http.get(path).headers["Location"] == f"/messages/{view.id}" and len(door.acts) == done, "a GET never acts"


def test_what_lies_in_the_portal_is_taken_back_there(
    view: MessageView, maple: Organisation, at_desk: Sit, door: Acting
) -> None:
    row = lay(maple)
    http = at_desk("operator")
    fields = {"csrfmiddlewaretoken": token(http, "/messages"), "verb": "retract", "reason": "wrong person"}
    http.post(f"/messages/{row.message}/deliveries/{row.delivery}/act", fields)
    assert again(row).state == "retracted"
    assert door.acts == []
    (told,) = happened(maple.pk, "delivery.retracted")
    assert told.actor.kind == "staff"


def test_a_deposit_has_its_course_in_words(maple: Organisation, harbour: Organisation) -> None:
    row = lay(maple)
    with scope.organisation(maple.pk):
        Deposit.objects.filter(id=row.id).update(state="opened", assurance="MAILBOX", opened_at=row.created_at + 1)
    course = courses(maple.pk.bytes, row.message)[str(row.delivery)]
    assert [s.heading for s in course.steps] == ["Waiting in the portal", "Opened", "Expires"]
    assert courses(harbour.pk.bytes, row.message) == {}
    portal = sample(maple.pk).deliveries[1]
    line = timeline.line(portal, course, row.created_at)
    assert (line.mark.word, line.assurance) == ("Opened in the portal", "MAILBOX")


def test_no_engine_is_said_with_a_number(view: MessageView, at_desk: Sit, door: Acting, monkeypatch: Any) -> None:
    from carepost.ground.errors import Unavailable

    def away(*_: object) -> dict[str, str]:
        raise Unavailable("engine-away", "No engine answers.")

    monkeypatch.setattr(door, "act", away)
    http = at_desk("operator")
    held = view.deliveries[3].id
    fields = {"csrfmiddlewaretoken": token(http, "/messages"), "verb": "release", "reason": "x"}
    answer = http.post(f"/messages/{view.id}/deliveries/{held}/act", fields)
    assert answer.status_code == 503
    assert re.search(r"give this number: <span class=\"cs-id\">[0-9a-f-]{36}", answer.content.decode())


def test_people_come_first_and_one_click_shows_what_carepost_wrote_too(
    maple: Organisation, at_desk: Sit, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, ...]] = []
    real = records.find

    def find(desk: Any, wanted: records.Wanted, **more: Any) -> Any:
        asked.append(wanted.without)
        return real(desk, wanted, **more)

    monkeypatch.setattr(records, "find", find)
    http = at_desk("operator")
    http.get("/messages")
    http.get("/messages?shown=all")
    http.post("/messages", {"csrfmiddlewaretoken": token(http, "/messages"), "sender": "owl@maple.test"})
    fields = {"csrfmiddlewaretoken": token(http, "/messages"), "sender": "owl@maple.test", "shown": "all"}
    http.post("/messages", fields)
    own = ("notice", "bounce", "report")
    # the second and fourth page before a search carries its form
    assert asked == [own, (), own, own, own, ()]
    assert http.get("/messages?shown=nonsense").status_code == 422
