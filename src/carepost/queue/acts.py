"""What a person may do with a delivery that waits: hold, release, agree on an access code, refuse, retry, retract.
Pure: a row in, a row out.

A refusal is not the end yet: the next attempt makes it one, and owes the sender its report (`delivery.refused`)."""

from typing import Final

import msgspec

from carepost.ground.errors import Refused
from carepost.policy.holding import BY_REVIEWER, ENDS, TOO_LONG
from carepost.policy.holding import RELEASE as LET_GO
from carepost.policy.types import Access, Assurance, Method, label
from carepost.proof import kinds
from carepost.queue.types import DeliveryRecord, MessageRecord, State
from carepost.wire.types import AccessProof, Actor

HOLD: Final = "hold"
RELEASE: Final = "release"
RETRY: Final = "retry"
RETRACT: Final = "retract"
REFUSE: Final = "refuse"
#: gives what opens it in the portal to a delivery that waits for that alone
AGREE: Final = "agree"
AWAITS_CODE: Final = "needs-access-code"
#: what waits until somebody decides which key of the recipient's holds; then it is tried again, and not released
KEY_CHANGED: Final = "key-changed"

#: verb -> (event kind, states it is possible in, state it leads to)
_VERBS: Final = {
    HOLD: (kinds.DELIVERY_HELD, (State.QUEUED, State.DEFERRED), State.HELD),
    RELEASE: (kinds.DELIVERY_RELEASED, (State.HELD,), State.QUEUED),
    REFUSE: (kinds.DELIVERY_TURNED_DOWN, (State.HELD,), State.QUEUED),
    AGREE: (kinds.DELIVERY_ACCESS_AGREED, (State.HELD,), State.QUEUED),
    RETRY: (kinds.DELIVERY_RETRIED, (State.QUEUED, State.DEFERRED), State.QUEUED),
    RETRACT: (kinds.DELIVERY_RETRACTED, (State.QUEUED, State.DEFERRED, State.HELD), State.FAILED),
}
_REASONS: Final = {
    HOLD: ("held-by-person", "A person holds this delivery; it waits until it is released."),
    RETRACT: ("retracted", "The delivery was taken back before it left."),
}


_NOBODY: Final = Actor("", "")


class Wish(msgspec.Struct, frozen=True):
    """What goes with an act. A release may ask for more protection, never for less; `note`: a refusal's, for its
    sender; `access`: what was agreed with the recipient; `approvers`: as wire.doors.Act."""

    minimum: Assurance | None = None
    methods: tuple[Method, ...] = ()
    note: str = ""
    access: AccessProof = AccessProof()
    approvers: tuple[str, ...] | None = None

    def told(self) -> dict[str, str]:
        """As facts of the event."""
        said = {}
        if self.minimum is not None:
            said["asked-minimum"] = label(self.minimum, self.methods[0] if len(self.methods) == 1 else None)
        if self.methods:
            said["asked-methods"] = " ".join(self.methods)
        if self.access.kind is not Access.NONE:
            said["access"] = self.access.kind.value
        return said


NO_WISH: Final = Wish()


class Act(msgspec.Struct, frozen=True):
    kind: str
    state: State
    record: DeliveryRecord


def barred(verb: str, state: str, record: DeliveryRecord, actor: Actor, own: bool) -> bool:
    """Whether this release needs somebody else: people approve, not the sender (`own`), and each of them once."""
    if verb != RELEASE or state != State.HELD or not record.approvals:
        return False
    return actor.kind != "staff" or own or _by(actor) in record.approved


def own(record: DeliveryRecord, message: MessageRecord, actor: Actor, also: tuple[str, ...]) -> bool:
    """Whether it is the actor's own message. `also`: what else they are known by."""
    names = {one.lower() for one in (record.sender, message.header_from, message.sender) if one}
    names.add(f"{message.actor.kind}:{message.actor.id}".lower())
    mine = {one.lower() for one in (*also, f"{actor.kind}:{actor.id}")}
    return bool(names & mine)


def act(
    verb: str, state: str, record: DeliveryRecord, actor: Actor = _NOBODY, wish: Wish = NO_WISH, now: int = 0
) -> Act | None:
    """None: not possible in this state (an attempt is under way, or it is over). Raises Refused for another verb.

    `actor` counts where a delivery waits for approval; `barred` was asked before."""
    found = _VERBS.get(verb)
    if found is None:
        raise Refused("unknown-verb", "What can be done is: hold, release, agree, refuse, retry, retract.", status=422)
    kind, possible, target = found
    decided = verb == RETRY and state == State.HELD and record.reason == KEY_CHANGED and not record.approvals
    if not (decided or state in possible) or (verb == AGREE and not _awaits(record, wish.access)):
        return None
    record = msgspec.structs.replace(record, last_verb=verb, last_by=_by(actor), last_at=now)
    if verb in _REASONS:
        reason, words = _REASONS[verb]
        record = msgspec.structs.replace(record, reason=reason, words=words, held_until=0, held_then="")
    if verb == REFUSE:
        return Act(kind, target, _turned_down(record, BY_REVIEWER, wish.note))
    if verb == AGREE:
        return Act(kind, target, _agreed(record, wish.access, now))
    if decided:
        return Act(kind, target, _looked_anew(record, now))
    if verb == RELEASE:
        raised = _raised(record, wish)
        if raised is None:
            return None
        return _approve(raised, actor, wish, now) if raised.approvals else Act(kind, target, _let_go(raised, now))
    return Act(kind, target, record)


