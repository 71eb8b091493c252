"""Jobs: all messages of a search, a page at a time, as the one who asked; exports sealed, fetched on record, gone."""

import csv
import io
import json
import threading
import uuid
from collections.abc import Callable
from typing import Any

import pytest

from carepost.archive.search import Wanted
from carepost.ground import clock
from carepost.ground.errors import NotFound, Refused, Unavailable
from carepost.jobs import acts, select, work
from carepost.jobs.foreseen import foreseen
from carepost.jobs.models import Job, Piece
from carepost.jobs.types import Asked, Kind
from carepost.proof import kinds
from carepost.tenancy import events, scope
from carepost.tenancy.actions import access, staff
from carepost.tenancy.permissions import BOOTSTRAP, Forbidden
from carepost.wire.types import Actor
from tests.support.outbox import Outbox, office_events

pytestmark = pytest.mark.django_db(databases=["default", "records"])

TAGGED = Asked(Wanted(tag="recall"), "wrong batch")


@pytest.fixture(autouse=True)
def _eyes() -> Any:
    with scope.every("the test's own eyes"):
        yield


class Doors:
    """An engine that does what it is asked."""

    def __init__(self) -> None:
        self.acts: list[tuple[str, tuple[bytes, ...], str]] = []
        self.away = False

    def act(self, verb: str, org: bytes, deliveries: tuple[bytes, ...], actor: Actor, reason: str) -> dict[str, str]:
        if self.away:
            raise Unavailable("engine-away", "No engine answers.")
        self.acts.append((verb, deliveries, reason))
        return {str(uuid.UUID(bytes=one)): "failed" if verb == "retract" else "queued" for one in deliveries}


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Doors:
    made = Doors()
    monkeypatch.setattr("carepost.archive.engine.client", lambda: made)
    return made


def org(cast: Any) -> uuid.UUID:
    return uuid.UUID(bytes=cast.maple)


def key(cast: Any, *scopes: str, of: bytes | None = None) -> Actor:
    made = access.add_key(uuid.UUID(bytes=of or cast.maple), "machine", scopes, actor=BOOTSTRAP)
    return Actor("key", made.id)


def run(times: int = 50) -> None:
    doing = work.Work(threading.Event())
    for _ in range(times):
        if not doing.step(clock.now()):
            return


