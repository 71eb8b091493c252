"""A recipient's own key, uploaded in the portal: taken when its owner typed back a code that only this key opens.

The portal proves who is there before any of this is called. What is proved leaves as an event, and the journal lays it
into the keyring: what faces outside changes nothing an engine believes."""

import hashlib
import hmac
import secrets
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final

import msgspec
from django.db import transaction
from django.db.models import QuerySet

from carepost.crypto.openpgp import certificate as pgp_certificate
from carepost.crypto.openpgp import message as pgp_message
from carepost.crypto.smime import certificate as x509_certificate
from carepost.crypto.smime import message as smime_message
from carepost.crypto.smime.envelope import Recipient
from carepost.ground import clock
from carepost.ground.errors import NotFound, Refused
from carepost.keyring import reading
from carepost.keyring.acts import CHANGED, IN_USE, of_address, opened
from carepost.keyring.models import RecipientKey, Upload
from carepost.policy.types import Method
from carepost.proof import kinds
from carepost.tenancy import events, scope, sealing
from carepost.tenancy.actions.suppression import spelt
from carepost.wire import found as wire
from carepost.wire.found import RECIPIENT, Found
from carepost.wire.types import Actor

#: how long a code counts; tries of it; uploads of one person in an hour; when a row goes
LIFE_US, TRIES, MOST, HOUR_US, KEPT_US = 30 * 60_000_000, 5, 5, 3_600_000_000, 86_400_000_000
_PLACE: Final = "keyring_upload.sealed"
_encode = msgspec.msgpack.Encoder().encode


class Kept(msgspec.Struct, frozen=True):
    """`code`: SHA-256 of the row's id and the code."""

    found: Found
    code: bytes


_kept = msgspec.msgpack.Decoder(Kept)


class Begun(msgspec.Struct, frozen=True):
    """`code` goes to its owner, encrypted by `sealed`, and nowhere else. `until`: UTC microseconds."""

    id: uuid.UUID
    code: str
    until: int
    found: Found

    def sealed(self, mail: bytes) -> bytes:
        """`mail` as only the holder of the key reads it."""
        now = clock.now()
        if self.found.method == Method.OPENPGP.value:
            known = pgp_certificate.read(self.found.raw)
            return pgp_message.seal(mail, [(self.found.address, known)], at=now)
        known_ = x509_certificate.parse(self.found.raw)
        return smime_message.encrypt(mail, [Recipient(known_, known_.capabilities)], now)


class Waiting(msgspec.Struct, frozen=True):
    id: uuid.UUID
    method: str
    fingerprint: str
    tries_left: int
    until: int


class OnFile(msgspec.Struct, frozen=True):
    """`own`: uploaded by this person, who may take it back. `held`: it waits for the organisation's decision."""

    id: str
    method: str
    fingerprint: str
    source: str
    found_at: int
    not_after: int
    own: bool
    held: bool


def begin(org: uuid.UUID, recipient: uuid.UUID, address: str, data: bytes) -> Begun:
    """Raises Refused: what is wrong with the file in words, or too many in an hour."""
    who, now = spelt(address), clock.now()
    read = reading.read(data, who, now)
    # no issuer is needed: its owner proves it
    found = Found(
        who, read.method.value, RECIPIENT, read.raw, read.fingerprint, read.not_after, read.chain, vouched=True
    )
    if found.size > wire.MOST:
        raise Refused("key-too-large", "The key is larger than 64 KB. Export it without photos and old signatures.")
    code = f"{secrets.randbelow(10**8):08d}"
    with _within(org):
        mine = Upload.objects.filter(org_id=org, recipient=recipient)
        if mine.filter(made_at__gt=now - HOUR_US).count() >= MOST:
            raise Refused("too-many-keys", "You uploaded several keys just now. Try again in an hour.", status=429)
        mine.filter(used_at=0).update(until=0)
        Upload.objects.filter(org_id=org, made_at__lt=now - KEPT_US).delete()
        row = Upload(org_id=org, recipient=recipient, made_at=now, until=now + LIFE_US)
        kept = Kept(found, _hash(row.pk, code))
        row.sealed = sealing.seal(org, "evidence", _encode(kept), f"{_PLACE}/{row.pk}")
        row.save(force_insert=True)
    return Begun(row.pk, code, row.until, found)


