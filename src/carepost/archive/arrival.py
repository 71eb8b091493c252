"""Did it arrive? In plain words, with the evidence and its limits, to be read aloud on the telephone (A24). Pure.

What is said is never more than what is on record: acceptance by a server is not reading, a code that was entered says
who could read the mail it came by. `said` is one table; tests/tables/test_arrival.py shows it whole."""

from typing import Final

import msgspec

from carepost.ground.clock import rfc3339
from carepost.proof import kinds
from carepost.wire import bounces
from carepost.wire.pacing import HeldBack
from carepost.wire.types import AttemptView, DeliveryView, MessageView, NoteView

#: accepted by the recipient's server, opened, waits in the portal, under way, waits for a person here, not certain, no
ACCEPTED, OPENED, WAITS, NOT_YET, HELD, PERHAPS, NO = (
    "accepted", "opened", "in-portal", "not-yet", "held", "perhaps", "no",
)  # fmt: skip

_READ: Final = "We cannot know whether anybody has read it, or whether a filter put it into another folder."
_FORWARD: Final = "If that mailbox forwards its mail, we know of the first step only."
_SCREEN: Final = "We know that somebody passed the check, not who sat before the screen."
_TLS: Final = {
    "ENCRYPTED": "The connection was encrypted, but the server did not prove its name.",
    "VERIFIED": "The connection was encrypted, and the server proved its name (verified TLS).",
    "AUTHENTICATED": "The connection was encrypted, and the server was proved to be theirs (verified TLS).",
    "MESSAGE": "The message itself was encrypted for this person alone.",
    "NONE": "The connection was not encrypted; your rules allowed that for this message.",
}
_CHECK: Final = {
    "MAILBOX": "It was opened with a code sent to this e-mail address.",
    "PORTAL": "It was opened with a proof that did not travel by e-mail.",
}
_BOUNCED: Final = frozenset({kinds.DELIVERY_BOUNCED})
#: what another system reported of a message it had taken, after "On … the next mail system reported"
_REPORTED: Final = {
    bounces.DELIVERED: "that it delivered it to the mailbox.",
    bounces.RELAYED: "that it passed it on to another system, which sends no such reports.",
    bounces.EXPANDED: "that it passed it on to the members of a list or group.",
    bounces.DELAYED: "that it had not delivered it yet",
}
_THEIR_WORD: Final = "What the next mail system reports is its own word; a mailbox that has a message is not a reader."


class Said(msgspec.Struct, frozen=True):
    """`verdict`: one of the words above. `headline`: one sentence that answers. `evidence`: what is on record;
    `limits`: what nobody can know from it; `next`: what to do or say. `at`: UTC microseconds of what decides it, or 0.
    """

    verdict: str
    headline: str
    evidence: tuple[str, ...] = ()
    limits: tuple[str, ...] = ()
    next: tuple[str, ...] = ()
    at: int = 0


def said(message: MessageView, one: DeliveryView) -> Said:
    """What can be said about one recipient of a message."""
    came = _note(one, *_BOUNCED)
    if came:
        return _bounced(message, one, came)
    made = {
        "sent": _sent, "deposited": _deposited, "opened": _opened, "expired": _expired, "retracted": _retracted,
        "failed": _failed, "suppressed": _suppressed, "held": _held, "tested": _tested,
    }.get(one.state, _under_way)  # fmt: skip
    found = made(one)
    complained = _note(one, kinds.DELIVERY_COMPLAINED)
    if complained:
        words = f"On {_when(complained)} the recipient’s provider passed on a complaint: it was marked as unwanted."
        found = msgspec.structs.replace(found, evidence=(*found.evidence, words))
    found = _with_reports(found, one)
    return msgspec.structs.replace(found, evidence=(_taken(message), *found.evidence))


def _with_reports(found: Said, one: DeliveryView) -> Said:
    """Evidence beside what is known here: no report changes the answer."""
    told = tuple(
        f"On {_when(note.at)} the next mail system reported {_went_on(note)}"
        for note in one.notes
        if note.kind == kinds.DELIVERY_REPORTED and note.cause in _REPORTED
    )
    if not told:
        return found
    return msgspec.structs.replace(found, evidence=(*found.evidence, *told), limits=(*found.limits, _THEIR_WORD))


