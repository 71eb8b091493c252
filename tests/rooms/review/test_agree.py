"""A message that waits for an access code gets one: by who may, once, for that reason
alone; never kept or told in clear."""

import json
import sys
import uuid
from io import StringIO
from typing import Any

import pytest

from carepost.archive import proof as proofs
from carepost.archive.models import Delivery
from carepost.cli import local, main
from carepost.crypto import slowhash
from carepost.ground import ids
from carepost.ground.errors import NotFound, Refused
from carepost.policy.types import Access
from carepost.proof import event, kinds
from carepost.proof.verify import verify
from carepost.review import acts, held
from carepost.tenancy import scope
from carepost.tenancy.models import Organisation
from tests.rooms.review.test_acts import person
from tests.support.heldmail import HeldMail
from tests.support.outbox import Outbox

pytestmark = [pytest.mark.django_db(databases=["default", "records"]), pytest.mark.usefixtures("log_tables")]

CODE = "Xylo-7714-phone"


def agree(org: Organisation, who: held.Who, delivery: uuid.UUID, **more: Any) -> acts.Done:
    given = more or {"code": CODE}
    return acts.agree(org.pk, who, delivery.bytes, **{"reason": "agreed by telephone", **given})


def state(org: Organisation, who: held.Who, delivery: uuid.UUID) -> tuple[str, str]:
    view = held.one(org.pk, who, delivery.bytes).view
    return view.state, view.reason


def test_the_same_message_goes_on_with_it(maple: Organisation, wanting: HeldMail) -> None:
    delivery, olga = wanting.mail(maple), person(maple, "operator")
    assert state(maple, olga, delivery) == ("held", "needs-access-code")
    assert held.one(maple.pk, olga, delivery.bytes).kind == "access"
    done = agree(maple, olga, delivery)
    assert (done.code, done.again) == ("agreed", False) and CODE not in done.words
    record = wanting.record(delivery)
    assert record.access.kind is Access.CODE and slowhash.verify(record.access.verifier, "xylo 7714 PHONE")
    assert (record.access.late, record.released, record.held_until) == (True, False, 0)
    (claim,) = wanting.thread.run(wanting.queue.claim(1))
    assert claim.delivery == delivery.bytes and claim.decided is None, "its rules are asked again at the attempt"


def test_a_question_and_the_sender_who_gives_it_is_not_written_to(maple: Organisation, wanting: HeldMail) -> None:
    delivery = wanting.mail(maple, sender="Olga@maple.test")
    done = agree(maple, person(maple, "operator"), delivery, question=" Which  ward? ", answer="the owls")
    access = wanting.record(delivery).access
    assert (done.code, access.kind, access.question) == ("agreed", Access.QUESTION, "Which ward?")
    assert slowhash.verify(access.verifier, "The Owls") and not access.late


def test_the_event_says_who_and_when_and_nothing_of_the_code(maple: Organisation, wanting: HeldMail) -> None:
    delivery, olga = wanting.mail(maple), person(maple, "operator")
    message = ids.parse(held.one(maple.pk, olga, delivery.bytes).view.message)
    assert agree(maple, olga, delivery).good
    rows, _ = wanting.thread.run(wanting.queue.drain(0, 0))
    (made,) = [one for one in map(event.read, (row.event for row in rows)) if one.kind == kinds.DELIVERY_ACCESS_AGREED]
    assert (made.actor.kind, made.actor.id, made.facts) == (
        "staff", olga.actor.id, {"state": "queued", "access": "code"},
    )  # fmt: skip
    verifier = wanting.record(delivery).access.verifier.encode()
    opened = [wanting.queue._opener.personal(row) for row in rows]
    assert CODE.encode() not in b"".join(row.event for row in rows) and verifier not in repr(opened).encode()
    assert CODE not in repr(opened)
    outbox = Outbox()
    outbox.commits.commit(list(rows))
    made_proof = proofs.build(maple.pk.bytes, message, delivery.bytes, olga.actor)
    assert verify(made_proof, None, None).ok and CODE.encode() not in made_proof and verifier not in made_proof


