"""A message sent again: as a new one that refers to the first, with its content while it is held, and never to somebody
who must not get it."""

import threading
import uuid
from typing import Any

import pytest

from carepost.archive import access as archive
from carepost.archive import books
from carepost.archive.search import Wanted
from carepost.ground import clock, ids
from carepost.ground.errors import NotFound, Refused
from carepost.jobs import acts, resending, work
from carepost.jobs.models import Job
from carepost.jobs.types import Asked, Kind
from carepost.policy.types import Assurance
from carepost.proof import kinds
from carepost.tenancy import scope
from carepost.tenancy.actions import access
from carepost.tenancy.permissions import BOOTSTRAP
from carepost.wire.types import Accepted, AcceptedDelivery, Actor, Submission, TrackingAsk
from tests.support.cast import Shard
from tests.support.outbox import Outbox, office_events

pytestmark = pytest.mark.django_db(databases=["default", "records"])

RAW = (
    b"Received: by mx.test with ESMTPSA id 1\r\nFrom: Nurse <nurse@maple.test>\r\nTo: jane@patient.test\r\n"
    b"Subject: Knee results\r\nDate: Mon, 1 Nov 2026 09:00:00 +0000\r\nMessage-ID: <first@maple.test>\r\n"
    b"MIME-Version: 1.0\r\nContent-Type: text/plain\r\n\r\nThe canary sings.\r\n"
)


@pytest.fixture(autouse=True)
def _eyes() -> Any:
    with scope.every("the test's own eyes"):
        yield


class Engine(Shard):
    """Takes what is sent, and still has the bodies it is given."""

    def __init__(self) -> None:
        super().__init__()
        self.taken: list[Submission] = []
        self.gone = False
        self._known: dict[str, Accepted] = {}

    def body(self, org: bytes, message: bytes) -> bytes:
        if self.gone:
            raise NotFound
        return RAW

    def accept(self, submission: Submission) -> Accepted:
        key = submission.key or ""
        if key in self._known:
            return Accepted(self._known[key].message_id, self._known[key].deliveries, repeated=True)
        self.taken.append(submission)
        made = [AcceptedDelivery(ids.text(ids.new(1)), r.address, "queued", "tls", "tls", "Goes.", "default")
                for r in submission.envelope.recipients]  # fmt: skip
        self._known[key] = Accepted(ids.text(ids.new(1)), tuple(made))
        return self._known[key]


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Engine:
    made = Engine()
    monkeypatch.setattr("carepost.archive.engine.client", lambda: made)
    # what this engine keeps is not sealed
    monkeypatch.setattr(books.Opener, "body", lambda _self, _org, _message, stored: stored)
    return made


def sent(outbox: Outbox, org: bytes, *to: str) -> tuple[bytes, tuple[bytes, ...]]:
    message, deliveries = outbox.accepted(org, to or ("jane@patient.test",), subject="Knee results", tags=("recall",))
    return message, tuple(deliveries)


def test_it_is_a_new_message_with_the_same_content_that_refers_to_the_first(
    cast: Any, outbox: Outbox, engine: Engine
) -> None:
    message, (delivery,) = sent(outbox, cast.maple)
    outbox.sent(cast.maple, message, delivery)
    outbox.commit()
    done = resending.resend(cast.maple, message, cast.operator, "she lost it")
    [new] = engine.taken
    assert [r.address for r in new.envelope.recipients] == ["jane@patient.test"] and new.actor == cast.operator
    assert new.resends == ids.text(message) and new.tags == ("recall",) and new.reason == "she lost it"
    assert b"The canary sings." in new.body and b"first@maple.test" not in new.body and b"Received" not in new.body
    # whether the first might be watched is unknown: this one is not
    assert new.tracking == TrackingAsk(False, False)
    [event] = office_events(kinds.MESSAGE_RESENT)
    assert list(event.on) == [ids.text(message), done.message]
    outbox.commit_office()
    view = archive.access_message(cast.maple, message, cast.operator)
    assert view.resent_as == (done.message,) and [d.recipient for d in view.deliveries] == ["jane@patient.test"]


def test_who_was_taken_back_from_or_is_still_waited_for_gets_nothing(cast: Any, outbox: Outbox, engine: Engine) -> None:
    message, (one, two, three) = sent(outbox, cast.maple, "a@patient.test", "b@patient.test", "c@patient.test")
    outbox.failed(cast.maple, message, one)
    outbox.deferred(cast.maple, message, two)
    outbox.add(cast.maple, kinds.DELIVERY_FAILED, (message, three), cause="suppressed",
               facts={"state": "failed", "attempt": "1"}, result="failed")  # fmt: skip
    outbox.commit()
    done = resending.resend(cast.maple, message, cast.operator, "again")
    assert [r.address for r in engine.taken[0].envelope.recipients] == ["a@patient.test"]
    assert done.left_out == {ids.text(two): "deferred", ids.text(three): "suppressed"}
    only = resending.resend(cast.maple, message, cast.operator, "again", chosen=(three,))
    assert only.message == "" and len(engine.taken) == 1 and len(office_events(kinds.MESSAGE_RESENT)) == 1
    with pytest.raises(NotFound):
        resending.resend(cast.maple, message, cast.operator, "again", chosen=(ids.new(),))


