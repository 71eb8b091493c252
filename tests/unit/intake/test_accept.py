"""The one door: facts to plan to durable, refused where nobody may have it, whole where something was missing."""

import asyncio
import hashlib

import msgspec
import pytest

from carepost.crypto import index
from carepost.ground import clock, ids
from carepost.ground.errors import NotFound, Refused, Unavailable
from carepost.intake.orgkeys import DirectoryKeys
from carepost.policy.types import Access, Assurance, Category, Kind, Method, Rule
from carepost.proof import commitments, event, kinds
from carepost.queue.sealing import Opener
from carepost.rfc import message as rfc_message
from carepost.wire.types import AccessProof, Actor, Origin, Protection, Submission
from tests.unit.intake import office as cast
from tests.unit.intake.office import BODY, CLINIC, HARBOUR, Office, submission

pytestmark = pytest.mark.fast


async def stored(office: Office) -> bytes:
    """The body of the one message that was accepted."""
    (claim,) = await office.queue.claim(10)
    return await office.queue.plain(claim)


async def test_an_acceptance_says_how_each_recipient_gets_it_and_why(office: Office) -> None:
    office.seen("verified.test", Assurance.VERIFIED)
    accepted = await office.intake().accept(submission("jane.roe@verified.test", "john.doe@unseen.test"))
    assert [(d.recipient, d.state, d.method) for d in accepted.deliveries] == [
        ("jane.roe@verified.test", "queued", "tls"),
        ("john.doe@unseen.test", "queued", "tls"),
    ]
    assert all(d.reason and d.words and d.rule for d in accepted.deliveries)
    view = await office.queue.lookup(CLINIC, ids.parse(accepted.message_id))
    assert (view.sender, view.subject, view.message_id) == (
        "nurse@clinic.test",
        "Your appointment",
        "<m-1@clinic.test>",
    )
    assert [d.id for d in view.deliveries] == [d.id for d in accepted.deliveries]


async def test_what_is_accepted_is_on_record_and_the_commitments_open(office: Office) -> None:
    await office.intake().accept(submission(category=Category.OPERATIONAL))
    rows, _ = await office.queue.drain(0, 0)
    opener = Opener(DirectoryKeys(office.directory, office.purposes))
    accepted, queued = (opener.event(r) for r in rows)
    assert [accepted.kind, queued.kind] == [kinds.MESSAGE_ACCEPTED, kinds.DELIVERY_QUEUED]
    assert (accepted.policy, accepted.category, accepted.actor.id) == ("v1", "operational", "c1")
    assert accepted.facts == {
        "origin": "smtp", "size": str(len(BODY)), "data-class": "ordinary", "purpose": "treatment",
    }  # fmt: skip
    opened = opener.personal(rows[0])
    assert opened["submitted"][1] == hashlib.sha256(BODY).digest()
    assert opened["mail"][1] == commitments.mail_value(BODY)
    assert opened["client"][1] == b"192.0.2.9"
    assert opener.personal(rows[1])["recipient"][1] == b"jane.roe@verified.test"
    assert set(queued.facts) <= kinds.FACTS and set(accepted.facts) <= kinds.FACTS
    assert b"jane" not in rows[0].event + rows[1].event


async def test_our_trace_names_neither_client_nor_recipient(office: Office) -> None:
    accepted = await office.intake().accept(submission())
    body = await stored(office)
    first = body.split(b"\r\nFrom:")[0]
    assert first.startswith(b"Received: by mail.clinic.test with ESMTPSA id " + accepted.message_id.encode())
    assert b"192.0.2.9" not in body and b" for " not in first
    assert body.endswith(BODY)


