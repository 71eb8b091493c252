"""The one place where what a shard keeps of people is sealed and opened (DESIGN 5).

Content (the body) has a fresh key for every message, wrapped by the organisation's content key. Evidence (records of
message and delivery, openings of events, answers under a key) is sealed under the organisation's evidence key of the
month: HKDF-SHA256(evidence key, "carepost/evidence/" + "2026-11"). The month of a record is that in which its message
was accepted (its id says so), the month of an event that of the event. Usable without a shard, by the journal too."""

import time
from collections.abc import Callable
from functools import lru_cache
from typing import Protocol, TypeVar

import msgspec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from carepost.crypto import rest, wrap
from carepost.ground import ids
from carepost.ground.errors import NotFound, Unavailable
from carepost.ground.orgkeys import OrgKeys
from carepost.proof import event, openings
from carepost.proof.event import Draft, Event
from carepost.queue.types import DeliveryRecord, EventDraft, MessageRecord, StoredBody
from carepost.wire.types import Accepted, Drained

CONTENT = "content"
EVIDENCE = "evidence"
_HEAD = 4
_HOUR = 3_600_000_000

_encoder = msgspec.msgpack.Encoder()
_messages = msgspec.msgpack.Decoder(MessageRecord)
_deliveries = msgspec.msgpack.Decoder(DeliveryRecord)
_answers = msgspec.msgpack.Decoder(Accepted)

#: (organisation, purpose, version or None for the newest) -> (version, wrapped key); NotFound, Unavailable
Find = Callable[[bytes, str, int | None], tuple[int, bytes]]
Value = TypeVar("Value")


class OrgKeyBook(Protocol):
    """Organisations' keys, opened."""

    def current(self, org: bytes, purpose: str) -> tuple[int, bytes]:
        """(version, 32 bytes): what is sealed with. Raises NotFound, Unavailable."""

    def version(self, org: bytes, purpose: str, version: int) -> bytes:
        """What was sealed with earlier. Raises NotFound, Unavailable."""


class KeyBook:
    """An OrgKeyBook over wherever wrapped keys stand (the directory, a table). What it opened once it remembers: a
    delivery already under way is settled also while the office cannot be read."""

    def __init__(self, org_keys: OrgKeys, find: Find) -> None:
        self._org_keys = org_keys
        self._find = find
        #: (version, key, wrapped) as last found
        self._current: dict[tuple[bytes, str], tuple[int, bytes, bytes]] = {}
        self._versions: dict[tuple[bytes, str, int], bytes] = {}

    def current(self, org: bytes, purpose: str) -> tuple[int, bytes]:
        known = self._current.get((org, purpose))
        try:
            version, wrapped = self._find(org, purpose, None)
        except Unavailable:
            if known is None:
                raise
            return known[:2]
        if known is not None and known[2] is wrapped:
            return known[:2]
        key = self._org_keys.open(org, purpose, version, wrapped)
        self._current[org, purpose] = (version, key, wrapped)
        self._versions[org, purpose, version] = key
        return version, key

    def version(self, org: bytes, purpose: str, version: int) -> bytes:
        known = self._versions.get((org, purpose, version))
        if known is not None:
            return known
        _, wrapped = self._find(org, purpose, version)
        key = self._versions[org, purpose, version] = self._org_keys.open(org, purpose, version, wrapped)
        return key


@lru_cache(maxsize=4096)
def _month_key(evidence_key: bytes, month: str) -> bytes:
    info = b"carepost/evidence/" + month.encode()
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=info).derive(evidence_key)


@lru_cache(maxsize=256)
def _month_of_hour(hour: int) -> str:
    return time.strftime("%Y-%m", time.gmtime(hour * 3600))


