"""A message that names `protection-check@` is answered and sent to nobody; it is decided as the real thing is."""

from collections.abc import AsyncIterator

import msgspec
import pytest

from carepost.directory.recipients import PackedKeys
from carepost.directory.types import RecipientKey
from carepost.directory.words import OwnWords, Person
from carepost.ground import ids
from carepost.ground.errors import Refused, Unavailable
from carepost.inspection.inspector import Inspector
from carepost.inspection.pool import Limits, Pool
from carepost.inspection.process import Start
from carepost.intake import dry_run
from carepost.intake.addresses import Tokens
from carepost.intake.orgkeys import DirectoryKeys
from carepost.phi.types import Custom, Score, Strength, Word
from carepost.policy.types import Assurance, Level, Method, Rule
from carepost.proof import event, kinds
from carepost.queue.sealing import Opener
from carepost.rfc import mime
from carepost.wire.types import Origin, Submission
from tests.unit.intake.office import BODY, BY_MAIL, CLINIC, Office, submission

CHECK = "protection-check@clinic.test"
PHI = (Level.PHI_HIGH, Level.PHI_LIKELY)


def to(*addresses: str, more: bytes = b"") -> bytes:
    return BODY.replace(b"jane.roe@verified.test", ",\r\n ".join(addresses).encode()).replace(
        b"Message-ID", more + b"Message-ID"
    )


async def answered(office: Office, asked: Submission) -> tuple[str, list[str]]:
    """(the answer's text, kinds of the events)."""
    intake = office.intake()
    accepted = await intake.accept(asked)
    (delivery,) = accepted.deliveries
    assert delivery.recipient == asked.envelope.sender
    rows = (await office.queue.drain(0, 0))[0]
    view = await office.queue.lookup(CLINIC, bytes.fromhex(accepted.message_id.replace("-", "")))
    assert [one.recipient for one in view.deliveries] == [asked.envelope.sender], "nobody else gets anything"
    assert view.subject == dry_run.SUBJECT and view.sender == ""
    return await text(office, accepted.message_id), [event.read(row.event).kind for row in rows]


async def text(office: Office, message: str) -> str:
    org, id_ = CLINIC, bytes.fromhex(message.replace("-", ""))
    stored = await office.queue.body(org, id_)
    opener = Opener(DirectoryKeys(office.directory, office.purposes))
    raw = opener.body(org, id_, stored)
    found = mime.read(raw)
    assert "mailer-daemon@clinic.test" in raw.decode() and "Auto-Submitted: auto-replied" in raw.decode()
    assert "Dear Jane" not in raw.decode() and "Your appointment" not in raw.decode(), "nothing of the message"
    return found.text


async def test_the_submitter_is_told_and_nobody_else_gets_anything(office: Office) -> None:
    office.seen("other.test", Assurance.ENCRYPTED)
    said, events = await answered(office, submission(CHECK, body=to("jane.roe@verified.test", "p@other.test")))
    assert events[0] == kinds.PREVIEW_ASKED, "on record before it is answered"
    first, second = said[said.index("jane.roe@verified.test") :], said[said.index("p@other.test") :]
    assert "How: ordinary mail over TLS" in first and "Assurance (at least): VERIFIED" in first
    assert "Rule: default-floor (policy version v1)" in first
    assert "How: secure portal" in second and "Rule: portal-by-mail" in second


@pytest.mark.parametrize(
    "asked",
    [
        submission("jane.roe@verified.test", CHECK),
        # a program that splits a message by domain hands this half over without the address in its envelope
        submission("jane.roe@verified.test", body=to("jane.roe@verified.test", "Protection-Check@Clinic.TEST")),
        submission("jane.roe@verified.test", body=to("jane.roe@verified.test", '"protection-check"@clinic.test')),
        submission("jane.roe@verified.test", body=to("jane.roe@verified.test", more=f"Cc: {CHECK}\r\n".encode())),
        submission("jane.roe@verified.test", body=to("jane.roe@verified.test", more=f"Bcc: {CHECK}\r\n".encode())),
        submission("PROTECTION-CHECK@wards.clinic.test", "jane.roe@verified.test"),
    ],
    ids=["envelope", "to", "quoted", "cc", "bcc", "another-domain-of-ours"],
)
async def test_naming_it_anywhere_is_enough(office: Office, asked: Submission) -> None:
    said, _ = await answered(office, asked)
    assert said.count("How:") == 1 and "jane.roe@verified.test" in said


@pytest.mark.parametrize(
    "asked",
    [
        submission("protection-check@verified.test"),
        submission("protection-check@harbour.test"),
        submission(CHECK, origin=Origin.API),
        submission(body=BODY.replace(b"Dear Jane", b"protection-check@clinic.test")),
    ],
    ids=["elsewhere", "another-organisation", "by-api", "in-the-text"],
)
async def test_what_is_no_check_goes_its_way(office: Office, asked: Submission) -> None:
    accepted = await office.intake().accept(asked)
    assert [d.recipient for d in accepted.deliveries] == [r.address for r in asked.envelope.recipients]


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        (submission(CHECK, "a@one.test", sender=""), "check-unanswerable"),
        (submission(CHECK, "a@one.test", body=to("a@one.test", more=b"Auto-Submitted: auto-replied\r\n")),
         "check-unanswerable"),
        (submission(CHECK, "a@one.test", sender=CHECK), "check-unanswerable"),
        (submission(CHECK, body=to(CHECK)), "no-recipients"),
        (submission(CHECK, sender="nurse@harbour.test"), "sender-domain"),
        (submission(CHECK, body=BODY.replace(b"nurse@clinic.test", b"nurse@harbour.test")), "sender-domain"),
        (submission(CHECK, body=to(*(f"p{n}@one.test" for n in range(dry_run.MOST_RECIPIENTS + 1)))),
         "too-many-recipients"),
    ],
    ids=["null-sender", "automatic", "itself", "nobody", "stranger", "stranger-in-from", "too-many"],
)  # fmt: skip
async def test_what_cannot_be_answered_is_refused_and_nothing_is_sent(
    office: Office, asked: Submission, code: str
) -> None:
    intake = office.intake()
    with pytest.raises(Refused) as error:
        await intake.accept(asked)
    assert error.value.code == code
    assert kinds.MESSAGE_ACCEPTED not in [event.read(r.event).kind for r in (await office.queue.drain(0, 0))[0]]
    await intake.close()