async def test_bi_065_a_missing_date_and_message_id_are_added(office: Office) -> None:
    body = b"From: nurse@clinic.test\r\nSubject: x\r\n\r\nDear Jane,\r\n"
    accepted = await office.intake().accept(submission(body=body))
    read = rfc_message.read(await stored(office))
    assert read.message_id == f"<{accepted.message_id}@clinic.test>"
    assert read.date_raw
    view = await office.queue.lookup(CLINIC, ids.parse(accepted.message_id))
    assert view.message_id == read.message_id


async def test_blind_recipients_are_taken_out_before_anything_is_stored(office: Office) -> None:
    body = BODY.replace(b"Subject:", b"Bcc: hidden@secret.test\r\nX-Originating-IP: 192.0.2.9\r\nSubject:")
    await office.intake().accept(submission(body=body))
    assert await stored(office) != body
    rows, _ = await office.queue.drain(0, 0)
    opener = Opener(DirectoryKeys(office.directory, office.purposes))
    assert b"hidden@" not in b"".join(value for _, value in opener.personal(rows[0]).values())


async def test_a_scheduled_message_waits(office: Office) -> None:
    later = clock.now() + 3_600_000_000
    accepted = await office.intake().accept(submission(send_at=later))
    assert await office.queue.claim(1) == []
    (delivery,) = (await office.queue.lookup(CLINIC, ids.parse(accepted.message_id))).deliveries
    assert delivery.due_at == later


async def test_the_same_address_twice_is_one_delivery(office: Office) -> None:
    accepted = await office.intake().accept(submission("a@one.test", "b@two.test", "a@one.test"))
    assert [d.recipient for d in accepted.deliveries] == ["a@one.test", "b@two.test"]


# the decision at the door


async def test_a_hold_is_held_and_says_why(office: Office) -> None:
    office.change(CLINIC, rules=(Rule("look-first", recipient_domain="one.test", action="hold"),))
    accepted = await office.intake().accept(submission("a@one.test", "b@two.test"))
    held, queued = accepted.deliveries
    assert (held.state, held.rule, queued.state) == ("held", "look-first", "queued")
    (claim,) = await office.queue.claim(10)
    assert claim.record.recipient.address == "b@two.test"
    events = [event.read(r.event) for r in (await office.queue.drain(0, 0))[0]]
    assert (kinds.DELIVERY_HELD, "rule-holds") in [(e.kind, e.cause) for e in events]


async def test_each_recipient_has_a_level_of_its_own(office: Office) -> None:
    """Standards 3.5: neither the weakest of one message nor the strictest sets it for the others."""
    strict = Rule("strict", recipient_domain="one.test", floor=Assurance.AUTHENTICATED)
    lowered = Rule("no-phi", recipient_domain="two.test", floor=Assurance.NONE, attestation="no PHI in these")
    office.change(CLINIC, rules=(strict, lowered))
    await office.intake().accept(submission("a@two.test", "b@one.test", "c@else.test"))
    claims = await office.queue.claim(10)
    assert {c.record.recipient.address: c.record.plan.floor for c in claims if c.record.plan} == {
        "a@two.test": Assurance.NONE, "b@one.test": Assurance.AUTHENTICATED, "c@else.test": Assurance.VERIFIED,
    }  # fmt: skip


async def test_when_nobody_may_have_it_the_door_says_so(office: Office) -> None:
    office.change(CLINIC, rules=(Rule("never", recipient_domain="one.test", action="refuse"),))
    with pytest.raises(Refused) as error:
        await office.intake().accept(submission("a@one.test", "b@one.test"))
    assert (error.value.code, error.value.enhanced) == ("rule-refuses", "5.7.1")
    assert (await office.queue.drain(0, 0))[1] == 0


@pytest.mark.parametrize(("origin", "state", "due"), [(Origin.SMTP, "queued", 2), (Origin.API, "failed", 1)])
async def test_a_refused_recipient_among_others(office: Office, origin: Origin, state: str, due: int) -> None:
    """By SMTP the worker has it once more, because it owes the sender a report; the API's answer says it."""
    office.change(CLINIC, rules=(Rule("never", recipient_domain="one.test", action="refuse"),))
    accepted = await office.intake().accept(submission("a@one.test", "b@two.test", origin=origin))
    assert (accepted.deliveries[0].state, accepted.deliveries[0].reason) == (state, "rule-refuses")
    assert len(await office.queue.claim(10)) == due


