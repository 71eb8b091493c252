"""One recipient's course in words: what was required, seen, chosen and answered, in order of time."""

from collections.abc import Callable
from typing import Final

import msgspec

from carepost.console import words
from carepost.mailbox.course import Course
from carepost.policy import explain, holding
from carepost.proof import kinds
from carepost.review.words import THEN
from carepost.wire import bounces
from carepost.wire.pacing import HeldBack
from carepost.wire.types import AttemptView, DeliveryView, MessageView, NoteView


class Entry(msgspec.Struct, frozen=True):
    """`tone`: good | wait | bad | plain. `facts`: (name, value) pairs. `reply`: the remote server's words."""

    at: int
    heading: str
    tone: str
    texts: tuple[str, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()
    reply: str = ""


class Line(msgspec.Struct, frozen=True):
    """Everything the page says of one delivery."""

    id: str
    recipient: str
    mark: words.Mark
    method: str
    assurance: str
    assurance_words: str
    why: str
    rule: str
    due_at: int
    entries: tuple[Entry, ...]
    may_release: bool
    may_hold: bool
    may_retry: bool
    may_retract: bool
    held_back: HeldBack | None = None
    #: held: until when and what then, in words; 0 and "": without end, or not held
    until: int = 0
    then: str = ""
    #: what `method` is: how it went, or only how it is to go
    way: str = "Protection"


#: state -> what the method is, where nothing has reached the other side by it
_WAYS: Final = {
    "queued": "Expected way", "claimed": "Expected way", "deferred": "Expected way", "held": "Way chosen, not taken",
    "failed": "Way tried", "suppressed": "Way chosen, not taken", "tested": "Way chosen, not taken",
}  # fmt: skip
#: what is over without a way is not "nothing yet"
_LED_TO: Final = frozenset({kinds.DELIVERY_INSPECTED, kinds.DELIVERY_PLAN_CHANGED})
_ENDED: Final = frozenset({"failed", "suppressed"})
_IN_PORTAL = frozenset({"deposited", "opened", "expired", "retracted"})


def line(delivery: DeliveryView, course: Course | None, accepted_at: int) -> Line:
    # the portal's own row knows more than the log, which lags behind it by moments
    state = course.state if course is not None and delivery.state in _IN_PORTAL else delivery.state
    notes = _beside(delivery)
    # events of one attempt have one time: what led to its end stands before it
    told = [_note(note) for note in notes if note.kind in _LED_TO]
    told += map(_attempt, delivery.attempts)
    told += [_note(note) for note in notes if note.kind not in _LED_TO]
    entries = sorted([*told, *_portal(course)], key=lambda e: e.at)
    return Line(
        id=delivery.id,
        recipient=delivery.recipient,
        mark=words.state(state),
        method=words.method(delivery.method) if delivery.method or state not in _ENDED else "none",
        way=_WAYS.get(state, "Protection"),
        assurance=_reached(delivery, course),
        assurance_words=_assured(_reached(delivery, course), opened=state not in ("open", "deposited")),
        why=delivery.words,
        rule=delivery.rule,
        due_at=delivery.due_at if delivery.state in ("queued", "deferred") and delivery.held_back is None else 0,
        held_back=delivery.held_back if delivery.state in ("queued", "deferred") else None,
        until=delivery.until,
        then=THEN.get(delivery.then, ""),
        entries=(_decided(delivery, accepted_at), *entries, *_waiting(delivery)),
        may_release=delivery.state == "held",
        may_hold=delivery.state in ("queued", "deferred"),
        may_retry=delivery.state == "deferred",
        may_retract=delivery.state in ("queued", "deferred", "held") or state in ("open", "opened"),
    )


def _beside(delivery: DeliveryView) -> list[NoteView]:
    return [note for note in delivery.notes if not note.kind.startswith(_TOLD_BY_PORTAL)]


def _reached(delivery: DeliveryView, course: Course | None) -> str:
    return (course.assurance if course is not None else "") or delivery.assurance


def _assured(assurance: str, *, opened: bool) -> str:
    known = words.assurance(assurance)
    return known if opened or not known else f"once it is opened: {known}"


def _decided(delivery: DeliveryView, accepted_at: int) -> Entry:
    if _held_at_the_door(delivery):
        return Entry(accepted_at, "Accepted", "plain")
    first = _required(delivery.attempts[0]) if delivery.attempts else ""
    known = words.assurance(first)
    facts = [("Required", f"{first}: {known}" if known else first)] if first else []
    return Entry(accepted_at, "Accepted, and a way decided", "plain", (), tuple(facts))


def _held_at_the_door(delivery: DeliveryView) -> bool:
    """Whether the first thing told of it is that a rule held it: no way was decided then."""
    first = min(delivery.notes, key=lambda note: note.at, default=None)
    if first is None or first.kind != kinds.DELIVERY_HELD or first.cause not in explain.REASONS:
        return False
    return all(first.at < attempt.at for attempt in delivery.attempts)


def _required(attempt: AttemptView) -> str:
    """ "" where it was held before a way was decided: NONE would read as if nothing had been asked of it."""
    return attempt.required if attempt.method or attempt.required != "NONE" else ""


def _attempt(attempt: AttemptView) -> Entry:
    heading, tone = _outcome(attempt)
    facts: list[tuple[str, str]] = []
    if required := _required(attempt):
        facts.append(("Required", required))
    if attempt.achieved:
        known = words.assurance(attempt.achieved)
        facts.append(("Seen", f"{attempt.achieved}: {known}" if known else attempt.achieved))
    if attempt.mx:
        facts.append(("Server", attempt.mx))
    if attempt.tls:
        facts.append(("TLS", attempt.tls))
    texts = [attempt.words] if attempt.words else []
    decided = _only_decided(attempt)
    if tone != "good" and attempt.stage and not decided:
        texts.append(f"It ended while {words.stage(attempt.stage)}.")
    if attempt.uncertain:
        texts.append(
            "The connection ended before the final answer, so the message may have arrived. It is tried again by the "
            "same method with the same Message-ID."
        )
    way = "before anything was sent" if decided else words.method(attempt.method)
    return Entry(
        attempt.at,
        "Not sent" if attempt.reason in holding.ENDS else f"Attempt {attempt.number}, {way}: {heading}",
        tone,
        tuple(texts),
        tuple(facts),
        attempt.reply,
    )


def _only_decided(attempt: AttemptView) -> bool:
    """It ended by the decision alone: no way was taken, whatever had been chosen before."""
    return attempt.result in ("held", "refused") and attempt.stage == "plan" and not attempt.mx


#: kinds of notes that the portal's own steps tell better
_TOLD_BY_PORTAL: Final = "portal."
#: kind -> (heading, tone, text)
_NOTES: Final[dict[str, tuple[str, str, str]]] = {
    kinds.DELIVERY_RELEASED: ("Released by a person", "good", ""),
    kinds.DELIVERY_ACCESS_AGREED: (
        "Given an access code by a person", "good", "It opens the message in the portal; the code itself is not kept."),
    kinds.DELIVERY_APPROVED: ("Approved by a person", "plain", "Another person had to approve it too."),
    kinds.DELIVERY_TURNED_DOWN: ("Refused by a person", "bad", "The sender was told."),
    kinds.DELIVERY_RETRIED: ("A person asked for another attempt at once", "plain", ""),
    kinds.DELIVERY_RETRACTED: ("Taken back", "plain", ""),
    kinds.DELIVERY_HELD_BACK: (
        "Put back", "wait", "The way to its provider is closed for now; no attempt was made and none is used up."),
    kinds.DELIVERY_INSPECTED: ("Its content was looked at, because a rule asks for it", "plain", ""),
    kinds.DELIVERY_BOUNCED: (
        "A report of non-delivery came back", "bad", "The recipient’s server had accepted it before."),
    kinds.DELIVERY_COMPLAINED: (
        "Marked as unwanted", "bad", "The recipient’s provider passed on a complaint; marketing is no longer sent."),
    kinds.DELIVERY_REPORTED: ("The next mail system reported how it went on", "plain", ""),
    kinds.FORWARD_RETURNED: (
        "A forwarded copy came back", "bad", "A mailbox of yours forwards its mail, and that copy did not arrive."),
}  # fmt: skip
#: what it reported -> (heading, tone, text)
_REPORTED: Final = {
    bounces.DELIVERED: ("Reported as delivered to the mailbox", "good", ""),
    bounces.RELAYED: ("Reported as passed on to a system that sends no reports", "plain", ""),
    bounces.EXPANDED: ("Reported as passed on to the members of a list", "plain", ""),
    bounces.DELAYED: ("Reported as delayed", "wait", "It was not delivered yet."),
}
_THEIR_WORD: Final = "It is the word of the mail system that had accepted it; the state here does not change by it."
_LOOKS: Final = {
    kinds.MESSAGE_VIEWED: "opened its page", kinds.MESSAGE_LISTED: "saw it in a list",
    kinds.MESSAGE_SEARCHED: "found it by a search", kinds.PROOF_EXPORTED: "downloaded a proof",
}  # fmt: skip
_BY: Final = {"staff": "A member of staff", "key": "A program with an API key", "system": "The system"}


class Look(msgspec.Struct, frozen=True):
    at: int
    words: str
    #: id of who it was, for those who may see the audit log
    by: str


def looks(view: MessageView, *, may_audit: bool) -> list[Look]:
    """Who looked at the message before, the newest first."""
    return [
        Look(one.at, f"{_BY.get(one.by.partition(':')[0], 'Somebody')} {_LOOKS.get(one.kind, 'looked at it')}.",
             one.by.partition(":")[2] if may_audit else "")
        for one in reversed(view.looked)
    ]  # fmt: skip


def _note(note: NoteView) -> Entry:
    if note.kind == kinds.DELIVERY_REPORTED and note.cause in _REPORTED:
        heading, tone, text = _REPORTED[note.cause]
        facts = (("It tries until", note.until[:16].replace("T", " ") + " UTC"),) if note.until else ()
        return Entry(note.at, heading, tone, (f"{text} {_THEIR_WORD}".strip(),), facts)
    if note.kind == kinds.DELIVERY_INSPECTED and note.cause:
        text = f"Your exception “{note.cause}” leaves this sender or recipient out; rules take them as empty."
        return Entry(note.at, "Its texts were not read", "plain", (text,))
    if note.kind == kinds.DELIVERY_INSPECTED and note.detail:
        heading, tone, _ = _NOTES[note.kind]
        return Entry(note.at, heading, tone, (f"Tagged by your rules: {', '.join(note.detail.split())}.",))
    if note.kind in _OF_THE_DECISION:
        return _OF_THE_DECISION[note.kind](note)
    if note.kind in _NOTES:
        heading, tone, text = _NOTES[note.kind]
        reason = f"Reason: {note.cause}." if note.cause and note.cause != "asked-by-a-person" else ""
        return Entry(note.at, heading, tone, tuple(one for one in (text, reason) if one))
    seen = words.WEAKENED.get(note.cause, f"Less was seen there than before ({note.cause}).")
    consequence = "Until it has been stable for a day it does not count as verified, and the next method is taken."
    return Entry(note.at, "The recipient’s side is weaker than it was", "bad", (seen, consequence))


def _held(note: NoteView) -> Entry:
    why = explain.REASONS.get(note.cause, "")
    if not why and note.cause:
        why = "A person held it." if note.cause == "asked-by-a-person" else f"Reason: {note.cause}."
    return Entry(note.at, "Held", "bad", tuple(one for one in ("It waited for a person from here on.", why) if one))


def _time_over(note: NoteView) -> Entry:
    then = "it goes back to its sender" if note.detail == "refused" else "it goes on as your rules say at that moment"
    return Entry(
        note.at, "Waited as long as your rules allow", "wait", (f"Nobody decided about it in that time; {then}.",)
    )


def _planned(note: NoteView) -> Entry:
    """What was held at the door had no way yet: that one is decided now says nothing of a change."""
    said = explain.REASONS.get(note.cause, "")
    texts = [said] if said else []
    if note.detail:
        texts.insert(0, _CHANGED)
    return Entry(note.at, "Decided anew" if note.detail else "A way was decided", "plain", tuple(texts))


_CHANGED: Final = (
    "Since then your rules, what is known of the recipient’s side, or what a person asked for had changed."
)
_OF_THE_DECISION: Final[dict[str, Callable[[NoteView], Entry]]] = {
    kinds.DELIVERY_HELD: _held, kinds.DELIVERY_TIME_OVER: _time_over, kinds.DELIVERY_PLAN_CHANGED: _planned,
}  # fmt: skip


def _outcome(attempt: AttemptView) -> tuple[str, str]:
    if attempt.uncertain:
        return "not certain", "wait"
    return {
        "sent": ("accepted by the server", "good"),
        "ok": ("done", "good"),
        "deposited": ("laid into the portal", "good"),
        "deferred": ("not now", "wait"),
        "next": ("not good enough, next method", "wait"),
        "next-method": ("not good enough, next method", "wait"),
        "held": ("held", "bad"),
        "refused": ("not allowed by your rules", "bad"),
        "uncertain": ("not certain", "wait"),
        "failed": ("refused for good", "bad"),
        "tested": ("a test: nothing was sent", "plain"),
    }.get(attempt.result, (attempt.result or "ended", "plain"))


def _portal(course: Course | None) -> list[Entry]:
    if course is None:
        return []
    found = [Entry(one.at, one.heading, one.tone, (one.text,) if one.text else ()) for one in course.steps]
    return sorted(found, key=lambda e: e.at)


def _waiting(delivery: DeliveryView) -> tuple[Entry, ...]:
    """What comes next, last in the list; it has a time in the future or none."""
    if delivery.state == "held":
        return (Entry(0, "Held", "bad", ("A person must release it, or take it back.",)),)
    held = delivery.held_back
    if delivery.state in ("deferred", "queued") and held is not None:
        said = f"It is held back by {held.words}." if held.words else ""
        text = "It leaves by itself then; nothing is lost and no attempt is used up."
        return (Entry(held.until, "Held back until then" if held.until else "Held back", "wait", (said, text)),)
    if delivery.state in ("deferred", "queued") and delivery.due_at:
        return (Entry(delivery.due_at, "Next attempt", "wait"),)
    return ()
