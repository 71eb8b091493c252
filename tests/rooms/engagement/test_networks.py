"""Networks an organisation knows: they decide what a hit is seen as from then on, for it alone; who asked is kept by
nobody all the same (PR-21)."""

import argparse
import json
import uuid
from typing import Any

import pytest
from django.apps import apps
from django.db import DatabaseError

from carepost.cli import tracking as command
from carepost.cli.office import tracking as office
from carepost.engagement import networks, select, tables
from carepost.engagement.models import Hit, Network
from carepost.engagement.tables import Tables
from carepost.ground.errors import NotFound, Refused
from carepost.proof import event, kinds
from carepost.public import tracking
from carepost.tenancy import events, scope
from carepost.tenancy.permissions import COMMAND_LINE, Forbidden
from carepost.tracking import networks as pure
from carepost.wire.types import Actor
from tests.rooms.engagement.conftest import MINUTE, Copies

pytestmark = [
    pytest.mark.django_db(databases=["default", "records"]),
    pytest.mark.urls("carepost.settings.urls_outside"),
]
#: of no table: a network of homes, as the table that ships sees it
ADDRESS, INSIDE, OUTSIDE = "81.2.69.144", "81.2.69.0/24", "81.2.70.9"


@pytest.fixture(autouse=True)
def _fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracking, "_TABLES", Tables())


def name(org: uuid.UUID, prefix: str = INSIDE, means: str = "scanner", **more: Any) -> bool:
    given: dict[str, Any] = {"note": "our gateway", "actor": COMMAND_LINE, "reason": "known"} | more
    return networks.add(org, prefix, means, **given)


def told(kind: str) -> list[event.Event]:
    with scope.every("the test's own eyes"):
        return [e for e in (event.read(row.event) for row in events.drain(0)) if e.kind == kind]


def seen(copies: Copies, delivery: bytes, address: str = ADDRESS) -> str:
    """The class of network one click from there is kept with."""
    copies.arrivals.waiting.clear()
    copies.click(delivery, 1, address=address)
    return copies.arrivals.waiting[-1].seen.network


def test_a_known_network_is_what_it_is_said_to_be_within_a_minute(maple: Copies) -> None:
    _, (delivery,) = maple.send()
    assert seen(maple, delivery) == "unlisted"
    assert name(maple.owner)
    assert seen(maple, delivery) == "unlisted"
    maple.later(MINUTE + 1)
    assert (seen(maple, delivery), seen(maple, delivery, OUTSIDE)) == ("gateway", "unlisted")
    assert name(maple.owner, means="office")
    maple.later(MINUTE + 1)
    assert seen(maple, delivery) == "unlisted"
    assert name(maple.owner, means="vpn", prefix=ADDRESS)
    maple.later(MINUTE + 1)
    assert seen(maple, delivery) == "vpn"
    networks.remove(maple.owner, ADDRESS, actor=COMMAND_LINE, reason="moved")
    maple.later(MINUTE + 1)
    assert seen(maple, delivery) == "unlisted"


def test_no_other_organisation_is_touched_and_the_installations_are_everybodys(maple: Copies, cast: Any) -> None:
    mine, other = Tables(), uuid.UUID(bytes=cast.harbour)
    name(maple.owner)
    assert mine.of(maple.org).klass(ADDRESS) == "gateway"
    assert mine.of(cast.harbour) is pure.shipped()
    assert networks.add_shared("81.2.0.0/16", "vpn", note="a provider")
    assert not networks.add_shared("81.2.0.0/16", "vpn", note="a provider")
    mine = Tables()
    # an organisation's own goes first, however wide
    assert (mine.of(maple.org).klass(ADDRESS), mine.of(maple.org).klass(OUTSIDE)) == ("gateway", "vpn")
    assert mine.of(cast.harbour).klass(ADDRESS) == "vpn"
    assert [one.network for one in select.settings(other).shared] == ["81.2.0.0/16"]
    assert select.settings(other).networks == ()
    networks.remove_shared("81.2.0.0/16")
    with pytest.raises(NotFound):
        networks.remove_shared("81.2.0.0/16")
    house = [one.facts for one in told(kinds.NETWORKS_CHANGED)]
    assert house == [{"network": "81.2.0.0/16", "means": "vpn"}, {"network": "81.2.0.0/16", "means": ""}]


def test_a_table_is_read_once_a_minute_and_serves_on_while_the_database_is_away(
    maple: Copies, monkeypatch: pytest.MonkeyPatch
) -> None:
    name(maple.owner)
    held, real, reads = Tables(), tables._read, []

    def read(org: uuid.UUID) -> pure.Networks:
        reads.append(org)
        if len(reads) > 1:
            raise DatabaseError
        return real(org)

    monkeypatch.setattr(tables, "_read", read)
    for _ in range(5):
        assert held.of(maple.org).klass(ADDRESS) == "gateway"
    assert len(reads) == 1
    maple.later(MINUTE + 1)
    for _ in range(5):
        assert held.of(maple.org).klass(ADDRESS) == "gateway"
    assert len(reads) == 2


