"""Jobs and sending again, before the desk: how many first, nothing without a reason, and nothing for who may not."""

import re
import threading
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from carepost.archive import books
from carepost.ground import clock, ids
from carepost.jobs import work
from carepost.jobs.models import Job
from carepost.tenancy import scope
from carepost.wire.types import Accepted, AcceptedDelivery, Submission
from tests.support.cast import Shard, fresh_books
from tests.support.outbox import Outbox, office_events

__all__ = ["fresh_books"]
pytestmark = pytest.mark.django_db(databases=["default", "records"])

Sit = Callable[..., Client]
RAW = b"From: nurse@maple.test\r\nTo: jane@patient.test\r\nSubject: Knee\r\n\r\nHello.\r\n"


class Engine(Shard):
    def __init__(self) -> None:
        super().__init__()
        self.taken: list[Submission] = []
        self.waiting: dict[bytes, tuple[int, int, int]] = {}

    def waits(self) -> dict[bytes, tuple[int, int, int]]:
        return self.waiting

    def body(self, org: bytes, message: bytes) -> bytes:
        return RAW

    def accept(self, submission: Submission) -> Accepted:
        known = next((one for one in self.taken if one.key == submission.key), None)
        if known is None:
            self.taken.append(submission)
        made = tuple(AcceptedDelivery(ids.text(ids.new(1)), r.address, "queued", "tls", "", "", "")
                     for r in submission.envelope.recipients)  # fmt: skip
        return Accepted(ids.text(ids.new(1)), made, repeated=known is not None)


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Engine:
    made = Engine()
    monkeypatch.setattr("carepost.archive.engine.client", lambda: made)
    monkeypatch.setattr("carepost.mailbox.door.client", lambda: made)
    monkeypatch.setattr(books.Opener, "body", lambda _self, _org, _message, stored: stored)
    return made


@pytest.fixture
def outbox(maple: Any, engine: Engine) -> Outbox:
    return Outbox()


def post(desk: Client, path: str, **fields: Any) -> Any:
    found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', desk.get("/messages").content.decode())
    assert found
    return desk.post(path, {"csrfmiddlewaretoken": found[1], **fields}, follow=True)


def step() -> None:
    work.Work(threading.Event()).step(clock.now())


def test_a_search_is_counted_then_exported_and_fetched_on_record(maple: Any, at_desk: Sit, outbox: Outbox) -> None:
    for number in range(3):
        message, (delivery,) = outbox.accepted(maple.pk.bytes, tags=("recall",))
        (outbox.failed if number else outbox.deferred)(maple.pk.bytes, message, delivery)
    outbox.accepted(maple.pk.bytes)
    outbox.commit()
    desk = at_desk("operator")
    assert "Do something with all that fit" not in desk.get("/messages").content.decode()
    assert "Do something with all that fit" in post(desk, "/messages", tag="recall").content.decode()
    page = post(desk, "/jobs/new", tag="recall").content.decode()
    assert "3 messages fit" in page and "Nothing has happened yet" in page
    counts = dict(re.findall(r"<strong>([^<]+)</strong>: (\d+) ", page))
    assert counts == {"Try again now": "1", "Take back": "1", "Send again": "2", "Export": "3"}
    assert not office_events("job.begun")
    page = post(desk, "/jobs/new", tag="recall", do="begin", kind="export-messages", form="csv").content.decode()
    at = re.search(r'action="(/jobs/[0-9a-f-]{36})/cancel"', page)
    assert at and "Waiting" in page
    step()
    page = desk.get(at[1]).content.decode()
    assert "Done" in page and "3 messages looked at" in page
    fetched = post(desk, f"{at[1]}/result")
    assert b"".join(fetched.streaming_content).count(b"\r\n") == 4 and "csv" in fetched["Content-Disposition"]
    assert len(office_events("job.fetched")) == 1
    assert at[1] in desk.get("/jobs").content.decode()


def test_begin_pressed_twice_on_one_page_is_one_job(maple: Any, at_desk: Sit, outbox: Outbox, engine: Engine) -> None:
    message, (delivery,) = outbox.accepted(maple.pk.bytes, tags=("recall",))
    outbox.failed(maple.pk.bytes, message, delivery)
    outbox.commit()
    desk = at_desk("operator")
    mark = re.search(r'name="page" value="([^"]+)"', post(desk, "/jobs/new", tag="recall").content.decode())
    assert mark
    asked = {"tag": "recall", "do": "begin", "kind": "resend", "reason": "lost", "page": mark[1]}
    first, second = (post(desk, "/jobs/new", **asked).redirect_chain[-1][0] for _ in range(2))
    assert first == second and len(office_events("job.begun")) == 1
    step()
    step()
    assert len(engine.taken) == 1
    # another page, or another thing to do on the same one, is a job of its own
    for other in ({"page": "another"}, {"kind": "export-messages"}):
        assert post(desk, "/jobs/new", **(asked | other)).redirect_chain[-1][0] != first