def test_no_less_is_asked_of_it_than_was_required_unless_somebody_says_so(
    cast: Any, outbox: Outbox, engine: Engine
) -> None:
    message, (delivery,) = sent(outbox, cast.maple)
    outbox.add(cast.maple, kinds.DELIVERY_PLAN_CHANGED, (message, delivery), facts={"required": "AUTHENTICATED"})
    outbox.sent(cast.maple, message, delivery)
    outbox.commit()
    resending.resend(cast.maple, message, cast.operator, "again")
    resending.resend(cast.maple, message, cast.operator, "again", anew=True)
    kept, today = (one.protection.minimum for one in engine.taken)
    assert kept is not None and kept >= Assurance.VERIFIED and today is None


def test_the_same_key_is_the_same_message_and_one_event(cast: Any, outbox: Outbox, engine: Engine) -> None:
    message, (delivery,) = sent(outbox, cast.maple)
    outbox.sent(cast.maple, message, delivery)
    outbox.commit()
    first = resending.resend(cast.maple, message, cast.operator, "again", key="k")
    outbox.commit_office()
    assert resending.resend(cast.maple, message, cast.operator, "again", key="k").message == first.message
    assert len(engine.taken) == 1
    outbox.commit_office()
    assert archive.access_message(cast.maple, message, cast.operator).resent_as == (first.message,)


def test_content_that_is_gone_is_said_to_be(cast: Any, outbox: Outbox, engine: Engine) -> None:
    message, (delivery,) = sent(outbox, cast.maple)
    outbox.sent(cast.maple, message, delivery)
    outbox.commit()
    engine.gone = True
    with pytest.raises(Refused, match="no longer held") as refused:
        resending.resend(cast.maple, message, cast.operator, "again")
    assert refused.value.code == "content-gone" and not engine.taken


def test_who_may_not_finds_nothing(cast: Any, outbox: Outbox, engine: Engine) -> None:
    message, (delivery,) = sent(outbox, cast.maple)
    outbox.sent(cast.maple, message, delivery)
    outbox.commit()
    half = access.add_key(uuid.UUID(bytes=cast.maple), "half", ("send", "messages"), actor=BOOTSTRAP)
    for actor, org in (
        (cast.auditor, cast.maple), (cast.sender, cast.maple), (cast.stranger, cast.maple),
        (cast.stranger, cast.harbour), (Actor("key", half.id), cast.maple),
    ):  # fmt: skip
        with pytest.raises(NotFound):
            resending.resend(org, message, actor, "again")
    assert not engine.taken and not office_events(kinds.MESSAGE_RESENT)


def test_a_job_sends_all_that_fit_again_and_after_a_crash_nothing_twice(
    cast: Any, outbox: Outbox, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = [sent(outbox, cast.maple) for _ in range(3)]
    for message, (delivery,) in found:
        outbox.failed(cast.maple, message, delivery)
    other, _ = outbox.accepted(cast.maple)
    outbox.commit()
    asked = Asked(Wanted(tag="recall"), "the provider lost them")
    with pytest.raises(Refused):
        acts.begin(uuid.UUID(bytes=cast.maple), Kind.RESEND, Asked(Wanted(without=("notice",))), actor=cast.operator)
    acts.begin(uuid.UUID(bytes=cast.maple), Kind.RESEND, asked, actor=cast.operator)
    saved = work._save
    monkeypatch.setattr(work, "_save", lambda *_: (_ for _ in ()).throw(RuntimeError("killed")))
    with pytest.raises(RuntimeError):
        work.Work(threading.Event()).step(clock.now())
    monkeypatch.setattr(work, "_save", saved)
    work.Work(threading.Event()).step(clock.now())
    assert {one.resends for one in engine.taken} == {ids.text(message) for message, _ in found}
    assert len(engine.taken) == 3 and ids.text(other) not in {one.resends for one in engine.taken}
    # once their content is gone they are passed over, which is said by their number
    engine.gone = True
    acts.begin(uuid.UUID(bytes=cast.maple), Kind.RESEND, asked, actor=cast.operator)
    work.Work(threading.Event()).step(clock.now())
    with scope.organisation(uuid.UUID(bytes=cast.maple)):
        last = Job.objects.order_by("pk").last()
    assert last is not None and (last.state, last.seen, last.made, last.wrong) == ("done", 3, 0, 3)
