"""Endpoints made, changed, rotated, agreed on, removed: each with its event; strangers and others refused."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest

from carepost.ground import clock, ids
from carepost.ground.errors import NotFound, Refused
from carepost.ground.outward import Allowed
from carepost.rfc.asking import Found
from carepost.tenancy import events
from carepost.tenancy.actions import access, staff
from carepost.tenancy.permissions import BOOTSTRAP, COMMAND_LINE, Forbidden
from carepost.webhooks import acts, checking, select
from carepost.webhooks.checking import Agreement
from carepost.webhooks.filters import Filter
from carepost.webhooks.models import Endpoint, Secret
from carepost.wire.types import Actor
from tests.support.outbox import office_events

pytestmark = pytest.mark.django_db(databases=["default", "records"])

URL = "https://ehr.example/hook"
BAA = Agreement("BAA 7", "2026-01-02", "Invented EHR Inc.")


@pytest.fixture(autouse=True)
def _no_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    """The name is looked up by nobody here; tests below say what DNS answers."""
    monkeypatch.setattr(checking, "_leads", lambda *_: None)


@pytest.fixture
def org(cast: Any) -> uuid.UUID:
    return uuid.UUID(bytes=cast.maple)


@pytest.fixture
def made(org: uuid.UUID) -> acts.Made:
    return acts.add_endpoint(org, URL, actor=BOOTSTRAP, name="Our EHR")


def shown(org: uuid.UUID, made: acts.Made) -> select.Shown:
    return select.endpoint(org, COMMAND_LINE, made.endpoint, now=clock.now())


def test_made_its_secret_is_shown_once_and_kept_sealed(org: uuid.UUID, made: acts.Made) -> None:
    assert made.secret.startswith("whsec_") and made.secret not in repr(made)
    (event,) = office_events(acts.ADDED)
    assert event.on == [str(made.endpoint)] and set(event.commit) == {"url", "name", "filter"}
    one = shown(org, made)
    assert (one.name, one.url, one.format, one.state, one.agreement) == ("Our EHR", URL, "carepost", "live", None)
    assert [key.public for key in one.keys] == [made.public] and made.secret not in repr(one)
    (row,) = Secret.objects.filter(org_id=org)
    assert made.secret.removeprefix("whsec_").encode() not in bytes(row.sealed)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"url": "http://ehr.example/"}, "https"),
        ({"url": "https://10.0.0.1/"}, "network of our own"),
        ({"format": "xml"}, "format"),
        ({"filter": Filter(events=("delivery.invented",))}, "no event 'delivery.invented'"),
        ({"filter": Filter(events=("message.viewed",))}, "no event"),
        ({"filter": Filter(categories=("spam",))}, "category"),
        ({"filter": Filter(domains=("no domain",))}, "domain"),
        ({"filter": Filter(tags=("a\nb",))}, "tag"),
        ({"filter": Filter(tags=tuple(f"t{n}" for n in range(101)))}, "at most"),
        ({"name": "x" * 201}, "name"),
    ],
    ids=["plain", "private", "format", "kind", "staff-act", "category", "domain", "tag", "many", "name"],
)
def test_what_cannot_be_is_refused_in_words(org: uuid.UUID, given: dict[str, Any], sentence: str) -> None:
    with pytest.raises(Refused, match=sentence) as refused:
        acts.add_endpoint(org, **{"url": URL, "actor": BOOTSTRAP, **given})
    assert refused.value.status == 422 and not Endpoint.objects.filter(org_id=org).exists()


def test_changed_each_field_alone(org: uuid.UUID, made: acts.Made) -> None:
    acts.change_endpoint(org, made.endpoint, actor=BOOTSTRAP, name="EHR 2")
    acts.change_endpoint(org, made.endpoint, actor=BOOTSTRAP, filter=Filter(events=("portal.*", "delivery.sent")))
    acts.change_endpoint(org, made.endpoint, actor=BOOTSTRAP, format="sendgrid")
    one = shown(org, made)
    assert (one.name, one.url, one.format) == ("EHR 2", URL, "sendgrid")
    assert one.filter.events == ("delivery.sent", "portal.*")
    assert len(office_events(acts.CHANGED)) == 3


def test_rotated_both_count_for_the_overlap_and_no_third(org: uuid.UUID, made: acts.Made) -> None:
    second = acts.rotate_secret(org, made.endpoint, actor=BOOTSTRAP, overlap=2)
    one = shown(org, made)
    assert [key.public for key in one.keys] == [second.public, made.public]
    assert one.keys[0].ends_at == 0 and one.keys[1].ends_at > clock.now()
    with pytest.raises(Refused, match="Two secrets"):
        acts.rotate_secret(org, made.endpoint, actor=BOOTSTRAP)
    later = select.endpoint(org, COMMAND_LINE, made.endpoint, now=clock.now() + 3 * acts.HOUR_US)
    assert [key.public for key in later.keys] == [second.public]
    third = acts.rotate_secret(org, made.endpoint, actor=BOOTSTRAP, overlap=0)
    assert [key.public for key in shown(org, made).keys] == [third.public]
    with pytest.raises(Refused, match="0 to 168"):
        acts.rotate_secret(org, made.endpoint, actor=BOOTSTRAP, overlap=169)


def test_an_agreement_is_a_persons_and_ends_with_its_host(org: uuid.UUID, made: acts.Made) -> None:
    key = access.add_key(org, "machine", ("webhooks",), actor=BOOTSTRAP)
    with pytest.raises(Refused, match="by a person"):
        acts.record_agreement(org, made.endpoint, BAA, actor=Actor("key", key.id))
    for wrong in (
        Agreement("", "2026-01-02", "x"),
        Agreement("x", "2nd of May", "x"),
        Agreement("x", "2199-01-01", "x"),
    ):
        with pytest.raises(Refused):
            acts.record_agreement(org, made.endpoint, wrong, actor=BOOTSTRAP)
    acts.record_agreement(org, made.endpoint, BAA, actor=BOOTSTRAP)
    assert shown(org, made).agreement == BAA
    (event,) = office_events(acts.AGREED)
    assert set(event.commit) == {"reference", "date", "party"}
    # another path is the same party; another host is not
    acts.change_endpoint(org, made.endpoint, actor=BOOTSTRAP, url=f"{URL}/2")
    assert shown(org, made).agreement == BAA
    acts.change_endpoint(org, made.endpoint, actor=BOOTSTRAP, url="https://other.example/hook")
    assert shown(org, made).agreement is None
    assert [event.facts for event in office_events(acts.DISAGREED)] == [{"cause": "another-host"}]
    with pytest.raises(Refused, match="No agreement"):
        acts.end_agreement(org, made.endpoint, actor=BOOTSTRAP)


def test_paused_and_resumed_once(org: uuid.UUID, made: acts.Made) -> None:
    with pytest.raises(Refused, match="already"):
        acts.resume(org, made.endpoint, actor=BOOTSTRAP)
    acts.pause(org, made.endpoint, actor=BOOTSTRAP, reason="maintenance")
    with pytest.raises(Refused, match="already"):
        acts.pause(org, made.endpoint, actor=BOOTSTRAP)
    with pytest.raises(Refused, match="Resume it first"):
        acts.replay(org, made.endpoint, actor=BOOTSTRAP, since=clock.now() - 1)
    acts.resume(org, made.endpoint, actor=BOOTSTRAP)
    (event,) = office_events(acts.RESUMED)
    assert set(event.facts) == {"since", "until"}


def test_a_replay_has_a_range_or_an_event(org: uuid.UUID, made: acts.Made) -> None:
    now = clock.now()
    for since, until in ((now, now - 5), (0, now), (now - 100 * 24 * acts.HOUR_US, now)):
        with pytest.raises(Refused):
            acts.replay(org, made.endpoint, actor=BOOTSTRAP, since=since, until=until)
    with pytest.raises(NotFound):
        acts.replay(org, made.endpoint, actor=BOOTSTRAP, event="none")


def test_there_are_not_more_than_may_be(org: uuid.UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "MOST", 2)
    for _ in range(2):
        acts.add_endpoint(org, URL, actor=BOOTSTRAP)
    with pytest.raises(Refused, match="at most 2"):
        acts.add_endpoint(org, URL, actor=BOOTSTRAP)


class _Dns:
    def __init__(self, *names: str) -> None:
        self.names = names

    def ask(self, _: object) -> Any:
        return Found(names=self.names)


def test_bi_090_a_name_that_leads_inside_is_refused_when_it_is_entered(
    org: uuid.UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    monkeypatch.setattr(checking, "allowed", lambda: Allowed(("ok.example",)))
    for inside in ("10.0.0.7", "127.0.0.1", "169.254.169.254", "::1", "::ffff:10.0.0.1"):
        monkeypatch.setattr(checking.door, "client", lambda at=inside: _Dns(at))
        with pytest.raises(Refused, match="network of our own"):
            acts.add_endpoint(org, URL, actor=BOOTSTRAP)
    monkeypatch.setattr(checking.door, "client", lambda: _Dns("10.0.0.7"))
    acts.add_endpoint(org, "https://ok.example/", actor=BOOTSTRAP)
    monkeypatch.setattr(checking.door, "client", lambda: _Dns("9.9.9.9"))
    acts.add_endpoint(org, URL, actor=BOOTSTRAP)


ACTS: dict[str, Callable[[uuid.UUID, uuid.UUID, Actor], object]] = {
    "add": lambda org, _, by: acts.add_endpoint(org, URL, actor=by),
    "change": lambda org, row, by: acts.change_endpoint(org, row, actor=by, name="x"),
    "rotate": lambda org, row, by: acts.rotate_secret(org, row, actor=by),
    "pause": lambda org, row, by: acts.pause(org, row, actor=by),
    "resume": lambda org, row, by: acts.resume(org, row, actor=by),
    "test": lambda org, row, by: acts.test(org, row, actor=by),
    "replay": lambda org, row, by: acts.replay(org, row, actor=by, since=clock.now() - 1),
    "replay-one": lambda org, row, by: acts.replay(org, row, actor=by, event=ids.text(ids.new())),
    "agree": lambda org, row, by: acts.record_agreement(org, row, BAA, actor=by),
    "end-agreement": lambda org, row, by: acts.end_agreement(org, row, actor=by),
    "remove": lambda org, row, by: acts.remove_endpoint(org, row, actor=by),
    "list": lambda org, _, by: select.endpoints(org, by, now=clock.now()),
    "look": lambda org, row, by: select.endpoint(org, by, row, now=clock.now()),
    "log": lambda org, row, by: select.deliveries(org, by, row),
}


@pytest.mark.parametrize("name", sorted(ACTS))
def test_strangers_and_others_are_refused_and_nothing_is_left(
    cast: Any, org: uuid.UUID, made: acts.Made, name: str
) -> None:
    narrow = access.add_key(org, "narrow", ("send", "events"), actor=BOOTSTRAP)
    head = events.head()
    for who in (cast.operator, cast.auditor, cast.sender, cast.stranger, Actor("key", narrow.id), Actor("staff", "x")):
        with pytest.raises(Forbidden):
            ACTS[name](org, made.endpoint, who)
    if name not in ("add", "list"):
        with pytest.raises(NotFound):
            # an administrator elsewhere finds nothing of this one's
            ACTS[name](uuid.UUID(bytes=cast.harbour), made.endpoint, cast.stranger)
    assert events.head() == head
    before = Endpoint.objects.get(pk=made.endpoint)
    assert (before.state, before.name, before.removed_at) == ("live", "Our EHR", 0)


def test_an_administrator_and_a_key_with_the_scope_may(cast: Any, org: uuid.UUID) -> None:
    ada = staff.add_staff(org, "ada@maple.test", "Ada", "administrator", actor=BOOTSTRAP)
    key = access.add_key(org, "hooks", ("webhooks",), actor=BOOTSTRAP)
    for who in (Actor("staff", str(ada.staff)), Actor("key", key.id)):
        made = acts.add_endpoint(org, URL, actor=who)
        acts.remove_endpoint(org, made.endpoint, actor=who)
        with pytest.raises(NotFound):
            select.endpoint(org, who, made.endpoint, now=clock.now())
