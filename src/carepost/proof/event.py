"""Events: bytes made once (DESIGN 4). These bytes are the Merkle leaf and are never encoded again."""

import hashlib
from collections.abc import Mapping

import msgspec

from carepost.ground import entropy

#: kinds and fields are only ever added
VERSION = 1


class EventActor(msgspec.Struct, frozen=True, gc=False):
    kind: str
    id: str


class Event(msgspec.Struct, frozen=True, omit_defaults=False, gc=False):
    """Field order is the byte order. Times: UTC microseconds. Ids: UUID text. Nothing personal in any field. Texts
    and numbers alone: the collector need not know of it."""

    v: int
    id: str
    org: str
    #: shard ("shard-0001") or office ("office")
    source: str
    #: gapless per source
    seq: int
    at: int
    kind: str
    actor: EventActor
    on: list[str]
    result: str
    cause: str
    policy: str
    category: str
    #: field -> base16 SHA-256(salt || value)
    commit: dict[str, str]
    #: facts of the act that are not personal (assurance, method, tls version, reason codes), text to text
    facts: dict[str, str] = {}


class Draft(msgspec.Struct, frozen=True, gc=False):
    """An event before its source gave it a number. `personal` is sealed beside it: field -> (salt, value)."""

    id: str
    org: str
    at: int
    kind: str
    actor: EventActor
    on: list[str]
    result: str = "ok"
    cause: str = ""
    policy: str = ""
    category: str = ""
    commit: dict[str, str] = {}
    facts: dict[str, str] = {}


class Personal(msgspec.Struct, frozen=True):
    """The plaintext of an event's sealed part: what the commitments open to."""

    fields: dict[str, tuple[bytes, bytes]]


_encoder = msgspec.json.Encoder(order=None)
_decoder = msgspec.json.Decoder(Event)


def finish(draft: Draft, source: str, seq: int) -> bytes:
    """The event's bytes, under the number its source gives it inside the transaction."""
    return _encoder.encode(
        Event(
            VERSION, draft.id, draft.org, source, seq, draft.at, draft.kind, draft.actor, draft.on,
            draft.result, draft.cause, draft.policy, draft.category, draft.commit, draft.facts,
        )
    )  # fmt: skip


def read(raw: bytes) -> Event:
    """Raises msgspec.DecodeError on anything that is not an event of this version or a later compatible one."""
    return _decoder.decode(raw)


def commit(values: Mapping[str, bytes]) -> tuple[dict[str, str], dict[str, tuple[bytes, bytes]]]:
    """Salted commitments and their openings for `values`: (commit field, fields of Personal)."""
    digests: dict[str, str] = {}
    openings: dict[str, tuple[bytes, bytes]] = {}
    salts = entropy.take(16 * len(values))
    at = 0
    for field, value in values.items():
        salt = salts[at : at + 16]
        at += 16
        digests[field] = hashlib.sha256(salt + value).hexdigest()
        openings[field] = (salt, value)
    return digests, openings