def month_key(evidence_key: bytes, at: int) -> bytes:
    """The evidence key of the month of `at` (UTC microseconds)."""
    return _month_key(evidence_key, _month_of_hour(at // _HOUR))


def _aad(head: bytes, org: bytes, message: bytes, part: bytes) -> bytes:
    return b"carepost record" + head + org + message + part


def _content_aad(org: bytes, message: bytes) -> bytes:
    return org + message


class MessageSeal:
    """Seals what belongs to one message; keys are looked up once."""

    def __init__(self, book: OrgKeyBook, org: bytes, message: bytes) -> None:
        version, key = book.current(org, EVIDENCE)
        self._org, self._message = org, message
        self._version = version
        self._head = version.to_bytes(_HEAD, "big")
        self._evidence = key
        at = ids.made_at(message)
        self._hour = at // _HOUR
        self._month = month_key(key, at)
        self._cipher = rest.cipher(self._month)

    def message(self, record: MessageRecord) -> bytes:
        return self._seal(record, b"message")

    def delivery(self, delivery: bytes, record: DeliveryRecord) -> bytes:
        return self._seal(record, delivery)

    def answer(self, accepted: Accepted) -> bytes:
        return self._seal(accepted, b"answer")

    def openings(self, new: EventDraft) -> bytes:
        draft = new.draft
        # most events of a message come in the hour of its own
        key = self._month if draft.at // _HOUR == self._hour else month_key(self._evidence, draft.at)
        return openings.seal(key, self._version, self._org, draft.id, new.personal)

    def _seal(self, value: object, part: bytes) -> bytes:
        head = self._head
        aad = _aad(head, self._org, self._message, part)
        return head + rest.seal_under(self._cipher, _encoder.encode(value), aad)


def seal_openings(book: OrgKeyBook, org: bytes, draft: Draft, personal: dict[str, tuple[bytes, bytes]]) -> bytes:
    """What is personal of an event of ours that belongs to no message."""
    version, key = book.current(org, EVIDENCE)
    return openings.seal(month_key(key, draft.at), version, org, draft.id, personal)


def seal_body(book: OrgKeyBook, org: bytes, message: bytes, body: bytes) -> tuple[tuple[bytes, ...], bytes]:
    """(ciphertext chunks, wrapped content key)."""
    version, org_key = book.current(org, CONTENT)
    content_key = rest.new_key()
    wrapped = wrap.wrap_key(org_key, content_key, _content_aad(org, message), version)
    return tuple(rest.seal_body(content_key, org, message, body)), wrapped


class Opener:
    """Opens what `drain`, `body` and `lookup` hold. Raises Damaged; Unavailable while no key can be read."""

    def __init__(self, book: OrgKeyBook) -> None:
        self._book = book

    def event(self, row: Drained) -> Event:
        return event.read(row.event)

    def personal(self, row: Drained) -> dict[str, tuple[bytes, bytes]]:
        """field -> (salt, value) of an event; {} where nothing is personal."""
        if not row.sealed:
            return {}
        return self.openings(row.org, event.read(row.event), row.sealed)

    def openings(self, org: bytes, of: Event, sealed: bytes) -> dict[str, tuple[bytes, bytes]]:
        """`personal`, for who has read the event already."""
        if not sealed:
            return {}
        evidence = self._book.version(org, EVIDENCE, openings.key_version(sealed))
        return openings.open_(month_key(evidence, of.at), org, of.id, sealed)

    def message_record(self, org: bytes, message: bytes, sealed: bytes) -> MessageRecord:
        return self._open(_messages, org, message, b"message", sealed)

    def delivery_record(self, org: bytes, message: bytes, delivery: bytes, sealed: bytes) -> DeliveryRecord:
        return self._open(_deliveries, org, message, delivery, sealed)

    def answer(self, org: bytes, message: bytes, sealed: bytes) -> Accepted:
        return self._open(_answers, org, message, b"answer", sealed)

    def body(self, org: bytes, message: bytes, stored: StoredBody) -> bytes:
        """The plaintext. The content purpose is needed besides evidence."""
        key = self.content_key(org, message, stored.wrapped_key)
        return rest.open_body(key, org, message, list(stored.chunks))

    def content_key(self, org: bytes, message: bytes, wrapped: bytes) -> bytes:
        org_key = self._book.version(org, CONTENT, wrap.version(wrapped))
        return wrap.unwrap_key(org_key, wrapped, _content_aad(org, message))

    def _open(
        self, decoder: "msgspec.msgpack.Decoder[Value]", org: bytes, message: bytes, part: bytes, sealed: bytes
    ) -> Value:
        head = sealed[:_HEAD]
        try:
            evidence = self._book.version(org, EVIDENCE, int.from_bytes(head, "big"))
        except NotFound:
            raise rest.Damaged("sealed under a key that is gone, or cut") from None
        key = month_key(evidence, ids.made_at(message))
        plain = rest.open_(key, sealed[_HEAD:], _aad(head, org, message, part))
        try:
            return decoder.decode(plain)
        except msgspec.MsgspecError:
            raise rest.Damaged("a record of an unknown form") from None


def no_keys(org: bytes, purpose: str, version: int | None) -> tuple[int, bytes]:
    """A `Find` that knows nothing."""
    raise NotFound("There is no such key.")
