"""What rules ask of the message itself, triggers taken out, recipients that rules add."""

import msgspec
import pytest

from carepost.ground import ids
from carepost.ground.errors import Refused
from carepost.intake import facts
from carepost.policy.decide import decide
from carepost.policy.types import Access, Assurance, Deliver, Direction, Hold, Level, Method, Rule, Seen, Ternary
from carepost.proof import event, kinds
from carepost.queue.types import State
from carepost.rfc.envelope import Recipient
from carepost.wire.types import AccessProof, Actor, Protection
from tests.unit.intake.office import BY_MAIL, CLINIC, Office, submission

pytestmark = pytest.mark.fast

SECURE = Rule("secure", header="subject", contains="[secure]", remove=True, methods=(Method.PORTAL,))
ADDIN = Rule("add-in", header="x-secure", remove=True, floor=Assurance.MESSAGE)
CODE = Protection(access=AccessProof(Access.CODE, "", "v"))


def mail(subject: str = "Your appointment", extra: str = "") -> bytes:
    return (
        f"From: Nurse Quill <nurse@clinic.test>\r\nTo: jane.roe@verified.test\r\nSubject: {subject}\r\n{extra}"
        "Date: Sat, 21 Nov 2026 18:00:00 +0000\r\nMessage-ID: <m-1@clinic.test>\r\n\r\nDear Jane,\r\n"
    ).encode()


async def stored(office: Office) -> bytes:
    """What the next claimed delivery will send."""
    (claim,) = await office.queue.claim(1)
    return await office.queue.plain(claim)


@pytest.mark.parametrize(
    ("subject", "left"),
    [
        ("[secure] Your appointment", "Subject: Your appointment"),
        ("Your [SECURE]   appointment", "Subject: Your appointment"),
        ("[secure]", None),
        ("=?utf-8?Q?[secure]_=C3=9Cbersicht?=", "Subject: =?utf-8?B?w5xiZXJzaWNodA==?="),
        ("=?utf-8?Q?[sec=E2=80=8Bure=EF=BB=BF]_Your_appointment?=", "Subject: Your appointment"),
        ("=?utf-8?Q?Your_=EF=BC=BB=EF=BD=93=EF=BD=85=EF=BD=83=EF=BD=95=EF=BD=92=EF=BD=85=EF=BC=BD_appointment?=",
         "Subject: Your appointment"),
        ("=?utf-8?Q?[sec=C2=ADure]?=", None),
        ("Your appointment", "Subject: Your appointment"),
    ],
)  # fmt: skip
async def test_a_trigger_in_the_subject_decides_and_never_leaves(
    office: Office, subject: str, left: str | None
) -> None:
    office.change(CLINIC, rules=(BY_MAIL, SECURE))
    office.seen("verified.test", Assurance.VERIFIED)
    accepted = await office.intake().accept(submission(body=mail(subject)))
    (one,) = accepted.deliveries
    assert one.method == ("tls" if subject == "Your appointment" else "portal")
    view = await office.queue.lookup(CLINIC, ids.parse(accepted.message_id))
    assert "secure" not in view.subject.lower()
    header = (await stored(office)).partition(b"\r\n\r\n")[0].decode()
    assert "secure" not in header.lower()
    found = [line for line in header.split("\r\n") if line.startswith("Subject:")]
    assert found == ([left] if left else [])


async def test_a_field_of_an_add_in_decides_and_never_leaves(office: Office) -> None:
    office.change(CLINIC, rules=(BY_MAIL, ADDIN))
    accepted = await office.intake().accept(submission(body=mail(extra="X-Secure: yes\r\n"), protection=CODE))
    assert accepted.deliveries[0].method == "portal"
    assert b"x-secure" not in (await stored(office)).lower()
    plain = await office.intake().accept(submission(body=mail("Other"), protection=CODE))
    assert plain.deliveries[0].method == "tls"


async def test_the_second_look_knows_what_the_door_saw(office: Office) -> None:
    """Also after a trigger was taken out, and under rules that came later: what nobody looked at is unknown."""
    office.change(CLINIC, rules=(SECURE, Rule("large", size_over=100, warn=True)))
    body = mail("[secure] x")
    accepted = await office.intake().accept(submission(body=body, protection=CODE))
    (claim,) = await office.queue.claim(1)
    message = await office.queue.message(claim)
    snapshot = office.directory.snapshot(CLINIC)
    found = facts.for_claim(snapshot, Seen(), message, claim.record)
    assert (found.headers, found.size) == ((("subject", "[secure] x"),), len(body))
    decision = decide(found)
    assert isinstance(decision, Deliver)
    assert [s.method for s in decision.plan.steps] == [Method.PORTAL]
    assert decision.plan.warnings[0].rule == "large"
    office.change(CLINIC, rules=(ADDIN,))
    later = facts.for_claim(office.directory.snapshot(CLINIC), Seen(), message, claim.record)
    decision = decide(later)
    assert isinstance(decision, Deliver)
    assert decision.plan.floor is Assurance.MESSAGE, "the add-in's field was never looked for"
    assert accepted.deliveries[0].words.endswith("what is sent.")