async def test_a_flood_of_checks_waits_at_its_sender(office: Office) -> None:
    intake = office.intake()
    for _ in range(dry_run.MOST):
        await intake.accept(submission(CHECK, "a@one.test"))
    with pytest.raises(Unavailable) as error:
        await intake.accept(submission(CHECK, "a@one.test"))
    assert error.value.code == "checks-many"
    # ordinary mail is not held up by it
    assert (await intake.accept(submission("a@one.test"))).deliveries


async def test_the_event_says_who_asked_and_seals_about_whom(office: Office) -> None:
    await office.intake().accept(submission(CHECK, body=to("jane.roe@verified.test")))
    row = (await office.queue.drain(0, 0))[0][0]
    one = event.read(row.event)
    assert (one.kind, one.actor.id, one.facts) == (kinds.PREVIEW_ASKED, "c1", {"origin": "smtp"})
    assert b"jane.roe" not in row.event and b"Your appointment" not in row.event
    opened = Opener(DirectoryKeys(office.directory, office.purposes)).personal(row)
    assert opened["asked"][1] == b"jane.roe@verified.test"


class TestContent:
    """Where a rule asks what stands in a message, a preview looks into it as the delivery would."""

    @pytest.fixture
    async def looking(self, office: Office) -> AsyncIterator[Inspector]:
        office.change(CLINIC, rules=(BY_MAIL, Rule("results", levels=PHI, action="hold")))
        made = Inspector(Pool(Limits(workers=1), Start(ocr=False)))
        yield made
        await made.close()

    async def test_a_preview_looks_into_the_message(self, office: Office, looking: Inspector) -> None:
        intake = office.intake(inspector=looking)
        health = BODY.replace(b"Dear Jane,", b"Your A1c is 8.4%. Your next visit is on Monday.")
        (held,) = await intake.preview(submission(body=health))
        assert (held.state, held.rule) == ("held", "results")
        lunch = BODY.replace(b"Your appointment", b"Lunch").replace(b"Dear Jane,", b"The cafeteria opens at eleven.")
        (sent,) = await intake.preview(submission(body=lunch))
        assert (sent.state, sent.method) == ("queued", "tls")
        # before anything is written the strictest counts, and the answer says so
        blank = BODY.replace(b"Dear Jane,\r\n", b"").replace(b"Subject: Your appointment\r\n", b"")
        (unknown,) = await intake.preview(submission(body=blank))
        assert unknown.state == "held" and "not known here" in unknown.words

    async def test_the_organisations_own_words_and_exceptions_hold(self, office: Office, looking: Inspector) -> None:
        """The same few lines are asked before an attempt (`delivery.content`)."""
        intake = office.intake(inspector=looking)
        asked = submission(body=BODY.replace(b"Dear Jane,", b"Your Project Bluebell visit is on Monday."))
        (plain,) = await intake.preview(asked)
        assert plain.state == "queued"
        word = Word("programme", "Project Bluebell", strength=Strength.STRONG)
        identifier = Word("client", "Monday", Score.IDENTIFIER, Strength.STRONG)
        own = OwnWords(Custom(words=(word, identifier)))
        office.change(CLINIC, own_words=own)
        (held,) = await intake.preview(asked)
        assert (held.state, held.rule) == ("held", "results")
        for excepted in (
            {"senders": (Person("nurses", "nurse@clinic.test"),)},
            {"recipients": (Person("lab", "verified.test"),)},
        ):
            office.change(CLINIC, own_words=msgspec.structs.replace(own, **excepted))
            (sent,) = await intake.preview(asked)
            assert (sent.state, sent.method) == ("queued", "tls"), excepted


async def test_a_certificate_that_changed_is_foreseen_as_it_is_decided(office: Office) -> None:
    """By preview, by mail and at the door alike."""
    row = RecipientKey(ids.text(ids.new()), Method.SMIME, True, True, 0)
    snapshot = office.directory.snapshot(CLINIC)
    tokens = Tokens(office.org_keys).of(snapshot, "jane.roe@verified.test")
    assert tokens is not None
    rules = (BY_MAIL, Rule("encrypt", methods=(Method.SMIME,)))
    office.change(CLINIC, recipient_keys=PackedKeys([(tokens[0], row)]), rules=rules)
    intake = office.intake()
    (foreseen,) = await intake.preview(submission())
    (taken,) = (await intake.accept(submission())).deliveries
    assert (foreseen.state, foreseen.reason) == (taken.state, taken.reason) == ("held", "key-changed")
    assert foreseen.rule == taken.rule and foreseen.words.startswith(taken.words)
    accepted = await intake.accept(submission("jane.roe@verified.test", CHECK))
    said = await text(office, accepted.message_id)
    assert "How: would be held for a person" in said and f"Rule: {taken.rule}" in said
    await intake.close()
