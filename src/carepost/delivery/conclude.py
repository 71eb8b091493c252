"""What an attempt's end leads to: an outcome, the plan and the clock in, a settlement out. Pure.

An uncertain attempt binds its delivery: whatever comes after it, no other method is taken (law 6)."""

from collections.abc import Callable
from typing import Any, Final

import msgspec

from carepost.delivery import events, meaning
from carepost.delivery.courier import Carried
from carepost.delivery.events import About
from carepost.delivery.hops import Hops
from carepost.delivery.outcome import Lead, Outcome, outcome
from carepost.delivery.schedule import Schedule
from carepost.directory.types import PINNED_RULE
from carepost.ground import ids
from carepost.policy import holding
from carepost.policy.again import after, decide_again
from carepost.policy.types import Decision, Deliver, Facts, Hold, Method, Plan, Refuse, Step, label
from carepost.proof import kinds
from carepost.proof.commitments import scrub
from carepost.queue.types import DeliveryRecord, EventDraft, Settlement, Stage, State
from carepost.wire.types import AttemptView, Told

_encoder = msgspec.json.Encoder()
#: attempts shown; older ones are in the events
SHOWN: Final = 50
#: decisions that find no other method at all, and none a person could add: the method is tried again
_NO_OTHER: Final = frozenset({"no-method-left", "methods-conflict"})

#: said of a delivery that failed after an attempt nobody knows the end of
MAY_HAVE_ARRIVED: Final = " An earlier attempt may have arrived."

_METHOD_WORDS: Final = {
    Method.TLS: "a protected connection",
    Method.SMIME: "S/MIME",
    Method.OPENPGP: "OpenPGP",
    Method.PORTAL: "the secure portal",
}


class End(msgspec.Struct, frozen=True):
    """One attempt that is over."""

    about: About
    #: the record as it was claimed, with the plan that was carried out
    record: DeliveryRecord
    step: Step | None
    outcome: Outcome
    schedule: Schedule
    #: seconds before the plan's next method is taken for what may pass
    patience: int
    #: made only where a method is given up
    facts: Callable[[], Facts]
    carried: Carried | None = None
    hops: Hops | None = None
    #: commitments to what was sent
    values: dict[str, bytes] = {}
    #: events that go before
    events: tuple[EventDraft, ...] = ()
    #: 0..1
    jitter: float = 0.0
    #: facts: ids of the keys it was encrypted to and signed with
    used: dict[str, str] = {}
    #: microseconds since it was first due that count against nobody (`ways.Pace.not_counted`)
    not_counted: Callable[[], int] = int

    @property
    def plan(self) -> Plan | None:
        return self.record.plan


def conclude(end: End) -> Settlement:
    lead = end.outcome.lead
    if lead is Lead.SENT:
        return _sent(end)
    if lead is Lead.UNCERTAIN:
        return _uncertain(end)
    if lead is Lead.METHOD:
        return _give_up(end, end.outcome.otherwise)
    if lead is Lead.RETRY:
        first = end.record.first_due or ids.made_at(end.about.claim.message)
        waited, patience = end.about.now - first, end.patience * 1_000_000
        if waited >= patience and waited - end.not_counted() >= patience:
            return _give_up(end, Lead.RETRY, waited=True)
        return _again(end)
    return failed(end, end.outcome)


def _sent(end: End) -> Settlement:
    assert end.carried is not None
    worth = end.carried.worth
    assert worth is not None
    reached = events.reached(end.step, worth)
    record = _record(end, "sent", end.outcome.words, assurance=reached, last_achieved=worth)
    event = _event(end, kinds.DELIVERY_SENT, State.SENT, record, values=end.values, facts=end.used or None)
    return Settlement(State.SENT, record, events=(*end.events, event))


def _uncertain(end: End) -> Settlement:
    """May have arrived: again by this method only, under the same Message-ID, until its time is over."""
    method = end.step.method if end.step is not None else Method.TLS
    due = end.schedule.next(end.about.claim.attempt, end.about.now, end.jitter)
    over = due >= _over_at(end)
    result = "failed" if over else "uncertain"
    words = f"{end.outcome.words} It is sent again in the same way."
    if over:
        words = f"The time allowed is over.{MAY_HAVE_ARRIVED}"
    record = _record(end, result, words, uncertain=True, bound_to=method, **_reached(end))
    state = State.FAILED if over else State.DEFERRED
    event = _event(
        end, kinds.DELIVERY_UNCERTAIN, state, record, values=end.values, result="uncertain", facts=end.used or None
    )
    made = (*end.events, event)
    if over:
        final = outcome(Lead.FAILED, "expired-in-queue")
        made = (*made, _event(end, kinds.DELIVERY_FAILED, state, record, result="failed", cause=final.reason))
    return Settlement(state, record, 0 if over else due, made)


