"""Templates: versions that are never edited, one active, sealed, and one organisation's own."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest

from carepost.ground.errors import CarepostError, NotFound, Refused
from carepost.rendering.once import TemplateFault
from carepost.rendering.types import Source
from carepost.templates import acts, select
from carepost.templates.models import Template, Version
from carepost.tenancy import events, names
from carepost.tenancy.permissions import Forbidden
from carepost.wire.types import Actor
from tests.support.workbench import in_this_process

__all__ = ["in_this_process"]
pytestmark = pytest.mark.django_db(databases=["default", "records"])

FIRST = Source("Your visit, {{ name }}", "<p>Dear {{ name }}, see you at the Willowbrook desk.</p>")
SECOND = Source("Your visit on {{ day }}", "<p>Dear {{ name }}, see you on {{ day }}.</p>")


def made(cast: Any) -> uuid.UUID:
    return acts.create(cast.clinic, "Reminder", FIRST, actor=cast.ada, note="the first").pk


def test_versions_are_made_activated_and_rolled_back_and_the_engine_hears(cast: Any, told: Any, epoch: Any) -> None:
    before = epoch(cast.clinic)
    template = made(cast)
    assert acts.add_version(cast.clinic, template, SECOND, actor=cast.olga, activate=False).number == 2
    assert select.opened(cast.clinic, template, cast.ada).source == FIRST
    acts.activate(cast.clinic, template, 2, actor=cast.ada)
    assert select.opened(cast.clinic, template, cast.ada).source == SECOND
    acts.activate(cast.clinic, template, 1, actor=cast.ada)
    opened = select.opened(cast.clinic, template, cast.ada)
    assert (opened.number, opened.source, opened.compiled.variables) == (1, FIRST, ("name",))
    lines = select.versions(cast.clinic, template, cast.ada)
    assert [(v.number, v.active, v.note) for v in lines] == [(2, False, ""), (1, True, "the first")]
    assert [e.event.kind for e in told()] == [
        "template.added", "template.version-added", "template.activated", "template.activated",
    ]  # fmt: skip
    assert epoch(cast.clinic) == before + 3
    found = select.rendered(cast.clinic, template, cast.ada, b'{"name": "Jo", "day": "Monday"}', 2)
    assert found.subject == "Your visit on Monday" and "see you on Monday" in found.text


def test_what_was_written_stands_sealed(cast: Any) -> None:
    made(cast)
    row = Version.objects.get()
    assert all(b"Willowbrook" not in bytes(raw) for raw in (row.source, row.compiled, row.note))


def test_a_fault_is_told_and_leaves_nothing(cast: Any) -> None:
    head = events.head()
    with pytest.raises(TemplateFault, match="no filter `shout`"):
        acts.create(cast.clinic, "Wrong", Source("s", text="{{ a | shout }}"), actor=cast.ada)
    with pytest.raises(names.Wrong):
        acts.create(cast.clinic, " ", FIRST, actor=cast.ada)
    assert not Template.objects.exists() and events.head() == head
    template = made(cast)
    with pytest.raises(Refused, match="of this name"):
        acts.create(cast.clinic, "Reminder", FIRST, actor=cast.ada)
    acts.add_version(cast.clinic, template, SECOND, actor=cast.ada)
    with pytest.raises(TemplateFault, match="`day` is missing"):
        select.rendered(cast.clinic, template, cast.ada, b'{"name": "Jo"}')
    with pytest.raises(NotFound):
        acts.activate(cast.clinic, template, 9, actor=cast.ada)


def test_a_removed_template_is_gone_its_name_is_free_and_its_versions_stay(cast: Any) -> None:
    template = made(cast)
    acts.remove(cast.clinic, template, actor=cast.ada)
    assert select.listing(cast.clinic, cast.ada) == ()
    with pytest.raises(NotFound):
        select.opened(cast.clinic, template, cast.ada)
    assert made(cast) != template and Version.objects.count() == 2


def test_a_template_is_renamed_and_found_by_its_name(cast: Any, told: Any) -> None:
    template = made(cast)
    acts.create(cast.clinic, "Results", FIRST, actor=cast.ada)
    acts.rename(cast.clinic, template, "  Visit reminder ", actor=cast.olga)
    assert [line.id for line in select.listing(cast.clinic, cast.ada, "Visit reminder")] == [str(template)]
    assert select.listing(cast.clinic, cast.ada, "Reminder") == ()
    with pytest.raises(Refused, match="of this name"):
        acts.rename(cast.clinic, template, "Results", actor=cast.ada)
    acts.rename(cast.clinic, template, "Visit reminder", actor=cast.ada)
    assert [one.event.kind for one in told()].count("template.renamed") == 2


def test_a_worker_of_the_offices_own_compiles(cast: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    template = made(cast)
    assert select.rendered(cast.clinic, template, cast.ada, b'{"name": "Jo"}').subject == "Your visit, Jo"


ACTIONS: dict[str, Callable[[uuid.UUID, uuid.UUID, Actor], object]] = {
    "rename": lambda org, template, by: acts.rename(org, template, "Another", actor=by),
    "create": lambda org, _, by: acts.create(org, "Other", FIRST, actor=by),
    "add_version": lambda org, one, by: acts.add_version(org, one, SECOND, actor=by),
    "activate": lambda org, one, by: acts.activate(org, one, 1, actor=by),
    "remove": lambda org, one, by: acts.remove(org, one, actor=by),
    "draft": lambda org, _, by: acts.draft(org, FIRST, b"{}", actor=by),
    "listing": lambda org, _, by: select.listing(org, by),
    "versions": lambda org, one, by: select.versions(org, one, by),
    "opened": lambda org, one, by: select.opened(org, one, by),
    "rendered": lambda org, one, by: select.rendered(org, one, by, b"{}"),
}


@pytest.mark.parametrize("who", ["stan", "hal", "key"])
@pytest.mark.parametrize("name", sorted(ACTIONS))
def test_strangers_and_other_organisations_are_refused_and_leave_nothing(name: str, who: str, cast: Any) -> None:
    template = made(cast)
    actor = {"stan": cast.stan, "hal": cast.hal, "key": Actor("key", str(uuid.uuid4()))}[who]
    before, head = list(Template.objects.values()), events.head()
    with pytest.raises(Forbidden):
        ACTIONS[name](cast.clinic, template, actor)
    assert list(Template.objects.values()) == before and events.head() == head


@pytest.mark.parametrize("name", ["add_version", "activate", "remove", "versions", "opened", "rendered"])
def test_of_another_organisation_it_is_not_there(name: str, cast: Any) -> None:
    template = made(cast)
    with pytest.raises(CarepostError) as refused:
        ACTIONS[name](cast.harbour, template, cast.hal)
    assert refused.value.code == "not-found"
