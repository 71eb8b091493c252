"""The proof file, format v1: one file about one delivery (DESIGN 4; docs/proof-format.md).

Holds the bytes of the events of this message and this delivery, the openings of commitments that concern this delivery
alone, an inclusion proof for each event, the checkpoint they lead to, and the log's key. JSON in one byte form only:
`read` refuses any other, so that no byte of a file can be changed without notice."""

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from carepost.proof import canonical, kinds
from carepost.proof.canonical import b64
from carepost.proof.event import Event

FORMAT: Final = "carepost-proof/1"
#: the same with `introductions`: written only for a log whose key has changed
FORMAT_2: Final = "carepost-proof/2"
#: bytes of a proof file that `read` looks at: thousands of attempts fit
LIMIT: Final = 8 * 1024 * 1024


class ProofError(ValueError):
    """The file is no proof file of a known format, or what was to go into one does not belong there."""


class ProvenEvent(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    #: the leaf's number in the log, from 0
    index: int
    #: the event's bytes, base64
    event: str
    #: RFC 6962 audit path, nearest first, base64
    inclusion: list[str]


class Opening(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    #: the event's id
    event: str
    field: str
    #: base64
    salt: str
    value: str


class Introduction(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A key of the log introduced by the one before it (`succession`)."""

    #: the event's bytes, base64: the last leaf under `checkpoint`
    event: str
    #: its RFC 6962 audit path there
    inclusion: list[str]
    #: the signed note, by the key before
    checkpoint: str
    #: RFC 6962 consistency proof from there to the file's checkpoint
    consistency: list[str]


class ProofFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Field order is the byte order."""

    format: str
    org: str
    message: str
    delivery: str
    #: C2SP verifier key of the log
    key: str
    #: the signed note
    checkpoint: str
    events: list[ProvenEvent]
    openings: list[Opening]
    #: oldest first; format 2 has at least one, format 1 none
    introductions: list[Introduction] = []


class Leaf(msgspec.Struct, frozen=True):
    """An event as the log holds it, on its way into a proof. `openings`: field -> (salt, value), all there are."""

    index: int
    raw: bytes
    event: Event
    inclusion: Sequence[bytes]
    openings: Mapping[str, tuple[bytes, bytes]] = {}


_decoder = msgspec.json.Decoder(ProofFile)


def concerns(event: Event, message: str, delivery: str) -> bool:
    """Whether an event belongs into the proof about this delivery: acts of the message as a whole, and acts of this
    delivery. Never an event of another recipient's, nor of members of staff who looked."""
    level = kinds.info(event.kind).level
    if level == kinds.MESSAGE:
        return event.on == [message]
    if level in (kinds.DELIVERY, kinds.PORTAL):
        return message in event.on and delivery in event.on
    return event.kind not in kinds.KINDS and delivery in event.on


def build(
    org: str, message: str, delivery: str, leaves: Sequence[Leaf], checkpoint: bytes, key: str,
    introductions: Sequence[Introduction] = (),
) -> bytes:  # fmt: skip
    """The file. `leaves`: of this log, all under `checkpoint`; those that do not concern the delivery are left out, and
    of the openings only those named in `kinds.OPENED` go in. Raises ProofError when nothing is left."""
    chosen = sorted((leaf for leaf in leaves if concerns(leaf.event, message, delivery)), key=lambda leaf: leaf.index)
    if not any(delivery in leaf.event.on for leaf in chosen):
        raise ProofError("there is no event of this delivery in the log yet")
    events = [ProvenEvent(leaf.index, b64(leaf.raw), [b64(h) for h in leaf.inclusion]) for leaf in chosen]
    openings = [
        Opening(leaf.event.id, field, b64(salt), b64(value))
        for leaf in chosen
        for field, (salt, value) in sorted(leaf.openings.items())
        if field in kinds.OPENED and field in leaf.event.commit
    ]
    form, before = FORMAT_2 if introductions else FORMAT, list(introductions)
    return encode(ProofFile(form, org, message, delivery, key, checkpoint.decode(), events, openings, before))


def encode(proof: ProofFile) -> bytes:
    """The one byte form: fields in order, indented by one space, a line feed at the end, UTF-8 unescaped."""
    return msgspec.json.format(msgspec.json.encode(proof), indent=1) + b"\n"


def read(raw: bytes) -> ProofFile:
    """Raises ProofError, in words for people."""
    if len(raw) > LIMIT:
        raise ProofError("the file is too large to be a proof")
    try:
        proof = _decoder.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise ProofError("the file is not a proof file, or was damaged") from None
    if proof.format != (FORMAT_2 if proof.introductions else FORMAT):
        raise ProofError("the proof file has a format this program does not know")
    if encode(proof) != raw:
        raise ProofError("the file was changed: its bytes are not those Carepost writes (spaces, line ends, or order)")
    return proof


def unb64(text: str) -> bytes:
    """Raises ProofError for anything but canonical base64."""
    return canonical.unb64(text, ProofError, "a value in the file")
