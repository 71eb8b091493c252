"""How a log comes to be signed by another key: the last event under the last checkpoint of the old key introduces the
new one. From there on the new key signs; who knows the old one can follow (docs/proof-format.md, "When the key
changes")."""

from collections.abc import Sequence
from typing import Final

import msgspec

from carepost.proof import event as events
from carepost.proof import kinds, merkle, note
from carepost.proof.event import Event
from carepost.proof.file import Introduction, ProofError, unb64
from carepost.proof.note import Checkpoint, NoteError, VerifierKey

#: what a log's checkpoints are called; also the name of its keys
ORIGIN: Final = "carepost/"
#: the source an introduction comes from: never an engine
OFFICE: Final = "office"
#: facts of the event: the new key, and the one that signs until then (C2SP verifier keys)
NEW, BEFORE = "log-key", "log-key-before"


class Change(msgspec.Struct, frozen=True):
    """What an introduction says."""

    before: VerifierKey
    new: VerifierKey


def change(event: Event) -> Change | None:
    """None: it introduces no key of its own organisation's log (also: it is no such event)."""
    if event.kind != kinds.LOG_KEY_INTRODUCED or event.source != OFFICE:
        return None
    try:
        before, new = (VerifierKey.parse(event.facts.get(fact, "")) for fact in (BEFORE, NEW))
    except NoteError:
        return None
    origin = ORIGIN + event.org
    plain = all(key.name == origin and key.type == note.ED25519 for key in (before, new))
    stated = (event.facts[BEFORE], event.facts[NEW]) == (before.text, new.text)
    return Change(before, new) if plain and stated and before != new else None


class Step(msgspec.Struct, frozen=True):
    """A change that holds: at `size` leaves the key `before` signed for the last time."""

    before: str
    new: str
    size: int


def follow(org: str, key: str, checkpoint: Checkpoint, introductions: Sequence[Introduction]) -> list[Step]:
    """The steps that lead to `key`, which signed `checkpoint`. Raises ProofError where one does not hold."""
    steps: list[Step] = []
    for one in introductions:
        step = _step(org, one, checkpoint)
        if steps and (step.before != steps[-1].new or step.size <= steps[-1].size):
            raise ProofError("the introductions of the log's keys do not follow each other")
        steps.append(step)
    retired = next((step for step in steps if step.before == key), None)
    if retired is not None:
        raise ProofError(
            f"the checkpoint of {checkpoint.size} events is signed by a key that was retired at {retired.size} events"
        )
    if steps and steps[-1].new != key:
        raise ProofError("the introductions lead to another key than the one that signed the checkpoint")
    return steps


def _step(org: str, one: Introduction, checkpoint: Checkpoint) -> Step:
    raw = unb64(one.event)
    try:
        event = events.read(raw)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise ProofError("an introduction of a key is not an event, or was damaged") from None
    said = change(event)
    if said is None or event.org != org:
        raise ProofError("an introduction of a key introduces no key of this log")
    try:
        opened = note.open_(one.checkpoint.encode(), [said.before])
        seen = Checkpoint.parse(opened.text)
    except NoteError as error:
        raise ProofError(f"a key was introduced under a checkpoint that does not hold: {error}") from None
    if not opened.verified:
        raise ProofError("a key was introduced under a checkpoint that the key before it did not sign")
    if seen.origin != checkpoint.origin or not 0 < seen.size < checkpoint.size:
        raise ProofError("a key was introduced under a checkpoint of another log, or of a later time")
    path = [unb64(node) for node in one.inclusion]
    if not merkle.check_inclusion(merkle.leaf_hash(raw), seen.size - 1, seen.size, path, seen.root):
        raise ProofError("the introduction of a key is not the last event its checkpoint covers, or was changed")
    joined = [unb64(node) for node in one.consistency]
    if not merkle.check_consistency(seen.size, seen.root, checkpoint.size, checkpoint.root, joined):
        raise ProofError("a key was introduced in a history that is not the beginning of this log")
    return Step(said.before.text, said.new.text, seen.size)