def test_what_fits_is_taken_back_page_by_page_and_nothing_else(
    cast: Any, outbox: Outbox, engine: Doors, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(work, "PAGE", 2)
    wanted = [outbox.accepted(cast.maple, tags=("recall",))[1][0] for _ in range(5)]
    outbox.accepted(cast.maple)
    outbox.accepted(cast.harbour, tags=("recall",))
    outbox.commit()
    actor = key(cast, "retract", "search", "jobs")
    job = acts.begin(org(cast), Kind.RETRACT, TAGGED, actor=actor)
    assert job.state == "waiting" and engine.acts == []
    run()
    assert sorted(d for _, some, _ in engine.acts for d in some) == sorted(wanted)
    assert {(verb, reason) for verb, _, reason in engine.acts} == {("retract", "wrong batch")}
    ended = select.one(org(cast), uuid.UUID(job.id), actor)
    assert (ended.state, ended.seen, ended.made) == ("done", 5, 5)
    assert b"wrong batch" not in bytes(Job.objects.get().asked)


def test_of_a_message_only_the_recipients_that_fit_are_acted_upon(cast: Any, outbox: Outbox, engine: Doors) -> None:
    """Take back from one, and the others keep what they have (A6.10)."""
    _, (one, other) = outbox.accepted(cast.maple, ("jane@patient.test", "joan@family.test"), tags=("recall",))
    outbox.commit()
    wanted = Wanted(tag="recall", domain="@Family.test")
    actor = key(cast, "retract", "search", "jobs")
    assert foreseen(org(cast), actor, wanted).deliveries["retract"] == 1
    assert foreseen(org(cast), actor, TAGGED.wanted).deliveries["retract"] == 2
    acts.begin(org(cast), Kind.RETRACT, Asked(wanted, "wrong address"), actor=actor)
    run()
    assert engine.acts == [("retract", (other,), "wrong address")]
    acts.begin(org(cast), Kind.RETRACT, TAGGED, actor=actor)
    run()
    assert {one, other} == set(engine.acts[1][1])


def test_a_retry_touches_what_waits_to_be_tried_again_only(cast: Any, outbox: Outbox, engine: Doors) -> None:
    waiting, sent = outbox.accepted(cast.maple, tags=("recall",)), outbox.accepted(cast.maple, tags=("recall",))
    outbox.add(cast.maple, kinds.DELIVERY_DEFERRED, [waiting[0], waiting[1][0]], facts={"state": "deferred"})
    outbox.sent(cast.maple, sent[0], sent[1][0])
    outbox.commit()
    acts.begin(org(cast), Kind.RETRY, TAGGED, actor=key(cast, "held", "search"))
    run()
    assert engine.acts == [("retry", (waiting[1][0],), "wrong batch")]


def test_an_engine_that_is_away_is_waited_for(cast: Any, outbox: Outbox, engine: Doors) -> None:
    outbox.accepted(cast.maple, tags=("recall",))
    outbox.commit()
    actor = key(cast, "retract", "search")
    job = uuid.UUID(acts.begin(org(cast), Kind.RETRACT, TAGGED, actor=actor).id)
    engine.away = True
    work._page(Job.objects.get(), {})
    assert Job.objects.get().state == "waiting"
    engine.away = False
    run()
    assert select.one(org(cast), job, actor).made == 1


def test_whoever_may_no_longer_ends_their_job(cast: Any, outbox: Outbox, engine: Doors) -> None:
    outbox.accepted(cast.maple, tags=("recall",))
    outbox.commit()
    actor = key(cast, "retract", "search")
    acts.begin(org(cast), Kind.RETRACT, TAGGED, actor=actor)
    access.revoke_key(org(cast), uuid.UUID(actor.id), actor=BOOTSTRAP)
    run()
    row = Job.objects.get()
    assert (row.state, row.cause, engine.acts) == ("failed", "forbidden", [])


def test_a_cancelled_job_does_no_more(cast: Any, outbox: Outbox, engine: Doors) -> None:
    outbox.accepted(cast.maple, tags=("recall",))
    outbox.commit()
    actor = key(cast, "retract", "search")
    job = uuid.UUID(acts.begin(org(cast), Kind.RETRACT, TAGGED, actor=actor).id)
    assert acts.cancel(org(cast), job, actor=actor).state == "cancelled"
    run()
    assert engine.acts == []
    with pytest.raises(Refused, match="ended already"):
        acts.cancel(org(cast), job, actor=actor)


def test_an_export_is_sealed_and_fetching_it_is_an_event(
    cast: Any, outbox: Outbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(work, "PAGE", 2)
    for number in range(5):
        outbox.accepted(cast.maple, ("jane.quillfeather@patient.test", f"p{number}@patient.test"), subject="=cmd()")
    outbox.accepted(cast.harbour)
    outbox.commit()
    actor = key(cast, "search", "messages")
    lines = acts.begin(org(cast), Kind.MESSAGES, Asked(), actor=actor)
    table = acts.begin(org(cast), Kind.MESSAGES, Asked(form="csv"), actor=actor)
    run()
    assert all(b"uillfeather" not in bytes(piece.data) for piece in Piece.objects.all()) and Piece.objects.count() == 6
    form, pieces = acts.access_result(org(cast), uuid.UUID(lines.id), actor=actor)
    found = [json.loads(line) for line in b"".join(pieces).splitlines()]
    assert (
        form == "ndjson"
        and len(found) == 5
        and any(d["recipient"].startswith("jane.quill") for d in found[0]["deliveries"])
    )
    form, pieces = acts.access_result(org(cast), uuid.UUID(table.id), actor=actor)
    rows = list(csv.DictReader(io.StringIO(b"".join(pieces).decode())))
    assert form == "csv" and len(rows) == 10 and {row["subject"] for row in rows} == {"'=cmd()"}
    assert [e.facts for e in office_events("job.fetched")] == [
        {"job": "export-messages", "count": "5"}, {"job": "export-messages", "count": "10"},
    ]  # fmt: skip
    assert acts.ended(org(cast), clock.now()) == 0
    assert acts.ended(org(cast), table.expires_at) == 2 and not Piece.objects.exists() and not Job.objects.exists()


def test_events_are_exported_and_opened_only_for_who_may_read(cast: Any, outbox: Outbox) -> None:
    outbox.accepted(cast.maple)
    outbox.commit()
    auditor, reader = key(cast, "events"), key(cast, "events", "messages")
    plain = acts.begin(org(cast), Kind.EVENTS, Asked(), actor=auditor)
    with pytest.raises(Forbidden):
        acts.begin(org(cast), Kind.EVENTS, Asked(opened=True), actor=auditor)
    whole = acts.begin(org(cast), Kind.EVENTS, Asked(opened=True), actor=reader)
    run()
    (_, first), (_, second) = (
        acts.access_result(org(cast), uuid.UUID(plain.id), actor=auditor),
        acts.access_result(org(cast), uuid.UUID(whole.id), actor=reader),
    )
    assert b"quillfeather" not in b"".join(first)
    assert b"jane.quillfeather@patient.test" in b"".join(second)
    with pytest.raises(Forbidden):
        acts.access_result(org(cast), uuid.UUID(whole.id), actor=auditor)


def test_what_is_not_done_or_makes_nothing_is_told(cast: Any) -> None:
    actor = key(cast, "search", "messages", "retract")
    job = uuid.UUID(acts.begin(org(cast), Kind.MESSAGES, Asked(), actor=actor).id)
    with pytest.raises(Refused, match="not done"):
        acts.access_result(org(cast), job, actor=actor)
    with pytest.raises(Refused, match="Say which"):
        acts.begin(org(cast), Kind.RETRACT, Asked(), actor=actor)
    other = uuid.UUID(acts.begin(org(cast), Kind.RETRACT, TAGGED, actor=actor).id)
    with pytest.raises(Refused, match="nothing to fetch"):
        acts.access_result(org(cast), other, actor=actor)


ACTIONS: dict[str, Callable[[uuid.UUID, uuid.UUID, Actor], object]] = {
    "begin": lambda of, _, by: acts.begin(of, Kind.RETRACT, TAGGED, actor=by),
    "cancel": lambda of, job, by: acts.cancel(of, job, actor=by),
    "access_result": lambda of, job, by: acts.access_result(of, job, actor=by),
    "listing": lambda of, _, by: select.listing(of, by),
    "one": lambda of, job, by: select.one(of, job, by),
}


@pytest.mark.parametrize("who", ["stranger", "nobody", "weak-key", "other-key"])
@pytest.mark.parametrize("name", sorted(ACTIONS))
def test_strangers_and_other_organisations_are_refused_and_leave_nothing(name: str, who: str, cast: Any) -> None:
    actor = {
        "stranger": cast.stranger, "nobody": Actor("key", str(uuid.uuid4())), "weak-key": key(cast, "domains"),
        "other-key": key(cast, "retract", "search", "messages", of=cast.harbour),
    }[who]  # fmt: skip
    job = uuid.UUID(acts.begin(org(cast), Kind.MESSAGES, Asked(), actor=key(cast, "search", "messages")).id)
    before, head = list(Job.objects.values()), events.head()
    with pytest.raises(Forbidden):
        ACTIONS[name](org(cast), job, actor)
    assert list(Job.objects.values()) == before and events.head() == head


@pytest.mark.parametrize("name", ["access_result", "cancel", "one"])
def test_of_another_organisation_it_is_not_there(name: str, cast: Any) -> None:
    job = uuid.UUID(acts.begin(org(cast), Kind.MESSAGES, Asked(), actor=key(cast, "search", "messages")).id)
    with pytest.raises(NotFound):
        ACTIONS[name](uuid.UUID(bytes=cast.harbour), job, cast.stranger)


def test_a_member_of_staff_who_left_ends_their_job_too(cast: Any, outbox: Outbox, engine: Doors) -> None:
    outbox.accepted(cast.maple, tags=("recall",))
    outbox.commit()
    acts.begin(org(cast), Kind.RETRACT, TAGGED, actor=cast.operator)
    staff.disable_staff(org(cast), uuid.UUID(cast.operator.id), actor=BOOTSTRAP, reason="left")
    run()
    assert Job.objects.get().cause == "forbidden" and engine.acts == []