def time_over(record: DeliveryRecord, now: int) -> DeliveryRecord:
    """What becomes of one that nobody acted on in time."""
    if record.held_then == LET_GO and not record.approvals:
        said = {"reason": "released", "words": "Its time is over; how it goes is decided at the attempt."}
        return msgspec.structs.replace(
            record, waited=True, held_until=0, held_then="", first_due=_anew(record, now), **(_planned(record) or said)
        )
    return _turned_down(record, TOO_LONG, "")


def _turned_down(record: DeliveryRecord, why: str, note: str) -> DeliveryRecord:
    return msgspec.structs.replace(
        record, refused=why, note=note, reason=why, words=ENDS[why], held_until=0, held_then=""
    )


def _awaits(record: DeliveryRecord, access: AccessProof) -> bool:
    """Whether a code is what it waits for, and one is given. What waits for approval waits for that first."""
    return record.reason == AWAITS_CODE and not record.approvals and access.kind is not Access.NONE


def _agreed(record: DeliveryRecord, access: AccessProof, now: int) -> DeliveryRecord:
    """It goes on as the rules say at the attempt; rules that hold apply as before: this is no release."""
    said = {"reason": "access-agreed", "words": "An access code was agreed; how it goes is decided at the attempt."}
    return msgspec.structs.replace(
        record, access=access, held_until=0, held_then="", first_due=_anew(record, now), **(said | _planned(record))
    )


def _looked_anew(record: DeliveryRecord, now: int) -> DeliveryRecord:
    """Decided again at the attempt, under all rules: where the key still differs it is held once more."""
    said = {
        "reason": "key-decided",
        "words": "Somebody decided which key holds; how it goes is decided at the attempt.",
    }
    said |= _planned(record)
    return msgspec.structs.replace(record, held_until=0, held_then="", first_due=_anew(record, now), **said)


def _let_go(record: DeliveryRecord, now: int) -> DeliveryRecord:
    return msgspec.structs.replace(
        record, released=True, held_until=0, held_then="", first_due=_anew(record, now), **_without_hold(record)
    )


def _anew(record: DeliveryRecord, now: int) -> int:
    """When its time begins to run: what waited for a person, a week perhaps, was tried by nobody meanwhile."""
    return max(record.first_due, now)


def _raised(record: DeliveryRecord, wish: Wish) -> DeliveryRecord | None:
    """With what the one who releases it asks on top. None: it would widen what the message itself allows."""
    methods = wish.methods or record.asked_methods
    if record.asked_methods and not set(methods) <= set(record.asked_methods):
        return None
    floor = max((one for one in (record.asked_floor, wish.minimum) if one is not None), default=None)
    return msgspec.structs.replace(record, asked_methods=methods, asked_floor=floor)


def _approve(record: DeliveryRecord, actor: Actor, wish: Wish, now: int) -> Act:
    """One more has approved. The last one lets it go; what else a rule asks is asked at the attempt. An approval stands
    as long as its giver may approve: who left, or lost the right, before the last one was given counts no more."""
    before = tuple(one for one in record.approved if wish.approvers is None or one in wish.approvers)
    approved = (*before, _by(actor))
    if len(approved) < record.approvals:
        words = f"{len(approved)} of {record.approvals} people have approved this. It waits for another."
        if len(before) < len(record.approved):
            words += " An approval of somebody who may not approve any more does not count."
        waiting = msgspec.structs.replace(record, approved=approved, words=words)
        return Act(kinds.DELIVERY_APPROVED, State.HELD, waiting)
    record = msgspec.structs.replace(
        record, approved=approved, approvals=0, held_until=0, held_then="", first_due=_anew(record, now)
    )
    words = "Approved; how it goes is decided at the attempt."
    return Act(kinds.DELIVERY_RELEASED, State.QUEUED, msgspec.structs.replace(record, reason="approved", words=words))


def _by(actor: Actor) -> str:
    return f"{actor.kind}:{actor.id}"


def _without_hold(record: DeliveryRecord) -> dict[str, str]:
    """What the delivery says of itself while it waits for its next attempt."""
    said = {"reason": "released", "words": "A person released this delivery; how it goes is decided at the attempt."}
    return _planned(record) or said


def _planned(record: DeliveryRecord) -> dict[str, str]:
    """The same where there is a plan."""
    plan = record.plan
    return {"reason": plan.reason, "words": plan.words, "rule": plan.rule} if plan is not None else {}