def _went_on(note: NoteView) -> str:
    if note.cause != bounces.DELAYED:
        return _REPORTED[note.cause]
    until = f", and that it would try until {_when_read(note.until)}." if note.until else ", and would go on trying."
    return f"{_REPORTED[note.cause]}{until}"


def _taken(message: MessageView) -> str:
    return f"We took the message in on {_when(message.at)}, from {message.sender or 'our own system'}."


def _sent(one: DeliveryView) -> Said:
    last = _last(one, "sent")
    at = last.at if last else 0
    server = last.mx if last and last.mx else "The recipient’s mail server"
    when = f" on {_when(at)}" if at else ""
    evidence = [_TLS[one.assurance]] if one.assurance in _TLS else []
    if last and last.reply:
        evidence.append(f"The server answered: {last.reply}")
    if len(one.attempts) > 1:
        evidence.append(f"It took {len(one.attempts)} attempts.")
    tls = " with verified TLS" if one.assurance in ("VERIFIED", "AUTHENTICATED") else ""
    return Said(
        ACCEPTED, f"Yes, it reached their mail server: accepted by {server}{when}{tls}." if last and last.mx else
        f"Yes, it reached their mail server: accepted{when}{tls}.", tuple(evidence), (_READ, _FORWARD),
        ("Ask them to look into their spam folder, and to search for the sender’s address.",
         "A proof of this acceptance can be downloaded from the message’s page."), at,
    )  # fmt: skip


def _bounced(message: MessageView, one: DeliveryView, at: int) -> Said:
    sent = _last(one, "sent")
    evidence = [_taken(message)]
    if sent:
        evidence.append(f"Their server first accepted it, on {_when(sent.at)}.")
    if one.words:
        evidence.append(one.words)
    return Said(
        NO, f"No: their mail system reported on {_when(at)} that it could not be delivered.", tuple(evidence),
        ("The report names our message by a sign only we can make; what happened inside their system we cannot see.",),
        ("Ask for the right address, letter by letter, and send it again.",), at,
    )  # fmt: skip


def _deposited(one: DeliveryView) -> Said:
    last = _last(one, "deposited")
    failed = _note(one, kinds.PORTAL_NOTICE_FAILED)
    at = last.at if last else 0
    evidence = ["A notice with a link was sent to their e-mail address."]
    if failed:
        evidence = [f"The notice could not be delivered (on {_when(failed)}): they do not know that it waits."]
    tried = _note(one, kinds.PORTAL_CODE_SENT)
    if tried:
        evidence.append(f"A code to open it was sent on {_when(tried)}.")
    after = (
        "Check their e-mail address with them, and send it again."
        if failed
        else ("Ask them to look for our notice, also in the spam folder, and to follow its link.")
    )
    return Said(
        WAITS, f"Not opened yet: it has waited for them in the secure portal since {_when(at)}." if at else
        "Not opened yet: it waits for them in the secure portal.", tuple(evidence),
        ("We cannot know whether the notice was seen.",), (after,), at,
    )  # fmt: skip


def _opened(one: DeliveryView) -> Said:
    at = _note(one, kinds.PORTAL_OPENED)
    evidence = [_CHECK[one.assurance]] if one.assurance in _CHECK else []
    replied = _note(one, kinds.PORTAL_REPLIED)
    if replied:
        evidence.append(f"An answer was written there on {_when(replied)}.")
    when = f" on {_when(at)}" if at else ""
    return Said(
        OPENED, f"Yes: it was opened in the secure portal{when}.", tuple(evidence), (_SCREEN,),
        ("A proof of the opening can be downloaded from the message’s page.",), at,
    )  # fmt: skip


def _expired(one: DeliveryView) -> Said:
    opened, at = _note(one, kinds.PORTAL_OPENED), _note(one, kinds.PORTAL_EXPIRED)
    if opened:
        return Said(
            OPENED, f"Yes: it was opened in the secure portal on {_when(opened)}, and has expired since.", (),
            (_SCREEN,), ("If they need it again, send it again.",), opened,
        )  # fmt: skip
    when = f" on {_when(at)}" if at else ""
    return Said(
        NO, f"No: it waited in the secure portal, was never opened, and expired{when}.", (),
        ("We cannot know whether the notice was seen.",), ("Check the address with them, and send it again.",), at,
    )  # fmt: skip


