"""Did it arrive? What is said for every state, as it is read aloud: never more than is on record (A24.11)."""

from typing import Any

import pytest

from carepost.archive import arrival
from carepost.archive.arrival import ACCEPTED, HELD, NO, NOT_YET, OPENED, PERHAPS, WAITS
from carepost.proof import kinds
from carepost.wire.types import AttemptView, DeliveryView, MessageView, NoteView

pytestmark = pytest.mark.fast

#: 2026-11-21 14:02 UTC
AT = 1_795_269_720_000_000


def attempt(result: str, **more: Any) -> AttemptView:
    given = {"number": 1, "at": AT, "method": "tls", "required": "VERIFIED", "achieved": "VERIFIED", "stage": "dot",
             "result": result, "reason": "", "words": "", "reply": "", "mx": "mx.a.test", "tls": ""}  # fmt: skip
    return AttemptView(**(given | more))


def said(state: str, *attempts: AttemptView, notes: tuple[NoteView, ...] = (), **more: Any) -> arrival.Said:
    given = {"id": "d", "recipient": "ann@hospital.test", "state": state, "method": "tls", "assurance": "",
             "reason": "", "words": "", "rule": "", "due_at": 0}  # fmt: skip
    one = DeliveryView(**(given | more), attempts=attempts, notes=notes)
    message = MessageView("m", "o", AT, "desk@clinic.test", "Visit", "", "api", "transactional", 1, (one,))
    return arrival.said(message, one)


def note(kind: str) -> NoteView:
    return NoteView(AT, kind, "")


WHEN = "21 November 2026 at 14:02 UTC"
TABLE = [
    ("accepted", ACCEPTED, f"Yes, it reached their mail server: accepted by mx.a.test on {WHEN} with verified TLS.",
     said("sent", attempt("sent"), assurance="VERIFIED")),
    ("accepted-weakly", ACCEPTED, f"Yes, it reached their mail server: accepted by mx.a.test on {WHEN}.",
     said("sent", attempt("sent"), assurance="ENCRYPTED")),
    ("bounced-later", NO, f"No: their mail system reported on {WHEN} that it could not be delivered.",
     said("failed", attempt("sent"), notes=(note(kinds.DELIVERY_BOUNCED),))),
    ("in-portal", WAITS, f"Not opened yet: it has waited for them in the secure portal since {WHEN}.",
     said("deposited", attempt("deposited"))),
    ("opened", OPENED, f"Yes: it was opened in the secure portal on {WHEN}.",
     said("opened", notes=(note(kinds.PORTAL_OPENED),), assurance="MAILBOX")),
    ("expired-unopened", NO, f"No: it waited in the secure portal, was never opened, and expired on {WHEN}.",
     said("expired", notes=(note(kinds.PORTAL_EXPIRED),))),
    ("expired-opened", OPENED, f"Yes: it was opened in the secure portal on {WHEN}, and has expired since.",
     said("expired", notes=(note(kinds.PORTAL_OPENED), note(kinds.PORTAL_EXPIRED)))),
    ("taken-back", NO, f"No: it was taken back here on {WHEN}.",
     said("retracted", notes=(note(kinds.DELIVERY_RETRACTED),))),
    ("refused-there", NO, f"No: their mail server refused it on {WHEN}.",
     said("failed", attempt("failed", reply="550 5.1.1 No such person"))),
    ("given-up", NO, f"No: it was given up on {WHEN}.", said("failed", attempt("failed"))),
    ("refused-here", NO, "No: your rules did not let it leave.", said("failed")),
    ("suppressed", NO, "No: nothing was sent, because this address is on your suppression list.", said("suppressed")),
    ("suppressed-before", NO, "No: nothing was sent, because this address is on your suppression list.",
     said("failed", reason="suppressed")),
    ("held", HELD, "Not yet: it waits here, until a person lets it go.", said("held")),
    ("put-off", NOT_YET, "Not yet: it was tried once, and their mail server put it off.",
     said("deferred", attempt("deferred", reply="452 Full"), due_at=AT)),
    ("uncertain", PERHAPS, "Perhaps: the connection ended before their mail server’s last answer.",
     said("deferred", attempt("uncertain", uncertain=True))),
    ("on-its-way", NOT_YET, "Not yet: it is on its way out.", said("queued")),
    ("test", NO, "No: it was a test. Everything was carried out, and nothing was sent.", said("tested")),
]  # fmt: skip