async def test_a_suppressed_address_is_refused_and_an_unreadable_list_holds(office: Office) -> None:
    loaded = office.source.load(CLINIC).snapshot
    key = office.org_keys.open(CLINIC, "index", *loaded.keys["index"])
    office.change(CLINIC, suppressed=frozenset({index.token(key, "address", "Jane.Roe@verified.test")}))
    with pytest.raises(Refused) as error:
        await office.intake().accept(submission())
    assert error.value.code == "suppressed"
    await office.intake().accept(submission("john.doe@verified.test"))
    keys = {p: k for p, k in loaded.keys.items() if p != "index"}
    office.change(CLINIC, keys=keys)
    accepted = await office.intake().accept(submission("jo@verified.test"))
    assert (accepted.deliveries[0].state, accepted.deliveries[0].reason) == ("held", "suppression-unknown")


async def test_what_the_message_asks_for_counts_and_is_kept_for_the_second_decision(office: Office) -> None:
    protection = Protection(Assurance.AUTHENTICATED, (Method.TLS,), AccessProof(Access.CODE, "", "slow-hash"))
    accepted = await office.intake().accept(submission(protection=protection))
    (claim,) = await office.queue.claim(1)
    assert claim.record.asked_floor is Assurance.AUTHENTICATED
    assert claim.record.asked_methods == (Method.TLS,)
    assert claim.record.access.verifier == "slow-hash"
    assert claim.record.plan is not None and claim.record.plan.floor is Assurance.AUTHENTICATED
    assert claim.decided is None, "after a wait in the queue it is decided again"
    assert accepted.deliveries[0].rule


async def test_a_decision_follows_rules_posture_and_access_although_it_is_remembered(office: Office) -> None:
    intake = office.intake()

    async def method(**changes: object) -> str:
        (found,) = await intake.preview(submission("x@some.test", **changes))
        return f"{found.state}:{found.method}"

    assert await method() == await method() == "queued:tls"
    office.change(CLINIC, rules=(BY_MAIL_ONLY,))
    assert await method() == "queued:tls", "the recipient's side is looked at before a mailed code may open the portal"
    office.seen("some.test", Assurance.VERIFIED)
    assert await method() == "queued:portal"
    office.change(CLINIC, rules=(Rule("stop", recipient="x@some.test", action="hold"),))
    assert await method() == "held:"
    (other,) = await intake.preview(submission("y@some.test"))
    assert other.state == "queued"
    office.change(CLINIC, rules=(Rule("stop", sender="nurse@clinic.test", action="hold"),))
    assert await method() == "held:"
    assert await method(body=cast.sent_from("doctor@clinic.test"), sender="doctor@clinic.test") == "queued:tls"


BY_MAIL_ONLY = Rule("portal-by-mail", portal_by_mail=True, methods=(Method.PORTAL,))


async def test_a_preview_writes_nothing_and_says_what_an_acceptance_would(office: Office) -> None:
    intake = office.intake()
    asked = submission("a@one.test", "b@two.test")
    found = await intake.preview(asked)
    assert (await office.queue.drain(0, 0))[1] == 0
    accepted = await intake.accept(asked)
    expected = tuple(msgspec.structs.replace(d, id="", words="") for d in accepted.deliveries)
    assert tuple(msgspec.structs.replace(d, words="", policy="", assurance="") for d in found) == expected
    assert {(d.policy, d.assurance) for d in found} == {("v1", "VERIFIED")}
    # a preview says more: what was required, and what comes if it cannot be had
    assert all(f.words.startswith(d.words) for f, d in zip(found, accepted.deliveries, strict=True))