async def test_direction_is_a_fact(office: Office) -> None:
    office.change(CLINIC, rules=(Rule("in", direction="internal", warn=True),))
    snapshot, _, about = office.intake()._read(submission())
    for address, expected in (("a@wards.clinic.test", Direction.INTERNAL), ("a@else.test", Direction.OUTBOUND)):
        assert facts.gather(snapshot, Seen(), about, address, Ternary.NO).direction is expected


async def test_a_reason_is_asked_for_kept_sealed_and_never_sent(office: Office) -> None:
    office.change(CLINIC, rules=(Rule("why", ask_reason=True),))
    with pytest.raises(Refused) as refused:
        await office.intake().accept(submission())
    assert refused.value.code == "reason-needed"
    body = mail(extra="X-Carepost-Reason: the insurer asked for it\r\n")
    accepted = await office.intake().accept(submission(body=body))
    assert accepted.deliveries[0].state == "queued"
    assert b"insurer" not in await stored(office)
    drained, _ = await office.queue.drain(0, 0)
    first = event.read(drained[0].event)
    assert "reason" in first.commit
    assert b"insurer" not in drained[0].event


async def test_the_apis_field_gives_a_reason_too_and_counts_before_the_header(office: Office) -> None:
    office.change(CLINIC, rules=(Rule("why", ask_reason=True),))
    given = msgspec.structs.replace(submission(), reason="The insurer\r\nasked for it")
    accepted = await office.intake().accept(given)
    assert accepted.deliveries[0].state == "queued"
    drained, _ = await office.queue.drain(0, 0)
    assert "reason" in event.read(drained[0].event).commit
    assert b"insurer" not in await stored(office) + drained[0].event


async def test_a_hold_for_approval_says_how_many(office: Office) -> None:
    office.change(CLINIC, rules=(Rule("two", action="approve", approvals=2, words="Ask the privacy officer."),))
    accepted = await office.intake().accept(submission())
    (one,) = accepted.deliveries
    assert (one.state, one.reason, one.rule) == ("held", "approval-needed", "two")
    assert one.words.endswith("Ask the privacy officer.")
    delivery = ids.parse(one.id)
    ask = office.queue.act
    own = await ask("release", CLINIC, (delivery,), Actor("staff", "quill"), "", ("nurse@clinic.test",))
    assert set(own.values()) == {"needs-another"}
    for person, state in (("ada", "held"), ("bob", "queued")):
        assert set((await ask("release", CLINIC, (delivery,), Actor("staff", person), "ok")).values()) == {state}
    (claim,) = await office.queue.claim(1)
    message = await office.queue.message(claim)
    snapshot = office.directory.snapshot(CLINIC)
    assert isinstance(decide(facts.for_claim(snapshot, Seen(), message, claim.record)), Deliver)
    stricter = Rule("two", action="approve", approvals=3)
    office.change(CLINIC, rules=(stricter,))
    decision = decide(facts.for_claim(office.directory.snapshot(CLINIC), Seen(), message, claim.record))
    assert isinstance(decision, Hold)
    assert decision.approvals == 3


ROUTES = (
    Rule("desk", recipient="jane.roe@verified.test", redirect="desk@wards.clinic.test"),
    Rule("record", recipient_domain="verified.test", copies=("record@clinic.test",), tags=("kept",)),
)


