"""What a reviewer decides: release, release by a stronger method, refuse, give an access code. The engine carries each
out in one commit with its event; a second who comes too late is told what became of it."""

import uuid
from collections.abc import Sequence
from typing import Final

import msgspec

from carepost.archive import acts as looks
from carepost.archive.models import Delivery
from carepost.ground import ids
from carepost.ground.errors import NotFound
from carepost.intake import agreed
from carepost.mailbox import door
from carepost.policy.types import Method
from carepost.review import words
from carepost.review.held import Who, approvers
from carepost.tenancy import names, scope
from carepost.tenancy.models import Staff
from carepost.tenancy.names import Wrong
from carepost.tenancy.permissions import Permission
from carepost.wire import doors
from carepost.wire.types import AccessProof, HeldView

#: deliveries decided about at once
MOST: Final = 200
LONGEST: Final = 500
#: a subject shorter than this may well stand in a note by chance
_TELLING: Final = 8

_WORDS: Final = {
    "released": "Released; it goes on by itself, as the rules say at that moment.",
    "approved": "Your approval is on record; another person must approve it too.",
    "refused": "Refused; the sender gets a report.",
    "agreed": "The message goes on to the portal with it. Tell it to the person by telephone or face to face, never by "
    "e-mail: it is not kept and cannot be shown again.",
    "not-awaited": "This delivery does not wait for an access code. Nothing was done.",
    "not-stronger": "That method protects less than what the rules decide, or cannot reach this person.",
    "absent": "There is no such delivery here.",
}


_NOTHING: Final = AccessProof()


#: verb -> what it leads to, where that is one thing
_CODES: Final = {"refuse": "refused", "agree": "agreed"}


class Done(msgspec.Struct, frozen=True):
    """What became of one delivery. `code`: released | approved | refused (done now, or by the same person before:
    `again`), agreed (done now), barred | late | not-stronger | not-awaited | absent (nothing was done)."""

    delivery: str
    code: str
    words: str
    again: bool = False

    @property
    def good(self) -> bool:
        return self.code in ("released", "approved", "refused", "agreed")


def release(org: uuid.UUID, who: Who, deliveries: Sequence[bytes], *, reason: str, method: str = "") -> list[Done]:
    """`method`: by this alone, where that protects at least as much as what the rules decide. Raises NotFound
    (forbidden), Wrong, Unavailable."""
    chosen: tuple[Method, ...] = ()
    if method:
        if method not in tuple(Method):
            raise Wrong("bad-method", f"The method is one of: {', '.join(Method)}.")
        chosen = (Method(method),)
    return _act("release", org, who, deliveries, reason, methods=chosen)


def refuse(org: uuid.UUID, who: Who, deliveries: Sequence[bytes], *, reason: str, note: str = "") -> list[Done]:
    """The sender gets a report with `note`, in which nothing of the message may stand. Raises as `release`."""
    told = names.words(note, "note to the sender", longest=LONGEST, empty=True)
    if told:
        for delivery in deliveries:
            _says_nothing(org, who, delivery, told)
    return _act("refuse", org, who, deliveries, reason, note=told)


def agree(
    org: uuid.UUID, who: Who, delivery: bytes, *, reason: str, code: str = "", question: str = "", answer: str = ""
) -> Done:
    """What was agreed with its recipient, for a delivery that waits for that alone: the same message then goes on as
    the rules say. Only a slow hash leaves this call; who gives it looks at nothing of the message's content. A sender
    who is not the one who gives it gets a letter, without the code. Raises NotFound (forbidden), Wrong, Refused (no
    code, or both), Unavailable."""
    looks.allowed(org.bytes, who.actor, Permission.RELEASE)
    names.words(reason, "reason", longest=LONGEST)
    agreed.check(code, question, answer)
    asked = " ".join(question.split())
    proof = agreed.proof(code, asked, answer, late=not _sends(org, who, delivery))
    return _act("agree", org, who, [delivery], reason, access=proof)[0]


def _sends(org: uuid.UUID, who: Who, delivery: bytes) -> bool:
    """Whether it is their own message."""
    try:
        view = door.client().review(doors.Review(org.bytes, delivery, who.actor, who.also)).delivery
    except NotFound:
        return False
    return view.sender.casefold() in {name.casefold() for name in who.also}