def test_strangers_and_who_may_not_leave_nothing(maple: Organisation, harbour: Organisation, wanting: HeldMail) -> None:
    delivery, theirs = wanting.mail(maple), person(harbour, "administrator", "hal")
    with pytest.raises(NotFound):
        agree(maple, theirs, delivery)
    assert agree(harbour, theirs, delivery).code == "absent"
    for role in ("auditor", "sender"):
        with pytest.raises(NotFound):
            agree(maple, person(maple, role, role), delivery)
    before = wanting.thread.run(wanting.queue.drain(0, 0))[1]
    olga = person(maple, "operator")
    for wrong in (
        {"code": ""}, {"code": "   "}, {"code": "x" * 129}, {"code": CODE, "question": "q", "answer": "a"},
        {"question": "q", "answer": ""}, {"code": CODE, "reason": " "},
    ):  # fmt: skip
        with pytest.raises(Refused):
            agree(maple, olga, delivery, **wrong)
    assert state(maple, olga, delivery) == ("held", "needs-access-code")
    assert wanting.record(delivery).access.kind is Access.NONE
    assert wanting.thread.run(wanting.queue.drain(0, 0))[1] == before, "no event"


def test_who_comes_second_is_told_that_theirs_does_not_open_it(maple: Organisation, wanting: HeldMail) -> None:
    delivery, olga = wanting.mail(maple), person(maple, "operator")
    agree(maple, olga, delivery)
    first = wanting.record(delivery).access
    done = agree(maple, person(maple, "operator", "oskar"), delivery, code="another")
    assert (done.code, done.words) == (
        "late", "Olga has given it an access code already; that one opens it. Nothing was done now.",
    )  # fmt: skip
    assert agree(maple, olga, delivery, code="a third").words.startswith("You have given it")
    assert wanting.record(delivery).access == first


def test_nor_where_its_shard_has_forgotten_it(maple: Organisation, wanting: HeldMail) -> None:
    """It lies in the portal by then: the words say that what was entered is not what opens it."""
    gone, olga = uuid.UUID(bytes=ids.new(0)), person(maple, "operator")
    with scope.organisation(maple.pk):
        Delivery.objects.create(
            id=gone, org_id=maple.pk, message=gone, state="deposited", method="portal", assurance="PORTAL", reason="",
            rule="", updated_at=1, recipient=b"",
        )  # fmt: skip
    done = agree(maple, olga, gone)
    assert done.code == "late" and "What you entered does not open it" in done.words


def test_what_waits_for_something_else_takes_none(maple: Organisation, wanting: HeldMail, waiting: HeldMail) -> None:
    """A code opens the portal; it approves nothing and releases nothing."""
    boss, plain = wanting.mail(maple, sender="boss@maple.test"), waiting.mail(maple)
    olga = person(maple, "operator")
    assert agree(maple, olga, plain).code == "not-awaited"
    assert waiting.record(plain).access.kind is Access.NONE
    states = wanting.client.act(
        "agree", maple.pk.bytes, (boss.bytes,), olga.actor, "r", access=acts.agreed.proof(CODE, "", "")
    )
    assert states == {str(boss): "not-possible"} and wanting.record(boss).approvals == 2
    one = wanting.mail(maple)
    assert wanting.client.act("agree", maple.pk.bytes, (one.bytes,), olga.actor, "r") == {str(one): "not-possible"}


def test_by_command(maple: Organisation, wanting: HeldMail, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    class Here:
        client = wanting.client

        def organisation(self, _: object) -> Any:
            return wanting.directory.snapshot(maple.pk.bytes)

    monkeypatch.setattr(local.Local, "of", lambda _: Here())
    one, other = str(wanting.mail(maple)), str(wanting.mail(maple))
    monkeypatch.setattr(sys, "stdin", StringIO(f"{CODE}\n"))
    assert main.main(["held", "access", one, "--reason", "by telephone"]) == 2
    assert "--from-file" in capsys.readouterr().err, "no prompt where nobody sits"
    assert main.main(["held", "access", one, "--reason", "by telephone", "--from-file", "-"]) == 0
    said = capsys.readouterr()
    assert "never by e-mail" in said.out and CODE not in said.out + said.err
    access = wanting.record(uuid.UUID(one)).access
    assert access.kind is Access.CODE and slowhash.verify(access.verifier, CODE) and access.late
    monkeypatch.setattr(sys, "stdin", StringIO("the owls\n"))
    asked = ["held", "access", other, "--reason", "r", "--question", "Which ward?", "--from-file", "-", "--json"]
    assert main.main(asked) == 0
    assert json.loads(capsys.readouterr().out) == {other: "queued"}
    assert wanting.record(uuid.UUID(other)).access.question == "Which ward?"
    monkeypatch.setattr(sys, "stdin", StringIO(f"{CODE}\n"))
    assert main.main(["held", "access", one, "--reason", "r", "--from-file", "-"]) == 1
    assert "not held any more" in capsys.readouterr().err
