"""The verdict on a proof file: what a stranger can check with the file alone, the mail found in an inbox, and the
organisation's published key. Pure; nothing is asked of any server."""

from collections.abc import Sequence
from hashlib import sha256
from typing import Final

import msgspec

from carepost.policy.types import Assurance
from carepost.proof import event as events
from carepost.proof import kinds, match, merkle, note, published, succession
from carepost.proof.file import ProofError, ProofFile, concerns, read, unb64
from carepost.proof.note import Checkpoint, NoteError, VerifierKey
from carepost.proof.succession import ORIGIN, Step
from carepost.proof.verdict import Check, Proven, Verdict, headline, moment, proves, proves_not

_RANK: Final = {a.name: int(a) for a in Assurance} | {"PORTAL": int(Assurance.MESSAGE)}


def verify(raw: bytes, message: bytes | None = None, key: str | None = None) -> Verdict:
    """`raw`: the proof file. `message`: a mail as saved, or None. `key`: text with the log's verifier keys as the
    organisation publishes them (one a line; witnesses' keys too), or None. Never raises for any bytes."""
    try:
        proof = read(raw)
        leaves = _leaves(proof)
    except ProofError as error:
        return _failed([Check("structure", False, str(error))])
    form = proof.format.rpartition("/")[2]
    checks = [Check("structure", True, f"the file is whole and of format {form}"), _events(proof, leaves)]
    checkpoint, cosigners, signed = _checkpoint(proof, key)
    checks.append(signed)
    steps: list[Step] = []
    if checkpoint is not None:
        checks.append(_inclusion(checkpoint, leaves))
        steps, followed = _introductions(proof, checkpoint)
        checks.extend(followed)
    opened = _openings(proof, leaves)
    checks.append(opened)
    recipient = next((leaf.opened["recipient"] for leaf in leaves if "recipient" in leaf.opened), b"")
    if recipient:
        checks.append(Check("recipient", True, "the recipient's address is the one committed to"))
    elif opened.ok:
        checks.append(Check("recipient", False, "the file does not open the recipient's address"))
    checks.extend(_protection(leaves))
    if message is not None:
        fits, words = match.compare(message, [(leaf.event.kind, leaf.opened) for leaf in leaves])
        checks.append(Check("message", fits, words))
    signer, identified = _signer(proof, key, checkpoint, steps)
    if signer is not None:
        checks.append(signer)
    ok = all(check.ok for check in checks)
    if not ok:
        return _failed(checks)
    return Verdict(
        ok=True,
        words=headline(identified, message is not None),
        signer="identified" if identified else "not identified",
        recipient=recipient.decode("utf-8", "replace"),
        checks=tuple(checks),
        timeline=tuple(moment(leaf) for leaf in leaves),
        proves=tuple(proves(leaves, recipient.decode("utf-8", "replace"), identified, cosigners)),
        proves_not=tuple(proves_not(identified, message is not None, cosigners)),
    )


def _failed(checks: Sequence[Check]) -> Verdict:
    wrong = [check.words for check in checks if not check.ok]
    return Verdict(False, "not proven: " + "; ".join(wrong), "not identified", "", tuple(checks))


def _leaves(proof: ProofFile) -> list[Proven]:
    leaves = []
    for item in proof.events:
        raw = unb64(item.event)
        try:
            event = events.read(raw)
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise ProofError("an event in the file is not an event, or was damaged") from None
        leaves.append(Proven(item.index, raw, event, [unb64(h) for h in item.inclusion], {}))
    return leaves


def _events(proof: ProofFile, leaves: list[Proven]) -> Check:
    """The events are of this organisation, message and delivery, each once, in the log's order."""
    wrong = ""
    last: dict[str, int] = {}
    for before, leaf in zip([None, *leaves], leaves, strict=False):
        event = leaf.event
        if event.v < 1:
            wrong = "an event has an unknown version"
        elif event.org != proof.org or not concerns(event, proof.message, proof.delivery):
            wrong = "an event belongs to another organisation, message or delivery"
        elif before is not None and before.index >= leaf.index:
            wrong = "the events are not in the log's order, or one stands twice"
        elif event.seq <= last.get(event.source, -1):
            wrong = f"the events of {event.source} are not in the order of their numbers"
        last[event.source] = event.seq
    accepted = sum(leaf.event.kind == kinds.MESSAGE_ACCEPTED for leaf in leaves)
    about = any(proof.delivery in leaf.event.on for leaf in leaves)
    if not wrong and (accepted != 1 or not about or len({leaf.event.id for leaf in leaves}) != len(leaves)):
        wrong = "the acceptance of the message or the events of this delivery are missing, or stand twice"
    return Check("events", not wrong, wrong or f"{len(leaves)} events, all of this message and this delivery")