@pytest.mark.parametrize("reached", [None, Assurance.NONE, Assurance.ENCRYPTED, Assurance.VERIFIED])
@pytest.mark.parametrize("asked", [Protection(), Protection(access=AccessProof(Access.CODE, "", "slow-hash"))])
async def test_an_acceptance_says_what_a_preview_says_of_a_destination_already_known(
    office: Office, reached: Assurance | None, asked: Protection
) -> None:
    office.change(CLINIC, rules=(Rule("portal-by-mail", portal_by_mail=True),))
    if reached is not None:
        office.seen("known.test", reached)
    (foreseen,) = await office.intake().preview(submission("a@known.test", protection=asked))
    ((told,),) = [(await office.intake().accept(submission("a@known.test", protection=asked))).deliveries]
    assert (told.method, told.reason, told.rule) == (foreseen.method, foreseen.reason, foreseen.rule)
    assert foreseen.words.startswith(told.words)
    # what is kept is the decision as it was made: the attempt takes its steps anew, and the wire may reach more today
    assert told.state == "queued"
    (claim,) = await office.queue.claim(1)
    assert claim.record.plan is not None and claim.record.plan.steps[0].method is Method.TLS


# who it comes from (BI-015, BI-047)


@pytest.mark.parametrize(
    ("header", "reverse"),
    [
        ("nurse@harbour.test", "nurse@clinic.test"),
        ("nurse@clinic.test", "nurse@harbour.test"),
        ("nurse@sub.clinic.test", "nurse@clinic.test"),
        ("nurse@elsewhere.test", ""),
    ],
)
async def test_bi_015_a_sender_of_anothers_domain_is_refused(office: Office, header: str, reverse: str) -> None:
    for origin in (Origin.SMTP, Origin.API):
        with pytest.raises(Refused) as error:
            await office.intake().accept(submission(body=cast.sent_from(header), sender=reverse, origin=origin))
        assert (error.value.code, error.value.enhanced) == ("sender-domain", "5.7.1")


async def test_bi_047_every_from_address_counts(office: Office) -> None:
    body = BODY.replace(
        b"From: Nurse Quill <nurse@clinic.test>",
        b"From: nurse@clinic.test, boss@harbour.test\r\nSender: nurse@clinic.test",
    )
    with pytest.raises(Refused) as error:
        await office.intake().accept(submission(body=body))
    assert error.value.code == "sender-domain"


async def test_a_credential_is_held_to_its_domains(office: Office) -> None:
    asked = submission(domains=("wards.clinic.test",))
    with pytest.raises(Refused):
        await office.intake().accept(asked)
    body = cast.sent_from("nurse@wards.clinic.test")
    await office.intake().accept(submission(body=body, sender="nurse@wards.clinic.test", domains=asked.domains))


async def test_reports_and_notices_of_our_own_come_from_the_organisation(office: Office) -> None:
    intake = office.intake()
    for origin, kind in ((Origin.BOUNCE, Kind.DSN), (Origin.NOTICE, Kind.NOTICE), (Origin.PORTAL, Kind.MESSAGE)):
        own = submission(sender="", origin=origin, kind=kind, actor=Actor("system", "test"))
        await intake.accept(own)
        foreign = msgspec.structs.replace(own, body=cast.sent_from("x@harbour.test"))
        with pytest.raises(Refused):
            await intake.accept(foreign)
    system = cast.sent_from("mailer-daemon@mail.clinic.test")
    await intake.accept(submission(body=system, sender="", origin=Origin.BOUNCE, kind=Kind.DSN))
    with pytest.raises(Refused):
        await intake.accept(submission(body=system, sender="", origin=Origin.NOTICE, kind=Kind.NOTICE))


# limits and faults


