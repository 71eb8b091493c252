"""A message as its events tell it: rebuilt on view, so that the journal writes little. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec

from carepost.ground import ids
from carepost.proof import kinds
from carepost.proof.commitments import Wire
from carepost.proof.event import Event
from carepost.wire.types import AttemptView, DeliveryView, HistoryRecord, LookView, MessageView, NoteView, Told

Openings = Mapping[str, tuple[bytes, bytes]]

_told = msgspec.json.Decoder(Told)
_wire = msgspec.json.Decoder(Wire)

#: state of a delivery after an event that does not name one
STATES: Final = {
    kinds.DELIVERY_QUEUED: "queued",
    kinds.DELIVERY_HELD: "held",
    kinds.DELIVERY_REFUSED: "failed",
    kinds.DELIVERY_APPROVED: "held",
    kinds.DELIVERY_RELEASED: "queued",
    kinds.DELIVERY_ACCESS_AGREED: "queued",
    kinds.DELIVERY_RETRIED: "queued",
    kinds.DELIVERY_DEFERRED: "deferred",
    kinds.DELIVERY_SENT: "sent",
    kinds.DELIVERY_DEPOSITED: "deposited",
    kinds.DELIVERY_UNCERTAIN: "deferred",
    kinds.DELIVERY_FAILED: "failed",
    kinds.DELIVERY_TESTED: "tested",
    kinds.PORTAL_OPENED: "opened",
    kinds.PORTAL_EXPIRED: "expired",
    kinds.DELIVERY_RETRACTED: "retracted",
}
#: cause of a refusal because of the suppression list: to people it is a state of its own, nothing was sent
SUPPRESSED: Final = "suppressed"
#: the same of one that was taken back, by the reason its shard gives
RETRACTED: Final = "retracted"
#: these say what they were before: the state after them is the one above
_NAMED_BEFORE: Final = frozenset({kinds.DELIVERY_RETRACTED, kinds.PORTAL_OPENED, kinds.PORTAL_EXPIRED})
#: an attempt's end -> what its line says
_ENDS: Final = {
    kinds.DELIVERY_SENT: "sent",
    kinds.DELIVERY_DEPOSITED: "deposited",
    kinds.DELIVERY_DEFERRED: "deferred",
    kinds.DELIVERY_UNCERTAIN: "uncertain",
    kinds.DELIVERY_FAILED: "failed",
    kinds.DELIVERY_TESTED: "tested",
    kinds.DELIVERY_METHOD_CHANGED: "next-method",
    kinds.DELIVERY_HELD: "held",
    kinds.DELIVERY_REFUSED: "refused",
}
#: beginnings of the kinds that a delivery's course is told by
_TOLD_OF: Final = ("delivery.", "portal.", "tracking.", kinds.DESTINATION_WEAKENED)
#: what is told of a delivery besides its attempts
_NOTED: Final = frozenset({
    kinds.DELIVERY_RELEASED, kinds.DELIVERY_RETRIED, kinds.DELIVERY_RETRACTED, kinds.DELIVERY_APPROVED,
    kinds.DELIVERY_TURNED_DOWN, kinds.DELIVERY_TIME_OVER, kinds.DELIVERY_PLAN_CHANGED, kinds.DELIVERY_INSPECTED,
    kinds.DELIVERY_BOUNCED, kinds.DELIVERY_COMPLAINED, kinds.DELIVERY_REPORTED, kinds.DELIVERY_HELD_BACK,
    kinds.FORWARD_RETURNED, kinds.DELIVERY_ACCESS_AGREED, kinds.PORTAL_NOTIFIED,
    kinds.PORTAL_CODE_SENT, kinds.PORTAL_ACCESS_FAILED, kinds.PORTAL_LOCKED, kinds.PORTAL_OPENED, kinds.PORTAL_VIEWED,
    kinds.PORTAL_DOWNLOADED, kinds.PORTAL_REPLIED, kinds.PORTAL_EXPIRED, kinds.PORTAL_HELP_ASKED,
    kinds.PORTAL_DISOWNED, kinds.PORTAL_DELETED, kinds.PORTAL_NOTICE_FAILED, kinds.PORTAL_REPLY_FAILED,
})  # fmt: skip
#: who looked at a message
_LOOKED: Final = frozenset({
    kinds.MESSAGE_VIEWED, kinds.MESSAGE_LISTED, kinds.MESSAGE_SEARCHED, kinds.PROOF_EXPORTED,
})  # fmt: skip
#: looks of one message that are told, the newest
LOOKS: Final = 100
_REACHED: Final = frozenset({kinds.DELIVERY_SENT, kinds.DELIVERY_DEPOSITED, kinds.PORTAL_OPENED})


def state_after(event: Event) -> str:
    """ "" where the event changes nothing of the state."""
    named = event.kind in _NAMED_BEFORE or "state" not in event.facts
    state = STATES.get(event.kind, "") if named else event.facts["state"]
    return "suppressed" if state == "failed" and event.cause == SUPPRESSED else state


def assurance_after(event: Event) -> str:
    return event.facts.get("achieved", "") if event.kind in _REACHED else ""


def engaged_after(event: Event) -> tuple[str, str]:
    """(opened, clicked) as `DeliveryView` has them; "" where the event says nothing of it."""
    if event.kind == kinds.DELIVERY_SENT:
        watched = event.facts.get("tracked", "").split()
        return "no" if "opens" in watched else "", "no" if "clicks" in watched else ""
    if event.kind.startswith("tracking."):
        return event.facts.get("opened", ""), event.facts.get("clicked", "")
    return "", ""


def message(
    org: bytes,
    message_id: bytes,
    *,
    at: int,
    origin: str,
    category: str,
    size: int,
    header: HistoryRecord | None,
    told: Sequence[tuple[Event, Openings]],
) -> MessageView:
    """`told`: the events about the message in the log's order, each with what is personal of it. `header`: None after
    disposal."""
    text = ids.text(message_id)
    courses: dict[str, _Course] = {}
    looked = [
        LookView(event.at, event.kind, f"{event.actor.kind}:{event.actor.id}")
        for event, _ in told
        if event.kind in _LOOKED
    ]
    again = [event.on for event, _ in told if event.kind == kinds.MESSAGE_RESENT and len(event.on) == 2]
    for event, openings in told:
        if text not in event.on or not event.kind.startswith(_TOLD_OF):
            continue
        for on in event.on:
            if on != text:
                courses.setdefault(on, _Course(on)).take(event, openings)
    return MessageView(
        id=text,
        org=ids.text(org),
        at=at,
        sender=header.sender if header else "",
        subject=header.subject if header else "",
        message_id=header.message_id if header else "",
        origin=origin,
        category=category,
        size=size,
        deliveries=tuple(course.view() for course in courses.values()),
        looked=tuple(looked[-LOOKS:]),
        resent_as=tuple(dict.fromkeys(on[1] for on in again if on[0] == text)),
        resends=next((on[0] for on in again if on[1] == text), ""),
    )


def returned(view: DeliveryView, events: Iterable[Event]) -> DeliveryView:
    """With the reports about its forwarded copy: their events name the delivery alone."""
    came = [NoteView(event.at, event.kind, event.cause) for event in events if event.kind == kinds.FORWARD_RETURNED]
    return msgspec.structs.replace(view, notes=(*view.notes, *came)) if came else view


class _Course:
    """One delivery, event by event."""

    def __init__(self, id_: str) -> None:
        self._id = id_
        self._recipient = ""
        self._state = self._method = self._assurance = self._reason = self._words = self._rule = ""
        self._content = self._tags = self._opened = self._clicked = ""
        self._attempts: list[AttemptView] = []
        self._notes: list[NoteView] = []

    def take(self, event: Event, openings: Openings) -> None:
        if event.kind == kinds.DESTINATION_WEAKENED:
            self._notes.append(NoteView(event.at, event.kind, event.cause))
            return
        facts = event.facts
        held_later = event.kind == kinds.DELIVERY_HELD and "attempt" not in facts
        if event.kind in _NOTED or held_later:
            cause = facts.get("bounce") or facts.get("reported") or facts.get("exception") or event.cause
            until = facts.get("tries-until", "")
            self._notes.append(NoteView(event.at, event.kind, cause, until, _detail(event)))
        said = _read(_told, openings, "words")
        if "recipient" in openings:
            self._recipient = openings["recipient"][1].decode("utf-8", "replace")
        self._state = state_after(event) or self._state
        if event.kind.startswith("delivery."):
            self._method = facts.get("method") or self._method
            self._rule = facts.get("rule") or self._rule
            self._content = facts.get("content") or self._content
            self._tags = facts.get("tags") or self._tags
            self._reason = event.cause or self._reason
            if event.kind == kinds.DELIVERY_BOUNCED:
                self._reason = facts.get("bounce", self._reason)
            if said is not None and said.delivery:
                self._words = said.delivery
        self._assurance = assurance_after(event) or self._assurance
        opened, clicked = engaged_after(event)
        self._opened, self._clicked = opened or self._opened, clicked or self._clicked
        if event.kind in _ENDS and "attempt" in facts:
            self._end(event, openings, said.attempt if said is not None else "")

    def _end(self, event: Event, openings: Openings, words: str) -> None:
        facts, number = event.facts, int(event.facts["attempt"])
        wire = _read(_wire, openings, "wire") or Wire()
        method = facts.get("from-method") or facts.get("method", "")
        view = AttemptView(
            number=number,
            at=event.at,
            method=method,
            required=facts.get("required", ""),
            achieved=facts.get("achieved", ""),
            stage=facts.get("stage") or ("deposit" if method == "portal" else "plan"),
            result=_ENDS[event.kind],
            reason=event.cause,
            words=words,
            reply=wire.reply,
            mx=wire.mx,
            tls=" ".join(word for word in (facts.get("tls", ""), facts.get("cipher", "")) if word),
            uncertain=event.kind == kinds.DELIVERY_UNCERTAIN,
        )
        if self._attempts and self._attempts[-1].number == number and self._attempts[-1].uncertain:
            # an uncertain attempt whose time was over fails in the same breath
            view = msgspec.structs.replace(self._attempts[-1], result=view.result)
            self._attempts.pop()
        self._attempts.append(view)

    def view(self) -> DeliveryView:
        return DeliveryView(
            id=self._id,
            recipient=self._recipient,
            state=self._state,
            method=self._method,
            assurance=self._assurance,
            reason=self._reason,
            words=self._words,
            rule=self._rule,
            due_at=0,
            attempts=tuple(self._attempts),
            notes=tuple(self._notes),
            content=self._content,
            tags=tuple(self._tags.split()),
            opened=self._opened,
            clicked=self._clicked,
        )


def _detail(event: Event) -> str:
    """As `NoteView.detail`."""
    if event.kind == kinds.DELIVERY_TIME_OVER:
        return event.result
    if event.kind == kinds.DELIVERY_INSPECTED:
        return event.facts.get("tags", "")
    return event.facts.get("from-method", "") if event.kind == kinds.DELIVERY_PLAN_CHANGED else ""


def _read(decoder: "msgspec.json.Decoder[Any]", openings: Openings, field: str) -> Any:
    found = openings.get(field)
    if found is None:
        return None
    try:
        return decoder.decode(found[1])
    except msgspec.MsgspecError:
        return None
