"""What is watched: off unless an administrator vouches; told to the engines; nothing of it for strangers (PR-21)."""

import uuid
from typing import Any

import pytest
from django.db import connection

from carepost.engagement import acts, select
from carepost.engagement.types import CATEGORIES
from carepost.ground.errors import NotFound, Refused
from carepost.proof import event
from carepost.tenancy import events, scope
from carepost.tenancy.models import OrgEpoch
from carepost.tenancy.names import Wrong
from carepost.tenancy.permissions import COMMAND_LINE, Forbidden
from carepost.tracking.types import Switch
from carepost.wire.types import Actor
from tests.rooms.engagement.conftest import VOUCHED

pytestmark = pytest.mark.django_db(databases=["default", "records"])


def epoch(org: uuid.UUID) -> int:
    with scope.organisation(org):
        return OrgEpoch.objects.get(org=org).epoch


def watch(org: uuid.UUID, **more: str) -> bool:
    given: dict[str, Any] = {"opens": "on", "clicks": "on", "attestation": VOUCHED, "reason": "news"} | more
    return acts.watch(org, given.pop("category", "marketing"), actor=COMMAND_LINE, **given)


def told(kind: str) -> list[event.Event]:
    with scope.every("the test's own eyes"):
        return [e for e in (event.read(row.event) for row in events.drain(0)) if e.kind == kind]


def test_nothing_is_watched_until_somebody_vouches(cast: Any) -> None:
    org = uuid.UUID(bytes=cast.maple)
    assert [(one.category, one.on) for one in select.settings(org).watched] == [(name, False) for name in CATEGORIES]
    for said in ("", "yes"):
        with pytest.raises(Wrong, match="vouches"):
            watch(org, attestation=said)
    before = epoch(org)
    assert watch(org)
    (marketing, *others) = select.settings(org).watched
    assert (marketing.opens, marketing.clicks, marketing.attestation) == ("on", "on", VOUCHED)
    assert not any(one.on for one in others)
    assert epoch(org) == before + 1
    (said,) = told(acts.WATCHED)
    assert said.facts == {
        "category": "marketing", "opens": "on", "clicks": "on", "opens-before": "off", "clicks-before": "off",
    }  # fmt: skip
    assert set(said.commit) == {"reason", "attestation"}
    assert not watch(org)


def test_less_needs_no_attestation_and_more_needs_it_again(cast: Any) -> None:
    org = uuid.UUID(bytes=cast.maple)
    watch(org)
    assert watch(org, opens="asked", clicks="on", attestation="")
    with pytest.raises(Wrong, match="vouches"):
        watch(org, opens="on", attestation="")
    assert watch(org, opens="off", clicks="off", attestation="")
    assert not select.settings(org).watched[0].on


@pytest.mark.parametrize(
    "given", [{"category": "system"}, {"category": "news"}, {"opens": "yes"}, {"clicks": ""}, {"reason": " "}],
    ids=["system", "unknown", "opens", "clicks", "reason"],
)  # fmt: skip
def test_what_is_no_setting_is_refused(cast: Any, given: dict[str, str]) -> None:
    with pytest.raises(Refused):
        watch(uuid.UUID(bytes=cast.maple), **given)


def test_the_switch_holds_for_the_account(cast: Any) -> None:
    org = uuid.UUID(bytes=cast.maple)
    assert select.switch(org) is Switch.NOT_AUTOMATED
    assert acts.count_as(org, "human", actor=COMMAND_LINE, reason="stricter")
    assert not acts.count_as(org, "human", actor=COMMAND_LINE, reason="again")
    assert select.switch(org) is Switch.HUMAN
    assert select.switch(uuid.UUID(bytes=cast.harbour)) is Switch.NOT_AUTOMATED
    with pytest.raises(Wrong):
        acts.count_as(org, "some", actor=COMMAND_LINE, reason="x")


def test_a_host_lies_below_a_domain_of_ones_own(cast: Any) -> None:
    org = uuid.UUID(bytes=cast.maple)
    assert acts.put_host(org, "Maple.test", "Link.maple.test", actor=COMMAND_LINE, reason="r")
    assert not acts.put_host(org, "maple.test", "link.maple.test", actor=COMMAND_LINE, reason="r")
    assert select.settings(org).hosts == {"maple.test": "link.maple.test"}
    for host in ("maple.test", "link.harbour.test", "track.thirdparty.example", "linkmaple.test"):
        with pytest.raises(Refused):
            acts.put_host(org, "maple.test", host, actor=COMMAND_LINE, reason="r")
    with pytest.raises(NotFound):
        acts.put_host(org, "harbour.test", "link.maple.test", actor=COMMAND_LINE, reason="r")
    acts.remove_host(org, "maple.test", actor=COMMAND_LINE, reason="r")
    with pytest.raises(NotFound):
        acts.remove_host(org, "maple.test", actor=COMMAND_LINE, reason="r")


def test_strangers_and_those_without_the_permission_change_and_see_nothing(cast: Any) -> None:
    org = uuid.UUID(bytes=cast.maple)
    nobody = Actor("staff", str(uuid.uuid4()))
    for actor in (nobody, cast.stranger, cast.operator, cast.auditor, cast.sender, cast.key):
        with pytest.raises(Forbidden):
            acts.watch(org, "marketing", opens="on", clicks="on", attestation=VOUCHED, actor=actor, reason="r")
        with pytest.raises(Forbidden):
            acts.count_as(org, "all", actor=actor, reason="r")
        with pytest.raises(Forbidden):
            acts.put_host(org, "maple.test", "link.maple.test", actor=actor, reason="r")
        with pytest.raises((Forbidden, NotFound)):
            acts.remove_host(org, "maple.test", actor=actor, reason="r")
    for actor in (nobody, cast.stranger, cast.sender):
        with pytest.raises(Forbidden):
            select.access_report(org, actor, first=0, last=30_000)
        with pytest.raises(Forbidden):
            select.access_copies(org, actor, bytes(16))
    assert not any(one.on for one in select.settings(org).watched)
    assert told(acts.WATCHED) == []


def test_the_engines_see_what_is_watched_and_nothing_of_who_vouched(cast: Any) -> None:
    org = uuid.UUID(bytes=cast.maple)
    watch(org)
    acts.put_host(org, "maple.test", "link.maple.test", actor=COMMAND_LINE, reason="r")
    with scope.organisation(org), connection.cursor() as cursor:
        cursor.execute("SELECT category, opens, clicks FROM engine_tracking")
        assert cursor.fetchall() == [("marketing", "on", "on")]
        cursor.execute("SELECT domain, host FROM engine_tracking_host")
        assert cursor.fetchall() == [("maple.test", "link.maple.test")]