def _says_nothing(org: uuid.UUID, who: Who, delivery: bytes, note: str) -> None:
    """A report leaves by mail: whom the message is for and what it is about must not go with it in plain words."""
    looks.allowed(org.bytes, who.actor, Permission.RELEASE)
    try:
        view = door.client().review(doors.Review(org.bytes, delivery, who.actor, who.also)).delivery
    except NotFound:
        return
    low = " ".join(note.casefold().split())
    subject = " ".join(view.subject.casefold().split())
    if (view.recipient and view.recipient.casefold() in low) or (len(subject) >= _TELLING and subject in low):
        raise Wrong(
            "note-tells",
            "The note goes to the sender by mail: leave out whom the message is for and its subject.",
        )


def _act(
    verb: str,
    org: uuid.UUID,
    who: Who,
    deliveries: Sequence[bytes],
    reason: str,
    *,
    methods: tuple[Method, ...] = (),
    note: str = "",
    access: AccessProof = _NOTHING,
) -> list[Done]:
    looks.allowed(org.bytes, who.actor, Permission.RELEASE)
    why = names.words(reason, "reason", longest=LONGEST)
    if not 1 <= len(deliveries) <= MOST:
        raise Wrong("bad-selection", f"Choose at least one delivery, and at most {MOST} at once.")
    wanted = tuple(dict.fromkeys(deliveries))
    entitled = approvers(org) if verb == "release" else None
    states: dict[str, str] = {}
    for one in wanted:
        try:
            states |= door.client().act(
                verb, org.bytes, (one,), who.actor, why, who.also, methods, note, access, entitled
            )
        except NotFound:
            states[ids.text(one)] = "not-found"
    return [_done(verb, org, who, one, states.get(ids.text(one), "not-found")) for one in wanted]


def _done(verb: str, org: uuid.UUID, who: Who, delivery: bytes, state: str) -> Done:
    text = ids.text(delivery)
    if state == "not-stronger":
        return Done(text, "not-stronger", _WORDS["not-stronger"])
    if state in ("queued", "held"):
        code = _CODES.get(verb) or ("approved" if state == "held" else "released")
        return Done(text, code, _WORDS[code])
    try:
        view = door.client().review(doors.Review(org.bytes, delivery, who.actor, who.also)).delivery
    except NotFound:
        return _gone(org, verb, delivery)
    if state == "needs-another":
        again = view.barred == "approved"
        return Done(text, "approved" if again else "barred", words.BARRED.get(view.barred, ""), again)
    return _late(verb, who, view)


def _late(verb: str, who: Who, view: HeldView) -> Done:
    """It is not held any more: by this person's own act, told again, or by another's."""
    mine = view.last_by == f"{who.actor.kind}:{who.actor.id}"
    if mine and view.last_verb == verb and verb != "agree":
        code = _CODES.get(verb, "released")
        return Done(view.id, code, _WORDS[code], again=True)
    if view.state == "held" and verb == "agree":
        return Done(view.id, "not-awaited", _WORDS["not-awaited"])
    if view.state == "held":
        return Done(view.id, "late", "It changed at this moment. Look at it again.")
    by = "You have" if mine else f"{_name(view.last_by)} has"
    done = words.DONE.get(view.last_verb)
    if view.last_verb == "agree":
        return Done(view.id, "late", f"{by} given it an access code already; that one opens it. Nothing was done now.")
    said = f"{by} {done} it already" if done else "It is not held any more"
    return Done(view.id, "late", f"{said}. Nothing was done now.")


def _gone(org: uuid.UUID, verb: str, delivery: bytes) -> Done:
    """Its shard has forgotten it: history may know how it ended."""
    with scope.organisation(org):
        known = Delivery.objects.filter(org_id=org, id=uuid.UUID(bytes=delivery)).exists()
    if not known:
        return Done(ids.text(delivery), "absent", _WORDS["absent"])
    said = "It is not held any more; its message says what became of it."
    if verb == "agree":
        said += " What you entered does not open it. Nothing was done now."
    return Done(ids.text(delivery), "late", said)


def _name(by: str) -> str:
    kind, _, id_ = by.partition(":")
    if kind == "staff":
        return Staff.objects.filter(pk=id_).values_list("name", flat=True).first() or "Somebody"
    return {"key": "An API key", "system": "The command line"}.get(kind, "Somebody")
