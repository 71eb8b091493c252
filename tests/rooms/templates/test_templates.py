"""Templates: versions that are never edited, one active, sealed, and one organisation's own."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest

from carepost.ground.errors import CarepostError, NotFound, Refused
from carepost.rendering import once
from carepost.rendering.frames import Compile, Render
from carepost.rendering.liquid import Workbench
from carepost.rendering.once import TemplateFault
from carepost.rendering.types import Compiled, Fault, Rendered, Source
from carepost.templates import acts, select
from carepost.templates.models import Template, Version
from carepost.tenancy import events, names
from carepost.tenancy.permissions import Forbidden
from carepost.wire.types import Actor

pytestmark = pytest.mark.django_db(databases=["default", "records"])

FIRST = Source("Your visit, {{ name }}", "<p>Dear {{ name }}, see you at the Willowbrook desk.</p>")
SECOND = Source("Your visit on {{ day }}", "<p>Dear {{ name }}, see you on {{ day }}.</p>")


@pytest.fixture(autouse=True)
def _in_this_process(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same code without a worker each time; the worker has its own tests, and one here."""
    if request.node.name == "test_a_worker_of_the_offices_own_compiles":
        return

    def ask(job: Compile | Render) -> Compiled | Rendered:
        found = Workbench().do(job)
        if isinstance(found, Fault):
            raise TemplateFault(found)
        return found

    monkeypatch.setattr(once, "_ask", ask)


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


def test_a_worker_of_the_offices_own_compiles(cast: Any) -> None:
    template = made(cast)
    assert select.rendered(cast.clinic, template, cast.ada, b'{"name": "Jo"}').subject == "Your visit, Jo"


ACTIONS: dict[str, Callable[[uuid.UUID, uuid.UUID, Actor], object]] = {
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