def _checkpoint(proof: ProofFile, known: str | None) -> tuple[Checkpoint | None, list[tuple[str, int]], Check]:
    """The checkpoint, outside cosignatures (name, seconds) by known keys, and the check of its signature."""
    try:
        key = VerifierKey.parse(proof.key)
        if key.text != proof.key or key.type != note.ED25519:
            raise NoteError("the log's key in the file is not in its one form")
        witnesses = [one.key for one in published.read(known) if one.key.name != key.name]
        opened = note.open_(proof.checkpoint.encode(), [key, *witnesses])
        checkpoint = Checkpoint.parse(opened.text)
    except NoteError as error:
        return None, [], Check("checkpoint", False, str(error))
    if key not in [k for k, _ in opened.verified]:
        return None, [], Check("checkpoint", False, "the checkpoint is not signed by the log's key")
    if checkpoint.origin != ORIGIN + proof.org or key.name != checkpoint.origin:
        return None, [], Check("checkpoint", False, "the checkpoint is of another organisation's log")
    outside = [(k.name, at) for k, at in opened.verified if k.name != key.name]
    words = f"the checkpoint of {checkpoint.origin} at {checkpoint.size} events is signed by the log's key"
    return checkpoint, outside, Check("checkpoint", True, words)


def _inclusion(checkpoint: Checkpoint, leaves: list[Proven]) -> Check:
    for leaf in leaves:
        hashed = merkle.leaf_hash(leaf.raw)
        if not merkle.check_inclusion(hashed, leaf.index, checkpoint.size, leaf.inclusion, checkpoint.root):
            words = (
                f"the event {leaf.index} ({leaf.event.kind}) is not in the log under this checkpoint, or was changed"
            )
            return Check("inclusion", False, words)
    return Check("inclusion", True, "every event is in the log under this checkpoint, byte for byte")


def _introductions(proof: ProofFile, checkpoint: Checkpoint) -> tuple[list[Step], list[Check]]:
    """Format 2: each key of the log was introduced by the one before it."""
    if not proof.introductions:
        return [], []
    try:
        steps = succession.follow(proof.org, proof.key, checkpoint, proof.introductions)
    except ProofError as error:
        return [], [Check("introduction", False, str(error))]
    sizes = ", ".join(str(step.size) for step in steps)
    words = f"the log's key follows earlier ones, each introduced under a checkpoint of the one before (at {sizes})"
    return steps, [Check("introduction", True, words)]


def _openings(proof: ProofFile, leaves: list[Proven]) -> Check:
    """Each opened value is the one its event committed to. Fills `opened`."""
    by_id = {leaf.event.id: leaf for leaf in leaves}
    for opening in proof.openings:
        leaf = by_id.get(opening.event)
        if leaf is None or opening.field not in kinds.OPENED or opening.field in leaf.opened:
            return Check("openings", False, "an opened value belongs to no event of this file, or stands twice")
        try:
            salt, value = unb64(opening.salt), unb64(opening.value)
        except ProofError as error:
            return Check("openings", False, str(error))
        if len(salt) != 16 or sha256(salt + value).hexdigest() != leaf.event.commit.get(opening.field):
            words = f"the value of {opening.field} is not the one the event {leaf.event.kind} committed to"
            return Check("openings", False, words)
        leaf.opened[opening.field] = value
    count = len(proof.openings)
    return Check("openings", True, f"{count} values are, bit for bit, those the events committed to")


def _protection(leaves: list[Proven]) -> list[Check]:
    """Whether what was achieved met what was required, where an event states both."""
    checks = []
    for leaf in leaves:
        facts = leaf.event.facts
        achieved, required = facts.get("achieved", ""), facts.get("required", "")
        if leaf.event.kind not in (kinds.DELIVERY_SENT, kinds.PORTAL_OPENED) or not achieved or not required:
            continue
        by_mail = facts.get("rule") == "portal-by-mail" and achieved == Assurance.MAILBOX.name
        met = by_mail or _RANK.get(achieved, -1) >= _RANK.get(required, 1000)
        words = f"{required} was required, {achieved} was achieved" + (" (rule portal-by-mail)" if by_mail else "")
        checks.append(Check("protection", met, words))
    return checks


def _signer(
    proof: ProofFile, known: str | None, checkpoint: Checkpoint | None, steps: Sequence[Step]
) -> tuple[Check | None, bool]:
    """Whether the signer is whom the reader knows: by the key itself, or by an earlier one that leads to it."""
    if known is None:
        return None, False
    try:
        terms = {one.key.text: one.until for one in published.read(known)}
    except NoteError as error:
        return Check("signer", False, f"the key given is unusable: {error}"), False
    if proof.key in terms:
        until = terms[proof.key]
        if until is not None and checkpoint is not None and checkpoint.size > until:
            words = f"the checkpoint of {checkpoint.size} events is signed by a key that was retired at {until} events"
            return Check("signer", False, words), False
        return Check("signer", True, "the log's key is the one given as the organisation's"), True
    first = next((step for step in steps if step.before in terms), None)
    if first is None:
        return Check("signer", False, "the log's key is not the one given as the organisation's"), False
    until = terms[first.before]
    if until is not None and until < first.size:
        words = f"the key given introduced another at {first.size} events, after it was retired at {until}"
        return Check("signer", False, words), False
    words = f"the log's key follows the one given as the organisation's, which introduced its successor at {first.size}"
    return Check("signer", True, words + " events"), True