def test_nothing_without_a_reason_a_search_or_a_permission(maple: Any, at_desk: Sit, outbox: Outbox) -> None:
    message, (delivery,) = outbox.accepted(maple.pk.bytes, tags=("recall",))
    outbox.deferred(maple.pk.bytes, message, delivery)
    outbox.commit()
    desk = at_desk("operator")
    answer = post(desk, "/jobs/new", tag="recall", do="begin", kind="retract")
    assert answer.status_code == 422 and "Say why" in answer.content.decode()
    assert post(desk, "/jobs/new", do="begin", kind="retract", reason="x").status_code == 422
    assert not office_events("job.begun")
    begun = post(desk, "/jobs/new", tag="recall", do="begin", kind="retract", reason="wrong batch")
    at = begun.redirect_chain[-1][0]
    assert "cancelled" in post(desk, f"{at}/cancel").content.decode().lower()
    stranger = at_desk("administrator", elsewhere=True)
    assert stranger.get(at).status_code == 404 and post(stranger, f"{at}/result").status_code == 404
    auditor = at_desk("auditor")
    answer = post(auditor, "/jobs/new", tag="recall", do="begin", kind="retract", reason="x")
    assert answer.status_code == 404 and len(office_events("job.begun")) == 1


def test_one_message_is_sent_again_to_who_is_chosen_once(
    maple: Any, at_desk: Sit, outbox: Outbox, engine: Engine
) -> None:
    message, (one, two) = outbox.accepted(maple.pk.bytes, ("jane@patient.test", "joan@patient.test"))
    outbox.failed(maple.pk.bytes, message, one)
    outbox.deferred(maple.pk.bytes, message, two)
    outbox.commit()
    desk, at = at_desk("operator"), f"/messages/{uuid.UUID(bytes=message)}"
    assert f'href="{at}/resend"' in desk.get(at).content.decode()
    page = desk.get(f"{at}/resend").content.decode()
    token = re.search(r'name="token" value="([^"]+)"', page)
    assert token and page.count(" disabled") == 1 and page.count(" checked") == 1 and not engine.taken
    chosen = {"token": token[1], "delivery": str(uuid.UUID(bytes=one))}
    assert post(desk, f"{at}/resend", **chosen).status_code == 422
    assert post(desk, f"{at}/resend", token=token[1], reason="lost").status_code == 422
    done = post(desk, f"{at}/resend", reason="she lost it", **chosen).content.decode()
    assert "Sent again to 1 recipient" in done
    post(desk, f"{at}/resend", reason="she lost it", **chosen)
    assert [r.address for [sent] in [engine.taken] for r in sent.envelope.recipients] == ["jane@patient.test"]
    outbox.commit_office()
    assert "Sent again as" in desk.get(at).content.decode()
    for role, elsewhere in (("auditor", False), ("sender", False), ("administrator", True)):
        assert at_desk(role, elsewhere=elsewhere).get(f"{at}/resend").status_code in (403, 404)


def test_what_could_not_be_sent_again_is_said(maple: Any, at_desk: Sit, outbox: Outbox) -> None:
    outbox.accepted(maple.pk.bytes, tags=("recall",))
    outbox.commit()
    desk = at_desk("operator")
    post(desk, "/jobs/new", tag="recall", do="begin", kind="resend", reason="The provider lost them")
    with scope.organisation(maple.pk):
        job = Job.objects.get()
        Job.objects.filter(pk=job.pk).update(state="done", seen=5, made=3, wrong=2)
    page = desk.get(f"/jobs/{job.pk}").content.decode()
    assert (
        "3 recipients it was sent to again, 2 could not be sent again." in page and "must be written anew: 2 of" in page
    )
    with scope.organisation(maple.pk):
        Job.objects.filter(pk=job.pk).update(wrong=0)
    assert "could not be sent again" not in desk.get(f"/jobs/{job.pk}").content.decode()


def test_why_a_job_failed_stands_in_words_with_what_to_do(maple: Any, at_desk: Sit, outbox: Outbox) -> None:
    outbox.accepted(maple.pk.bytes, tags=("recall",))
    outbox.commit()
    desk = at_desk("operator")
    post(desk, "/jobs/new", tag="recall", do="begin", kind="export-messages", form="csv")
    with scope.organisation(maple.pk):
        job = Job.objects.get()
    for cause, words in (("file-cut-off", "Hand it in again."), ("office-on-fire", "Begin it once more")):
        with scope.organisation(maple.pk):
            Job.objects.filter(pk=job.pk).update(state="failed", cause=cause)
        page = desk.get(f"/jobs/{job.pk}").content.decode()
        assert words in page and cause in page