def _give_up(end: End, otherwise: Lead, *, waited: bool = False) -> Settlement:
    """The plan's next method at once; `otherwise` where there is none. `waited`: patience is over, nothing is amiss
    that could not pass: the method is given up for another one only, never for a hold."""
    if end.record.bound_to is not None or end.step is None:
        return _again(end) if otherwise is Lead.RETRY else failed(end, end.outcome)
    achieved = end.carried.achieved if end.carried is not None else None
    facts = after(end.facts(), end.step.method, achieved)
    decision = decide_again(end.plan, facts)
    if isinstance(decision, Deliver) and decision.plan.steps[0].method not in facts.exhausted:
        return _changed(end, decision.plan, facts)
    if waited or isinstance(decision, Deliver) or (isinstance(decision, Hold) and _no_other(decision)):
        return _again(end) if otherwise is Lead.RETRY else failed(end, end.outcome)
    # What was given up is not kept: a person who releases it wants it tried again, from the first method on.
    return stopped(end, decision)


def _no_other(decision: Hold) -> bool:
    """A pin with "else hold" is a person's decision: it is held at once, not tried for days."""
    return decision.reason in _NO_OTHER and decision.rule != PINNED_RULE


def _changed(end: End, plan: Plan, facts: Facts) -> Settlement:
    assert end.step is not None
    chosen = plan.steps[0]
    words = f"{end.outcome.words} The message goes another way: {_METHOD_WORDS[chosen.method]}."
    record = _record(
        end,
        "next-method",
        words,
        plan=plan,
        step=0,
        exhausted=facts.exhausted,
        reason=plan.reason,
        rule=chosen.rule,
        shown=plan.words,
        **_reached(end),
    )
    given = {"from-method": end.step.method._value_, "method": chosen.method._value_}
    event = _event(end, kinds.DELIVERY_METHOD_CHANGED, State.QUEUED, record, facts=given)
    return Settlement(State.QUEUED, record, end.about.now, (*end.events, event))


def _again(end: End) -> Settlement:
    """Later, by the same method; failed where that would be after its time."""
    due = end.schedule.next(end.about.claim.attempt, end.about.now, end.jitter)
    if due >= _over_at(end):
        return failed(end, outcome(Lead.FAILED, "expired-in-queue"))
    record = _record(end, "deferred", f"{end.outcome.words} It is tried again.", **_reached(end))
    event = _event(end, kinds.DELIVERY_DEFERRED, State.DEFERRED, record, result="deferred")
    return Settlement(State.DEFERRED, record, due, (*end.events, event))


def failed(end: End, why: Outcome) -> Settlement:
    words = why.words if why is end.outcome or why == end.outcome else f"{why.words} {end.outcome.words}"
    if end.record.bound_to is not None:
        words += MAY_HAVE_ARRIVED
    record = _record(end, "failed", words, reason=why.reason, **_reached(end))
    event = _event(end, kinds.DELIVERY_FAILED, State.FAILED, record, result="failed", cause=why.reason)
    return Settlement(State.FAILED, record, events=(*end.events, event))


def stopped(end: End, decision: Decision) -> Settlement:
    """The decision says Hold (a person has to do something) or Refuse."""
    assert isinstance(decision, Hold | Refuse)
    held = isinstance(decision, Hold)
    state = State.HELD if held else State.FAILED
    said = end.outcome.words if end.carried is not None or end.outcome.lead is Lead.METHOD else ""
    record = _record(
        end,
        "held" if held else "refused",
        f"{said} {decision.words}".strip(),
        reason=decision.reason,
        rule=decision.rule,
        shown=decision.words,
        approvals=decision.approvals if isinstance(decision, Hold) else 0,
        held_until=holding.until(decision, end.about.now) if isinstance(decision, Hold) else 0,
        held_then=holding.then(decision) if isinstance(decision, Hold) else "",
        **_reached(end),
    )
    kind = kinds.DELIVERY_HELD if held else kinds.DELIVERY_REFUSED
    event = _event(
        end,
        kind,
        state,
        record,
        result="held" if held else "refused",
        cause=decision.reason,
        facts={"rule": decision.rule},
    )
    return Settlement(state, record, events=(*end.events, event))


def ended(end: End) -> Settlement:
    """What was held is not sent: a person refused it, or nobody released it in time. The report says so."""
    why = end.record.refused
    words = holding.ends(why, end.record.note)
    record = _record(end, "refused", words, reason=why)
    event = _event(end, kinds.DELIVERY_REFUSED, State.FAILED, record, result="refused", cause=why)
    return Settlement(State.FAILED, record, events=(*end.events, event))


def deposited(end: End, values: dict[str, bytes], access: str) -> Settlement:
    """The portal: nothing went over a network; the journal lays it in and tells the recipient."""
    assert end.step is not None
    reached = label(end.step.floor, Method.PORTAL)
    record = _record(end, "deposited", end.outcome.words, assurance=reached)
    event = _event(
        end,
        kinds.DELIVERY_DEPOSITED,
        State.DEPOSITED,
        record,
        values=values,
        facts={"access": access, "achieved": reached},
    )
    return Settlement(State.DEPOSITED, record, events=(*end.events, event))


