"""What waits, over the API: a scope, pages, problems that say what to do, and nothing a person must approve."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest

from carepost.crypto import slowhash
from carepost.ground import ids
from carepost.tenancy.actions import access
from carepost.tenancy.models import Organisation
from carepost.tenancy.permissions import BOOTSTRAP
from tests.rooms.api.conftest import Machine
from tests.support.heldmail import SUBJECT, HeldMail, waiting, wanting
from tests.support.mailroom import clinic
from tests.support.outbox import Outbox

__all__ = ["waiting", "wanting"]

pytestmark = [pytest.mark.django_db(databases=["default", "records"]), pytest.mark.usefixtures("log_tables")]


@pytest.fixture
def maple(db: None) -> Organisation:
    return clinic("maple", "maple.test")


@pytest.fixture
def harbour(db: None) -> Organisation:
    return clinic("harbour", "harbour.test")


@pytest.fixture
def log_tables(db: None) -> Outbox:
    return Outbox()


Key = Callable[..., Machine]


@pytest.fixture
def key() -> Key:
    def make(org: Organisation, *scopes: str) -> Machine:
        return Machine(access.add_key(org.pk, "machine", scopes or ("held",), actor=BOOTSTRAP).secret)

    return make


def state(waiting: HeldMail, delivery: uuid.UUID) -> str:
    row = waiting.shard.backend.delivery(delivery.bytes)
    assert row is not None
    return row.state


def test_the_list_by_pages_and_kinds(maple: Organisation, waiting: HeldMail, key: Key) -> None:
    first, boss = waiting.mail(maple), waiting.mail(maple, sender="boss@maple.test")
    asking = key(maple)
    page = asking.get("/held", limit="1").json()
    (one,) = page["held"]
    assert (one["id"], one["kind"], one["approvals"], one["releasable"]) == (str(boss), "approval", 2, False)
    (other,) = asking.get("/held", cursor=page["cursor"]).json()["held"]
    assert (other["id"], other["subject"], other["then"]) == (str(first), SUBJECT, "refuse")
    assert [h["id"] for h in asking.get("/held", kind="rule").json()["held"]] == [str(first)]
    for query in ({"kind": "odd"}, {"cursor": "odd"}, {"limit": "0"}):
        answer = asking.get("/held", **query)
        assert (answer.status_code, answer["Content-Type"]) == (422, "application/problem+json")


def test_a_search_by_what_must_not_stand_in_an_address(maple: Organisation, waiting: HeldMail, key: Key) -> None:
    jane = waiting.mail(maple)
    boss = waiting.mail(maple, sender="boss@maple.test", to="kim@clinic.example")
    asking = key(maple)

    def those(**asked: Any) -> list[str]:
        return [one["id"] for one in asking.post("/held/search", asked).json()["held"]]

    assert those() == [str(boss), str(jane)]
    assert those(recipient_domain="clinic.example") == those(releasable=False) == those(rule="two-people")
    assert those(recipient_domain="clinic.example") == [str(boss)] == those(kind="approval")
    assert those(releasable=True, sender_domain="maple.test") == [str(jane)]
    assert those(until="2020-01-01T00:00:00Z") == [] and len(those(since="2020-01-01T00:00:00Z")) == 2
    first = asking.post("/held/search", {"limit": 1}).json()
    assert [one["id"] for one in first["held"]] == [str(boss)] and those(cursor=first["cursor"]) == [str(jane)]
    for wrong in ({"kind": "odd"}, {"since": "soon"}, {"cursor": "odd"}, {"limit": 0}, {"recipient": "x@y.test"}):
        assert asking.post("/held/search", wrong).status_code == 422


def test_a_release_a_second_one_and_what_another_did(maple: Organisation, waiting: HeldMail, key: Key) -> None:
    delivery = waiting.mail(maple)
    asking = key(maple)
    answer = asking.post(f"/held/{delivery}/release", {"reason": "seen", "method": "tls"})
    assert (answer.status_code, answer.json()) == (
        200, {"delivery": str(delivery), "state": "released", "again": False},
    )  # fmt: skip
    assert asking.post(f"/held/{delivery}/release", {"reason": "seen"}).json()["again"] is True
    late = key(maple).post(f"/held/{delivery}/refuse", {"reason": "no"})
    assert (late.status_code, late.json()["type"]) == (409, "urn:carepost:problem:not-held")
    assert "An API key has released it already" in late.json()["detail"]


def test_a_refusal_with_a_note(maple: Organisation, waiting: HeldMail, key: Key) -> None:
    delivery = waiting.mail(maple)
    told = key(maple).post(f"/held/{delivery}/refuse", {"reason": "no", "note": f"it is {SUBJECT}"})
    assert (told.status_code, told.json()["type"]) == (422, "urn:carepost:problem:note-tells")
    assert SUBJECT not in told.content.decode()
    answer = key(maple).post(f"/held/{delivery}/refuse", {"reason": "no", "note": "Use the portal."})
    assert (answer.status_code, answer.json()["state"]) == (200, "refused")
    assert waiting.record(delivery).note == "Use the portal."


@pytest.mark.parametrize("body", [{}, {"reason": ""}, {"reason": "r", "method": "pigeon"}, {"reason": "r", "x": 1}])
def test_what_is_wrong_with_a_request_is_said(maple: Organisation, waiting: HeldMail, key: Key, body: Any) -> None:
    delivery = waiting.mail(maple)
    answer = key(maple).post(f"/held/{delivery}/release", body)
    assert (answer.status_code, answer["Content-Type"]) == (422, "application/problem+json")
    assert state(waiting, delivery) == "held"


def test_no_key_approves_and_none_weakens(maple: Organisation, waiting: HeldMail, key: Key) -> None:
    boss, plain = waiting.mail(maple, sender="boss@maple.test"), waiting.mail(maple)
    answer = key(maple).post(f"/held/{boss}/release", {"reason": "r"})
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:carepost:problem:needs-another")
    answer = key(maple).post(f"/held/{plain}/release", {"reason": "r", "method": "portal"})
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:carepost:problem:not-stronger")
    assert {state(waiting, one) for one in (boss, plain)} == {"held"}


def test_strangers_and_keys_without_the_scope(
    maple: Organisation, harbour: Organisation, waiting: HeldMail, key: Key
) -> None:
    delivery = waiting.mail(maple)
    theirs = key(harbour)
    assert theirs.get("/held").json() == {"held": [], "cursor": ""}
    for verb in ("release", "refuse"):
        answer = theirs.post(f"/held/{delivery}/{verb}", {"reason": "r"})
        absent = key(maple).post(f"/held/{uuid.UUID(bytes=ids.new(0))}/{verb}", {"reason": "r"})
        assert (answer.status_code, answer.content) == (404, absent.content)
        assert key(maple, "send", "messages").post(f"/held/{delivery}/{verb}", {"reason": "r"}).status_code == 403
    assert key(maple, "search").get("/held").status_code == 403
    assert state(waiting, delivery) == "held"


def test_an_access_code_is_given_once_and_never_answered(
    maple: Organisation, harbour: Organisation, wanting: HeldMail, key: Key
) -> None:
    delivery, code = wanting.mail(maple), "Xylo-7714"
    asking = key(maple)
    assert [one["kind"] for one in asking.get("/held").json()["held"]] == ["access"]
    path, body = f"/held/{delivery}/access", {"reason": "by telephone", "access": {"code": code}}
    absent = asking.post(f"/held/{uuid.UUID(bytes=ids.new(0))}/access", body)
    stranger = key(harbour).post(path, body)
    assert (stranger.status_code, stranger.content) == (404, absent.content)
    assert key(maple, "send", "messages").post(path, body).status_code == 403
    for wrong in (
        {"code": code, "question": "q", "answer": "a"},
        {"question": "q"},
        {},
        {"code": "x" * 129},
        {"pin": code},
    ):
        answer = asking.post(path, {"reason": "r", "access": wrong})
        assert answer.status_code == 422 and code not in answer.content.decode()
    assert asking.post(path, {"access": {"code": code}}).status_code == 422, "no reason"
    assert state(wanting, delivery) == "held"
    answer = asking.post(path, body)
    assert (answer.status_code, answer.json()) == (
        200, {"delivery": str(delivery), "state": "agreed", "again": False},
    )  # fmt: skip
    late = key(maple).post(path, {"reason": "r", "access": {"code": "other"}})
    assert (late.status_code, late.json()["type"]) == (409, "urn:carepost:problem:not-held")
    assert "that one opens it" in late.json()["detail"]
    assert slowhash.verify(wanting.record(delivery).access.verifier, code)


def test_a_code_for_what_waits_for_none(maple: Organisation, waiting: HeldMail, key: Key) -> None:
    delivery = waiting.mail(maple)
    answer = key(maple).post(f"/held/{delivery}/access", {"reason": "r", "access": {"code": "owl"}})
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:carepost:problem:not-awaited")
    assert state(waiting, delivery) == "held"