def waiting(org: uuid.UUID, recipient: uuid.UUID) -> Waiting | None:
    """The one whose code can still be typed."""
    with _within(org):
        row = _live(org, recipient)
        if row is None:
            return None
        found = _open(row).found
    return Waiting(row.pk, found.method, found.fingerprint, TRIES - row.tries, row.until)


def finish(org: uuid.UUID, recipient: uuid.UUID, code: str) -> str:
    """done | wrong | over. A try is counted before anything is compared."""
    typed = "".join(c for c in code if c.isascii() and c.isdigit())[:8]
    with _within(org):
        row = _live(org, recipient)
        if row is None:
            return "over"
        Upload.objects.filter(pk=row.pk, org_id=org).update(tries=row.tries + 1)
        kept = _open(row)
    if not hmac.compare_digest(_hash(row.pk, typed), kept.code):
        return "wrong" if row.tries + 1 < TRIES else "over"
    with _within(org):
        if not Upload.objects.filter(pk=row.pk, org_id=org, used_at=0).update(used_at=clock.now(), until=0):
            return "over"
        facts = {"method": kept.found.method, "source": RECIPIENT}
        _event(org, kinds.KEY_FOUND, recipient, (), facts, {"key": wire.encode(kept.found)})
    return "done"


def forget(org: uuid.UUID, recipient: uuid.UUID) -> None:
    """The owner does not go on with it."""
    with _within(org):
        Upload.objects.filter(org_id=org, recipient=recipient, used_at=0).update(until=0)


def on_file(org: uuid.UUID, recipient: uuid.UUID, address: str) -> tuple[OnFile, ...]:
    """What the organisation encrypts to, or would; the looking is an event (law 7)."""
    with _within(org):
        rows = list(_mine(org, address).order_by("-pk"))
        _event(org, "keyring.own-keys-viewed", recipient, [str(row.pk) for row in rows] or [str(org)], {}, {})
        return tuple(
            OnFile(
                str(row.pk), row.method, opened(row).fingerprint, row.source, row.found_at, row.not_after,
                row.source == RECIPIENT and not row.pinned, row.state == CHANGED,
            )
            for row in rows
        )  # fmt: skip


def take_back(org: uuid.UUID, recipient: uuid.UUID, address: str, key: uuid.UUID) -> None:
    """Raises NotFound for what is not theirs to take back, which says no more than that."""
    with _within(org):
        row = _mine(org, address).filter(pk=key, source=RECIPIENT, pinned=False).first()
        if row is None:
            raise NotFound
        _event(org, kinds.KEY_WITHDRAWN, recipient, [str(row.pk)], {"method": row.method, "source": RECIPIENT}, {})


@contextmanager
def _within(org: uuid.UUID) -> Iterator[None]:
    with scope.organisation(org), transaction.atomic():
        yield


def _mine(org: uuid.UUID, address: str) -> "QuerySet[RecipientKey]":
    return of_address(org, spelt(address)).filter(state__in=(IN_USE, CHANGED))


def _live(org: uuid.UUID, recipient: uuid.UUID) -> Upload | None:
    rows = Upload.objects.filter(org_id=org, recipient=recipient, used_at=0, until__gt=clock.now(), tries__lt=TRIES)
    return rows.select_for_update().order_by("-made_at").first()


def _open(row: Upload) -> Kept:
    return _kept.decode(sealing.open_(row.org_id, "evidence", bytes(row.sealed), f"{_PLACE}/{row.pk}"))


def _hash(row: uuid.UUID, code: str) -> bytes:
    return hashlib.sha256(row.bytes + code.encode()).digest()


def _event(
    org: uuid.UUID, kind: str, recipient: uuid.UUID, on: Sequence[str], facts: Mapping[str, str],
    values: Mapping[str, bytes],
) -> None:  # fmt: skip
    actor = Actor("recipient", str(recipient))
    draft, openings = kinds.make(
        kind, id=events.new_id(), org=str(org), at=clock.now(), actor=(actor.kind, actor.id), on=on, values=values,
        facts=facts,
    )  # fmt: skip
    events.append(draft, openings)
