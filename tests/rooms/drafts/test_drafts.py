"""Drafts: sealed, one person's own, gone when sent; what strangers and others of the house are told."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest

from carepost.drafts import acts, select
from carepost.drafts.models import Draft, DraftFile
from carepost.drafts.types import FileHead, Written
from carepost.ground import clock, ids
from carepost.ground.errors import CarepostError, NotFound, Refused
from carepost.tenancy import events
from carepost.tenancy.permissions import COMMAND_LINE, Forbidden
from carepost.wire.types import Actor

pytestmark = pytest.mark.django_db(databases=["default", "records"], transaction=True)

LETTER = Written("Jane Roe <jane.roe@verified.test>", "", "Results for Quillfeather", "Dear Jane Quillfeather", "")
FILE = (FileHead("quillfeather-scan.txt", "text/plain"), b"Quillfeather, A1c 8.4 %")


def begun(cast: Any, by: Actor | None = None) -> uuid.UUID:
    return acts.save(cast.clinic, LETTER, actor=by or cast.olga, files=[FILE])[0]


def test_what_was_written_comes_back_and_every_step_is_an_event(cast: Any, told: Any) -> None:
    draft = begun(cast)
    found = select.access_draft(cast.clinic, draft, cast.olga)
    assert found.written == LETTER
    assert [(f.name, f.kind, f.size, f.data) for f in found.files] == [
        ("quillfeather-scan.txt", "text/plain", len(FILE[1]), b"")
    ]
    assert select.files(cast.clinic, draft, cast.olga)[0].data == FILE[1]
    (line,) = select.listing(cast.clinic, cast.olga)
    assert (line.id, line.subject, line.files) == (str(draft), LETTER.subject, 1)
    again, written = acts.save(cast.clinic, Written("b@verified.test"), actor=cast.olga, draft=draft)
    assert (again, written) == (draft, True)
    acts.drop_file(cast.clinic, draft, uuid.UUID(found.files[0].id), actor=cast.olga)
    assert select.heads(cast.clinic, draft, cast.olga) == ()
    acts.discard(cast.clinic, draft, actor=cast.olga)
    assert not Draft.objects.exists() and not DraftFile.objects.exists()
    kinds = [one.event.kind for one in told() if one.event.kind.startswith("draft.")]
    assert kinds == [
        "draft.saved", "draft.viewed", "draft.listed", "draft.saved", "draft.file-removed", "draft.discarded",
    ]  # fmt: skip


def test_nothing_of_it_stands_in_clear_in_the_tables(cast: Any) -> None:
    begun(cast)
    row, file = Draft.objects.get(), DraftFile.objects.get()
    for raw in (bytes(row.sealed), bytes(file.head), bytes(file.data)):
        assert b"uillfeather" not in raw and b"jane.roe" not in raw


def test_while_somebody_types_it_is_not_written_at_every_letter(cast: Any) -> None:
    draft = begun(cast)
    head = events.head()
    assert acts.save(cast.clinic, Written("x"), actor=cast.olga, draft=draft, unless_within=60_000_000) == (
        draft, False,
    )  # fmt: skip
    assert events.head() == head
    assert select.access_draft(cast.clinic, draft, cast.olga).written == LETTER


def test_a_sent_draft_is_gone_and_the_event_names_the_message(cast: Any, told: Any) -> None:
    draft, message = begun(cast), ids.text(ids.new(1))
    acts.sent(cast.clinic, draft, message, actor=cast.olga)
    assert not Draft.objects.exists()
    last = told()[-1].event
    assert (last.kind, last.on) == ("draft.sent", [str(draft), message])


def test_a_draft_that_is_gone_is_begun_anew_rather_than_lost(cast: Any) -> None:
    draft = begun(cast)
    acts.discard(cast.clinic, draft, actor=cast.olga)
    made, _ = acts.save(cast.clinic, LETTER, actor=cast.olga, draft=draft)
    assert select.access_draft(cast.clinic, made, cast.olga).written == LETTER


def test_files_have_limits_that_are_told_and_leave_nothing(cast: Any) -> None:
    draft = begun(cast)
    with pytest.raises(Refused, match="20 MB"):
        acts.save(cast.clinic, LETTER, actor=cast.olga, draft=draft, files=[(FILE[0], bytes(acts.MOST_OCTETS))])
    with pytest.raises(Refused, match="20 files"):
        acts.save(cast.clinic, LETTER, actor=cast.olga, draft=draft, files=[FILE] * acts.MOST_FILES)
    assert DraftFile.objects.count() == 1


def test_what_nobody_changes_for_a_month_goes_and_is_an_event(cast: Any, told: Any) -> None:
    draft = begun(cast)
    kept = begun(cast, cast.ada)
    Draft.objects.filter(pk=draft).update(saved_at=clock.now() - acts.KEPT_US - 1)
    assert acts.ended(cast.clinic, clock.now()) == 1
    assert list(Draft.objects.values_list("pk", flat=True)) == [kept]
    last = told()[-1].event
    assert (last.kind, last.on) == ("draft.expired", [str(draft)])
    assert acts.ended(cast.harbour, clock.now()) == 0


ACTIONS: dict[str, Callable[[Any, uuid.UUID, Actor], object]] = {
    "save": lambda cast, draft, by: acts.save(cast.clinic, LETTER, actor=by, draft=draft),
    "drop_file": lambda cast, draft, by: acts.drop_file(cast.clinic, draft, draft, actor=by),
    "discard": lambda cast, draft, by: acts.discard(cast.clinic, draft, actor=by),
    "sent": lambda cast, draft, by: acts.sent(cast.clinic, draft, str(draft), actor=by),
    "access_draft": lambda cast, draft, by: select.access_draft(cast.clinic, draft, by),
    "listing": lambda cast, draft, by: select.listing(cast.clinic, by),
}


@pytest.mark.parametrize("who", ["stan", "hal", "key", "command-line", "malformed"])
@pytest.mark.parametrize("name", sorted(ACTIONS))
def test_it_is_refused_to_strangers_other_organisations_and_machines(name: str, who: str, cast: Any) -> None:
    draft = begun(cast)
    actors = {
        "stan": cast.stan, "hal": cast.hal, "key": Actor("key", str(uuid.uuid4())), "command-line": COMMAND_LINE,
        "malformed": Actor("staff", "x' OR 1=1 --"),
    }  # fmt: skip
    before, head = list(Draft.objects.order_by("pk").values()), events.head()
    with pytest.raises(Forbidden):
        ACTIONS[name](cast, draft, actors[who])
    assert list(Draft.objects.order_by("pk").values()) == before and events.head() == head


@pytest.mark.parametrize("name", ["drop_file", "discard", "access_draft"])
def test_a_colleagues_draft_is_not_there_even_for_an_administrator(name: str, cast: Any) -> None:
    draft = begun(cast)
    with pytest.raises(NotFound):
        ACTIONS[name](cast, draft, cast.ada)
    with pytest.raises(NotFound):
        select.files(cast.clinic, draft, cast.ada)
    # and of another organisation it is not there whatever the role
    with pytest.raises(CarepostError) as refused:
        acts.discard(cast.harbour, draft, actor=cast.hal)
    assert refused.value.code == "not-found"
    assert Draft.objects.count() == 1


def test_saving_over_a_colleagues_draft_makes_ones_own(cast: Any) -> None:
    draft = begun(cast)
    made, _ = acts.save(cast.clinic, Written("x@verified.test"), actor=cast.ada, draft=draft)
    assert made != draft
    assert select.access_draft(cast.clinic, draft, cast.olga).written == LETTER