@pytest.mark.parametrize(("verdict", "headline", "answer"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE])
def test_the_answer(verdict: str, headline: str, answer: arrival.Said) -> None:
    assert (answer.verdict, answer.headline) == (verdict, headline)
    assert answer.evidence[0] == f"We took the message in on {WHEN}, from desk@clinic.test."
    assert all(text.endswith((".", "person", "Full")) for text in (*answer.limits, *answer.next, answer.headline))


def test_acceptance_is_never_called_reading() -> None:
    answer = said("sent", attempt("sent", reply="250 2.0.0 Ok: queued"), assurance="AUTHENTICATED")
    assert any("cannot know whether anybody has read it" in text for text in answer.limits)
    assert any("forwards" in text for text in answer.limits)
    assert "The server answered: 250 2.0.0 Ok: queued" in answer.evidence
    opened = said("opened", notes=(note(kinds.PORTAL_OPENED),), assurance="MAILBOX")
    assert any("not who sat before the screen" in text for text in opened.limits)


def test_a_complaint_is_told() -> None:
    answer = said("sent", attempt("sent"), notes=(note(kinds.DELIVERY_COMPLAINED),))
    assert any("marked as unwanted" in text for text in answer.evidence)


@pytest.mark.parametrize(
    ("what", "until", "words"),
    [
        ("delivered", "", "the next mail system reported that it delivered it to the mailbox."),
        ("relayed", "", "reported that it passed it on to another system, which sends no such reports."),
        ("expanded", "", "reported that it passed it on to the members of a list or group."),
        ("delayed", "2026-11-22T09:30:00Z", "that it had not delivered it yet, and that it would try until 22 November "
         "2026 at 09:30 UTC."),
        ("delayed", "", "that it had not delivered it yet, and would go on trying."),
    ],
)  # fmt: skip
def test_what_the_next_system_reported_is_evidence_and_its_own_word(what: str, until: str, words: str) -> None:
    before = said("sent", attempt("sent"))
    answer = said("sent", attempt("sent"), notes=(NoteView(AT, kinds.DELIVERY_REPORTED, what, until),))
    assert answer.evidence[-1].startswith(f"On {WHEN} the next mail system reported ")
    assert answer.evidence[-1].endswith(words)
    assert "its own word" in answer.limits[-1]
    assert (answer.verdict, answer.headline, answer.next) == (before.verdict, before.headline, before.next)


def test_what_no_report_says_is_not_told() -> None:
    answer = said("sent", attempt("sent"), notes=(NoteView(AT, kinds.DELIVERY_REPORTED, "invented"),))
    assert answer == said("sent", attempt("sent"))


def test_a_notice_that_failed_changes_what_to_do() -> None:
    answer = said("deposited", attempt("deposited"), notes=(note(kinds.PORTAL_NOTICE_FAILED),))
    assert any("do not know that it waits" in text for text in answer.evidence)
    assert any("Check their e-mail address" in text for text in answer.next)


@pytest.mark.parametrize(
    ("then", "words"),
    [("refuse", "it is not sent, and its sender is told"), ("release", "it is sent as the rules then say")],
)
def test_what_is_held_says_until_when_and_what_then(then: str, words: str) -> None:
    assert said("held", until=AT, then=then).next[-1] == f"If nobody has decided by {WHEN}, {words}."
    assert not any("decided by" in text for text in said("held").next)