def _retracted(one: DeliveryView) -> Said:
    at = _note(one, kinds.DELIVERY_RETRACTED)
    when = f" on {_when(at)}" if at else ""
    opened = _note(one, kinds.PORTAL_OPENED)
    evidence = (f"It had been opened before, on {_when(opened)}.",) if opened else ()
    return Said(NO, f"No: it was taken back here{when}.", evidence, (), ("The message’s page says by whom.",), at)


def _failed(one: DeliveryView) -> Said:
    if one.reason == "suppressed":
        return _suppressed(one)
    last = one.attempts[-1] if one.attempts else None
    evidence = [one.words] if one.words else []
    if last is not None and last.reply:
        evidence.append(f"The server answered: {last.reply}")
    at = last.at if last is not None else 0
    when = f" on {_when(at)}" if at else ""
    refused = last is not None and bool(last.reply)
    how = f"their mail server refused it{when}" if refused else f"it was given up{when}"
    return Said(
        NO, f"No: {how}." if last is not None else "No: your rules did not let it leave.", tuple(evidence), (),
        ("Ask for the right address, letter by letter, or reach them another way.",), at,
    )  # fmt: skip


def _suppressed(_: DeliveryView) -> Said:
    return Said(
        NO, "No: nothing was sent, because this address is on your suppression list.",
        ("An address is put there after it bounced, complained or unsubscribed, or by hand.",), (),
        ("Somebody who may change the list can see why, and take the address off it.",),
    )  # fmt: skip


def _held(one: DeliveryView) -> Said:
    evidence = (one.words,) if one.words else ()
    after: tuple[str, ...] = ()
    if one.until:
        ends = "it is sent as the rules then say" if one.then == "release" else "it is not sent, and its sender is told"
        after = (f"If nobody has decided by {_when(one.until)}, {ends}.",)
    return Said(
        HELD, "Not yet: it waits here, until a person lets it go.", evidence, (),
        ("Somebody who may release mail finds it under Held.", *after), _note(one, kinds.DELIVERY_HELD),
    )  # fmt: skip


def _tested(_: DeliveryView) -> Said:
    return Said(NO, "No: it was a test. Everything was carried out, and nothing was sent.")


def _under_way(one: DeliveryView) -> Said:
    last, held = one.attempts[-1] if one.attempts else None, one.held_back
    if held is not None and (last is None or not last.uncertain):
        return _held_back(one, held)
    after = f"The next attempt is on {_when(one.due_at)}." if one.due_at else "It is tried again by itself."
    if last is not None and last.uncertain:
        return Said(
            PERHAPS, "Perhaps: the connection ended before their mail server’s last answer.",
            (f"That was on {_when(last.at)}, with {last.mx or 'their server'}.",),
            ("It may have arrived. It is sent once more under the same number, so they may see it twice.",), (after,),
            last.at,
        )  # fmt: skip
    if last is None:
        return Said(NOT_YET, "Not yet: it is on its way out.", (), (), ("Look again in a minute.",))
    evidence = [f"The last attempt was on {_when(last.at)}: {last.words or last.reason}"]
    if last.reply:
        evidence.append(f"The server answered: {last.reply}")
    tries = "once" if len(one.attempts) == 1 else f"{len(one.attempts)} times"
    return Said(
        NOT_YET, f"Not yet: it was tried {tries}, and their mail server put it off.", tuple(evidence),
        ("Why their server puts mail off, only they can say.",), (after,), last.at,
    )  # fmt: skip


def _held_back(one: DeliveryView, held: HeldBack) -> Said:
    until = f"It leaves by itself after {_when(held.until)}." if held.until else "It leaves by itself in its turn."
    evidence = tuple(f"It was tried on {_when(a.at)}: {a.words or a.reason}" for a in one.attempts[-1:])
    return Said(NOT_YET, f"Not yet: it is held back by {held.words}.", evidence, (), (until,))


def _last(one: DeliveryView, result: str) -> AttemptView | None:
    return next((attempt for attempt in reversed(one.attempts) if attempt.result == result), None)


def _note(one: DeliveryView, *wanted: str) -> int:
    """When it was noted last; 0: never."""
    return max((note.at for note in one.notes if note.kind in wanted), default=0)


def _when(us: int) -> str:
    """As it is read aloud: 21 November 2026 at 18:48 UTC."""
    return _when_read(rfc3339(us))


def _when_read(at: str) -> str:
    return f"{int(at[8:10])} {_MONTHS[int(at[5:7]) - 1]} {at[:4]} at {at[11:16]} UTC"


_MONTHS: Final = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