def too_many() -> Submission:
    return submission(*[f"a{i}@one.test" for i in range(6)])


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        (submission(body=BODY + b"x" * 100_000), "too-large"),
        (too_many(), "too-many-recipients"),
        (msgspec.structs.replace(submission(), envelope=msgspec.structs.replace(submission().envelope, recipients=())),
         "no-recipients"),
        (submission(send_at=20, expires_at=10), "expires-early"),
        (submission(body=b"no header at all"), "header-syntax"),
        (submission(body=b"Received: x\r\n" * 101 + BODY), "loop"),
        (submission(body=BODY.replace(b"Subject", b"From: a@clinic.test\r\nSubject")), "duplicate-field"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
async def test_what_is_refused_whoever_it_is_for(office: Office, asked: Submission, code: str) -> None:
    """BI-020, BI-025, BI-027, BI-047."""
    with pytest.raises(Refused) as error:
        await office.intake().accept(asked)
    assert error.value.code == code


async def test_an_organisation_that_is_not_there_and_one_that_cannot_be_read(office: Office) -> None:
    with pytest.raises(NotFound):
        await office.intake().accept(submission(org=ids.new()))
    office.directory._stale_after = -1.0
    with pytest.raises(Unavailable):
        await office.intake().accept(submission())


async def test_a_revoked_domain_is_refused_from_the_next_message_on(office: Office) -> None:
    """HS-06: a revocation holds from the next command."""
    await office.intake().accept(submission())
    office.change(CLINIC, domains=())
    with pytest.raises(Refused):
        await office.intake().accept(submission())


# keys and repeats


async def test_bi_083_one_key_is_one_message(office: Office) -> None:
    intake = office.intake()
    answers = await asyncio.gather(*[intake.accept(submission(key="k1")) for _ in range(10)])
    assert len({a.message_id for a in answers}) == 1
    with pytest.raises(Refused) as error:
        await intake.accept(submission("other@one.test", key="k1"))
    assert error.value.status == 422
    composed = submission(key="k2", payload_hash=b"h" * 32)
    first = await intake.accept(composed)
    again = msgspec.structs.replace(composed, body=BODY.replace(b"18:00:00", b"18:00:07"))
    assert (await intake.accept(again)).message_id == first.message_id, "the caller's payload counts, not our Date"


async def test_a_key_belongs_to_an_organisation(office: Office) -> None:
    intake = office.intake()
    first = await intake.accept(submission(key="k1"))
    body = cast.sent_from("nurse@harbour.test")
    second = await intake.accept(submission(org=HARBOUR, body=body, sender="nurse@harbour.test", key="k1"))
    assert first.message_id != second.message_id


async def test_bi_023_a_resubmission_without_a_key_is_a_new_message_and_marked(office: Office) -> None:
    intake = office.intake()
    first = await intake.accept(submission())
    again = await intake.accept(submission())
    assert first.repeats is None
    assert (again.repeats, again.repeated) == (first.message_id, False)
    assert again.message_id != first.message_id
    events = [event.read(r.event) for r in (await office.queue.drain(0, 0))[0]]
    assert events[2].facts["repeats"] == first.message_id
    for other in (
        submission(body=BODY + b"PS\r\n"),
        submission(body=BODY.replace(b"m-1@", b"m-2@")),
        submission(actor=Actor("credential", "c2")),
        submission("john.doe@verified.test"),
        submission(origin=Origin.API),
    ):
        assert (await intake.accept(other)).repeats is None


async def test_what_the_office_keeps_back_is_held_with_its_words_until_a_person_releases_it(office: Office) -> None:
    """A restored home: a notice that was owed when the backup was made may have been sent since."""
    office.seen("verified.test", Assurance.VERIFIED)
    kept = msgspec.structs.replace(submission("jane.roe@verified.test"), hold=("restored", "It may have been sent."))
    accepted = await office.intake().accept(kept)
    [delivery] = accepted.deliveries
    assert (delivery.state, delivery.reason, delivery.words) == ("held", "restored", "It may have been sent.")
    assert await office.queue.claim(1) == []