async def test_a_redirect_takes_the_place_and_a_copy_goes_beside(office: Office) -> None:
    """Law 2: one body, a delivery of its own for each; made by the rule, and on record as such."""
    office.change(CLINIC, rules=(BY_MAIL, *ROUTES))
    accepted = await office.intake().accept(
        submission("jane.roe@verified.test", "john.roe@verified.test", protection=CODE)
    )
    by_address = {one.recipient: one for one in accepted.deliveries}
    assert list(by_address) == ["desk@wards.clinic.test", "john.roe@verified.test", "record@clinic.test"]
    assert by_address["desk@wards.clinic.test"].words.startswith("The rule desk sends it here instead.")
    assert by_address["record@clinic.test"].words.startswith("A copy by the rule record.")
    claims = {c.record.recipient.address: c.record for c in await office.queue.claim(5)}
    assert claims["record@clinic.test"].recipient == Recipient("record@clinic.test", ("NEVER",))
    assert claims["john.roe@verified.test"].access.kind is Access.CODE
    assert claims["desk@wards.clinic.test"].access.kind is Access.NONE, "Jane's code opens nothing for others"
    drained, _ = await office.queue.drain(0, 0)
    events = [event.read(one.event) for one in drained]
    made = {e.facts["made-by"]: e for e in events if e.kind == kinds.DELIVERY_QUEUED and "made-by" in e.facts}
    assert {how: e.facts["made-by-rule"] for how, e in made.items()} == {"redirect": "desk", "copy": "record"}
    assert all("made-for" in e.commit for e in made.values())
    (claim,) = [c for c in claims.values() if c.made_by == "copy"]
    assert claim.plan is not None


async def test_what_a_copy_is_held_to_is_not_said_to_be_asked_by_the_message(office: Office) -> None:
    """Both go to the same domain with the same floor: the answer for one is not the answer for the other."""
    office.change(CLINIC, rules=(Rule("record", recipient_domain="verified.test", copies=("record@verified.test",)),))
    asked = Protection(Assurance.AUTHENTICATED)
    await office.intake().accept(submission("jane.roe@verified.test", protection=asked))
    claims = {c.record.recipient.address: c.record.plan for c in await office.queue.claim(5)}
    rules = {address: plan.floor_rule for address, plan in claims.items() if plan is not None}
    assert rules == {"jane.roe@verified.test": "asked-by-message", "record@verified.test": "original-recipient"}


async def test_what_is_refused_is_not_copied_and_what_rules_made_is_not_routed_again(office: Office) -> None:
    loop = Rule("loop", recipient="record@clinic.test", redirect="elsewhere@clinic.test")
    never = Rule("never", recipient="jane.roe@verified.test", action="refuse")
    office.change(CLINIC, rules=(never, ROUTES[1], loop))
    accepted = await office.intake().accept(submission("jane.roe@verified.test", "john.roe@else.test"))
    assert [one.recipient for one in accepted.deliveries] == ["jane.roe@verified.test", "john.roe@else.test"]
    accepted = await office.intake().accept(submission("jim.roe@verified.test"))
    assert [one.recipient for one in accepted.deliveries] == ["jim.roe@verified.test", "record@clinic.test"]
    assert all(one.state == State.QUEUED for one in accepted.deliveries)


async def test_a_copy_for_somebody_who_gets_it_anyway_is_none(office: Office) -> None:
    office.change(CLINIC, rules=ROUTES)
    accepted = await office.intake().accept(submission("john.roe@verified.test", "Record@clinic.test"))
    assert [one.recipient for one in accepted.deliveries] == ["john.roe@verified.test", "Record@clinic.test"]


async def test_the_preview_shows_what_rules_add(office: Office) -> None:
    office.change(CLINIC, rules=(BY_MAIL, *ROUTES))
    found = await office.intake().preview(submission())
    assert [one.recipient for one in found] == ["desk@wards.clinic.test", "record@clinic.test"]
    assert found[0].words.startswith("The rule desk sends it here instead.")


async def test_nothing_is_read_where_no_rule_asks(office: Office) -> None:
    intake = office.intake()
    snapshot, _, about = intake._read(submission())
    assert about == msgspec.structs.replace(about, headers=None, size=None, marks=(0, 0), routed=False)
    assert snapshot.rules == (BY_MAIL,)


async def test_the_callers_own_hold_is_not_loosened_by_a_rule_about_content(office: Office) -> None:
    phi = Rule("phi", levels=(Level.PHI_HIGH,), action="hold")
    office.change(CLINIC, rules=(BY_MAIL, phi))
    pending = await office.intake().accept(submission())
    assert (pending.deliveries[0].state, pending.deliveries[0].reason) == ("queued", "content-pending")
    held = await office.intake().accept(submission(body=mail("Other"), hold=("restored", "It waited.")))
    assert held.deliveries[0].state == "held"


async def test_a_preview_says_that_content_may_change_it(office: Office) -> None:
    phi = Rule("phi", levels=(Level.PHI_HIGH,), floor=Assurance.MESSAGE)
    office.change(CLINIC, rules=(BY_MAIL, phi))
    (one,) = await office.intake().preview(submission(protection=CODE))
    assert (one.method, one.policy) == ("portal", "v1")
    assert one.words.endswith("it is looked at before anything is sent.")
