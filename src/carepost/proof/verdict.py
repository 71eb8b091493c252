"""The verdict as a value, and in words: what is proven, what is not, and what happened when."""

import msgspec

from carepost.ground.clock import rfc3339
from carepost.proof import event as events
from carepost.proof import kinds
from carepost.proof.commitments import Wire


class Check(msgspec.Struct, frozen=True):
    #: structure | events | checkpoint | inclusion | openings | recipient | protection | message | signer
    name: str
    ok: bool
    words: str


class Moment(msgspec.Struct, frozen=True):
    """One event for people: UTC time, what happened, and what was measured."""

    at: str
    kind: str
    words: str
    result: str
    cause: str
    facts: dict[str, str]
    wire: Wire | None = None


class Verdict(msgspec.Struct, frozen=True):
    ok: bool
    words: str
    #: identified | not identified
    signer: str
    recipient: str
    checks: tuple[Check, ...]
    timeline: tuple[Moment, ...] = ()
    proves: tuple[str, ...] = ()
    proves_not: tuple[str, ...] = ()


class Proven(msgspec.Struct):
    """An event of the file with the values opened for it."""

    index: int
    raw: bytes
    event: events.Event
    inclusion: list[bytes]
    opened: dict[str, bytes]


#: the year 10000: past what a time in words can say
_END = 253_402_300_800_000_000


def _time(us: int) -> str:
    return rfc3339(us) if 0 <= us < _END else "an impossible time"


def headline(identified: bool, compared: bool) -> str:
    first = "proven" if identified else "consistent, signer not identified"
    return first + (", and the mail is the one of this proof" if compared else "")


def moment(leaf: Proven) -> Moment:
    event = leaf.event
    wire = None
    if "wire" in leaf.opened:
        try:
            wire = msgspec.json.decode(leaf.opened["wire"], type=Wire)
        except msgspec.DecodeError:
            wire = Wire()
    words = kinds.info(event.kind).words
    return Moment(_time(event.at), event.kind, words, event.result, event.cause, event.facts, wire)


def proves(leaves: list[Proven], recipient: str, identified: bool, cosigners: list[tuple[str, int]]) -> list[str]:
    who = "The organisation" if identified else "Whoever holds the key of this log"
    said = [f"{who} recorded these events about the delivery to {recipient}; none of them was changed since."]
    for leaf in leaves:
        kind, facts, seen = leaf.event.kind, leaf.event.facts, moment(leaf)
        if kind == kinds.DELIVERY_SENT and seen.wire:
            over = f" over {facts['tls']}" if facts.get("tls", "none") != "none" else ""
            server = f"the server {seen.wire.mx}" if seen.wire.mx else "the recipient's server"
            said.append(f"{seen.at}: {server} accepted the message{over} and answered: {seen.wire.reply}")
        elif kind in (kinds.DELIVERY_DEPOSITED, kinds.PORTAL_OPENED):
            said.append(f"{seen.at}: {seen.words}.")
        elif kind == kinds.DELIVERY_TESTED:
            said.append(f"{seen.at}: this was a test; nothing was sent to anybody.")
        elif kind == kinds.DELIVERY_UNCERTAIN:
            said.append(f"{seen.at}: {seen.words}; a second copy may exist.")
    clock = {leaf.event.facts["clock"] for leaf in leaves if "clock" in leaf.event.facts}
    if clock:
        said.append(f"The clock of the recording machine was, by its own word, {' and '.join(sorted(clock))}.")
    if cosigners:
        seen_by = ", ".join(f"{name} at {_time(at * 1_000_000)}" if at else name for name, at in cosigners)
        said.append(f"The checkpoint was seen from outside by {seen_by}: the log existed in this form by then.")
    return said


def proves_not(identified: bool, compared: bool, cosigners: list[tuple[str, int]]) -> list[str]:
    said = ["It does not prove that a person read the message in an inbox, nor what happened behind the server named."]
    if cosigners:
        said.append("That no event is missing from the log rests on the organisation's word.")
    else:
        said.append(
            "No outside cosignature is known: the times, and that no event is missing, rest on the organisation's word."
        )
    if not identified:
        said.append(
            "Anyone can write such a file with a key of their own: compare its key with the one the organisation "
            "publishes at /.well-known/carepost-log (--key)."
        )
    if not compared:
        said.append("No mail was compared with it (--message).")
    return said