def test_every_act_is_an_event_and_the_network_stands_sealed_in_it(maple: Copies) -> None:
    assert name(maple.owner)
    assert not name(maple.owner)
    assert name(maple.owner, means="filter")
    networks.remove(maple.owner, INSIDE, actor=COMMAND_LINE, reason="moved")
    first, second = told(networks.ADDED)
    (gone,) = told(networks.REMOVED)
    assert (first.facts, second.facts) == ({"means": "scanner"}, {"means": "filter", "means-before": "scanner"})
    assert gone.facts == {"means": "filter"}
    assert set(first.commit) == {"network", "note", "reason"}
    assert INSIDE not in json.dumps([first.facts, second.facts, gone.facts])


@pytest.mark.parametrize(
    "given",
    [{"prefix": "somewhere"}, {"prefix": "81.2.69.1/24"}, {"prefix": "0.0.0.0/0"}, {"prefix": "::ffff:81.2.69.0/120"},
     {"prefix": "2001::/16"}, {"means": "person"}, {"note": "a\nb"}, {"reason": ""}],
    ids=["words", "host", "all", "mapped", "wide", "meaning", "note", "reason"],
)  # fmt: skip
def test_what_is_no_network_is_refused(maple: Copies, given: dict[str, str]) -> None:
    with pytest.raises(Refused):
        name(maple.owner, **given)
    assert networks.known(maple.owner) == ()


def test_they_are_listed_in_order_of_their_addresses_and_their_number_is_bounded(
    maple: Copies, monkeypatch: pytest.MonkeyPatch
) -> None:
    for prefix in ("2001:db8::/32", "81.10.0.0/16", "81.9.0.0/16", "81.9.0.7"):
        name(maple.owner, prefix)
    listed = [one.network for one in networks.known(maple.owner)]
    assert listed == ["81.9.0.0/16", "81.9.0.7/32", "81.10.0.0/16", "2001:db8::/32"]
    monkeypatch.setattr(networks, "MOST", 4)
    with pytest.raises(Refused, match="At most"):
        name(maple.owner, "81.11.0.0/16")
    assert name(maple.owner, "81.9.0.7", means="vpn")


def test_strangers_and_those_without_the_permission_name_and_forget_nothing(cast: Any) -> None:
    org = uuid.UUID(bytes=cast.maple)
    name(org)
    for actor in (Actor("staff", str(uuid.uuid4())), cast.stranger, cast.operator, cast.auditor, cast.sender, cast.key):
        with pytest.raises(Forbidden):
            name(org, "81.3.0.0/16", actor=actor)
        with pytest.raises(Forbidden):
            networks.remove(org, INSIDE, actor=actor, reason="r")
    with pytest.raises(NotFound):
        networks.remove(uuid.UUID(bytes=cast.harbour), INSIDE, actor=COMMAND_LINE, reason="r")
    assert [one.network for one in networks.known(org)] == [INSIDE]
    harbour = uuid.UUID(bytes=cast.harbour)
    with scope.organisation(harbour):
        assert not Network.objects.filter(org_id=harbour).exists()


def test_who_asked_from_a_known_network_is_kept_by_nobody(maple: Copies, capfd: pytest.CaptureFixture[str]) -> None:
    """The canary: an address inside it, in no row of any table, no event and no line of a log."""
    _, (delivery,) = maple.send()
    name(maple.owner)
    assert seen(maple, delivery) == "gateway"
    assert ADDRESS not in repr(maple.arrivals.waiting)
    maple.arrivals.write()
    with scope.organisation(maple.owner):
        assert Hit.objects.filter(org_id=maple.owner).count() == 1
    with scope.every("the test's own eyes"):
        for model in apps.get_app_config("engagement").get_models():
            for row in model.objects.values_list():
                plain = [bytes(one) if isinstance(one, memoryview) else one for one in row]
                assert ADDRESS not in repr(plain), model
        assert all(ADDRESS.encode() not in bytes(row.event) for row in events.drain(0))
    shown = capfd.readouterr()
    assert ADDRESS not in shown.out + shown.err


def test_the_commands(maple: Copies, capsys: pytest.CaptureFixture[str]) -> None:
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)

    def run(*words: str) -> str:
        assert office.run(parser.parse_args(["network", *words])) == 0
        return capsys.readouterr().out

    mine = ("--org", str(maple.owner))
    run("add", INSIDE, "scanner", "--note", "our gateway", "--reason", "known", *mine)
    run("add", "81.2.0.0/16", "vpn", "--everywhere")
    listed = [(one["network"], one["of"]) for one in json.loads(run("list", "--json", *mine))]
    assert listed == [(INSIDE, "organisation"), ("81.2.0.0/16", "installation")]
    assert "81.2.0.0/16" in run("list", "--everywhere")
    run("remove", INSIDE, "--reason", "moved", *mine)
    run("remove", "81.2.0.0/16", "--everywhere")
    assert "the table that ships decides" in run("list", *mine)