def as_test(end: End, *, rule: str = "") -> Settlement:
    """A test: it got as far as the wire, or would have been held; nothing was sent."""
    changes: dict[str, Any] = {"rule": rule} if rule else {}
    record = _record(end, "tested", end.outcome.words, **changes)
    event = _event(end, kinds.DELIVERY_TESTED, State.TESTED, record, facts=changes)
    return Settlement(State.TESTED, record, events=(*end.events, event))


def postponed(about: About, due_at: int, cause: str) -> Settlement:
    """Nothing was done: the office could not be read, or an error of ours came between. Not an attempt."""
    facts = events.step_facts(about.claim, None, State.DEFERRED.value)
    event = about.make(kinds.DELIVERY_DEFERRED, facts=facts, cause=cause, result="deferred")
    return Settlement(State.DEFERRED, about.claim.record, due_at, (event,))


def unreadable(about: About) -> Settlement:
    """Law 12: what does not open is held, with the reason, and a person decides."""
    words = "The message or its keys cannot be opened. It is held until somebody has looked at it."
    record = msgspec.structs.replace(about.claim.record, reason="cannot-be-opened", words=words)
    facts = events.step_facts(about.claim, None, State.HELD.value)
    event = about.make(kinds.DELIVERY_HELD, facts=facts, cause="cannot-be-opened", result="held")
    return Settlement(State.HELD, record, events=(event,))


def replanned(end: End, plan: Plan) -> Settlement:
    """A way was decided, the first or another one: on record before it is carried out, so that a crash in the middle of
    the attempt is judged by the method that was under way. Nothing was tried yet, so no attempt counts."""
    record = msgspec.structs.replace(
        end.record, plan=plan, step=0, reason=plan.reason, words=plan.words, rule=plan.rule
    )
    made = (*end.events, plan_changed(end.about, end.step, plan))
    return Settlement(State.QUEUED, record, end.about.now, made, attempted=False)


def plan_changed(about: About, before: Step | None, plan: Plan) -> EventDraft:
    facts = events.step_facts(about.claim, plan.steps[0], State.QUEUED.value)
    if before is not None:
        facts["from-method"] = before.method._value_
    return about.make(kinds.DELIVERY_PLAN_CHANGED, facts=facts, cause=plan.reason, plan=plan)


def _reached(end: End) -> dict[str, Any]:
    """`last_achieved`, where something was measured."""
    if end.carried is None or end.carried.achieved is None:
        return {}
    return {"last_achieved": end.carried.achieved}


def _over_at(end: End) -> int:
    first = end.record.first_due or ids.made_at(end.about.claim.message)
    return end.schedule.ends(first + end.not_counted(), end.record.expires_at)


def _record(
    end: End, result: str, words: str, *, uncertain: bool = False, shown: str = "", **changes: Any
) -> DeliveryRecord:
    """The record with this attempt in it. `shown`: what the delivery says of itself, else `words`."""
    view = _view(end, result, words, uncertain)
    changed = {"reason": end.outcome.reason} | changes
    return msgspec.structs.replace(
        end.record, attempts=(*end.record.attempts, view)[-SHOWN:], words=shown or words, **changed
    )


def _view(end: End, result: str, words: str, uncertain: bool) -> AttemptView:
    carried, step, about = end.carried, end.step, end.about
    method = step.method if step is not None else None
    achieved = reply = mx = tls = ""
    stage = Stage.PLAN if method is not Method.PORTAL else Stage.DEPOSIT
    if carried is not None:
        stage = carried.ended.stage
        mx = carried.host
        worth = carried.worth
        if worth is not None:
            achieved = events.reached(step, worth)
            tls = "none"
        if carried.handshake is not None:
            tls = f"{carried.handshake.version} {carried.handshake.cipher}"
        if carried.ended.reply is not None:
            reply = scrub(carried.ended.reply.text, end.record.recipient.address)
    elif method is Method.PORTAL and step is not None:
        achieved = label(step.floor, method)
    return AttemptView(
        number=about.claim.attempt,
        at=about.now,
        method=method._value_ if method is not None else "",
        required=events.required(step, end.plan),
        achieved=achieved,
        stage=stage._value_,
        result=result,
        reason=end.outcome.reason,
        words=words,
        reply=reply,
        mx=mx,
        tls=tls,
        uncertain=uncertain,
    )


def _event(
    end: End,
    kind: str,
    state: State,
    record: DeliveryRecord,
    *,
    result: str = "ok",
    cause: str = "",
    facts: dict[str, str] | None = None,
    values: dict[str, bytes] | None = None,
) -> EventDraft:
    said = events.step_facts(end.about.claim, end.step, state._value_)
    attempt = record.attempts[-1].words if record.attempts else ""
    given = {**(values or {}), "words": _encoder.encode(Told(record.words, attempt))}
    if state in (State.FAILED, State.DEFERRED):
        said |= meaning.facts(end.outcome, end.carried)
    if end.carried is not None:
        said |= events.wire_facts(end.carried, end.hops, end.step)
        given |= events.wire_values(end.carried, end.hops, end.record.recipient.address)
    return end.about.make(
        kind,
        facts=said | (facts or {}),
        values=given,
        result=result,
        cause=cause or end.outcome.reason,
        plan=end.record.plan,
    )
