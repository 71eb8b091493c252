"""Laying a message into the portal, and taking it out: expiry, retraction, deletion by its recipient.

When the last deposit that could be read ends, ciphertext and content key go with it.
"""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

import msgspec

from carepost.ground import clock
from carepost.ground.errors import NotFound
from carepost.mailbox import bodies, events, people, sealing, tokens
from carepost.mailbox.models import DELETED, EXPIRED, READABLE, RETRACTED, Body, Deposit, Recipient, Thread
from carepost.mailbox.records import DepositRecord
from carepost.mailbox.within import within
from carepost.proof import kinds
from carepost.rfc import address
from carepost.tenancy.models import fresh_id
from carepost.wire.types import Actor

#: 28 days: what the field's portals do when the sender says nothing
DAYS: Final = 28
LIFETIME: Final = DAYS * 86_400_000_000

SYSTEM: Final = Actor("system", "journal")


class NewDeposit(msgspec.Struct, frozen=True):
    """What the journal hands over: the delivery, its record, and the body as the engine encrypted it."""

    org: bytes
    delivery: bytes
    message: bytes
    record: DepositRecord
    #: ciphertext, body format v1
    chunks: Sequence[bytes]
    #: crypto.wrap.wrap_key(organisation's portal key, content key, org + message, version)
    wrapped_key: bytes
    policy: str = ""
    category: str = ""
    rule: str = ""
    #: UTC microseconds; 0: 28 days from now
    expires_at: int = 0
    #: id of the conversation it joins, "" for a new one
    thread: str = ""


class Deposited(msgspec.Struct, frozen=True):
    id: UUID
    link: str
    expires_at: int
    #: False: the delivery was deposited before
    fresh: bool


def deposit(new: NewDeposit, *, actor: Actor = SYSTEM) -> Deposited:
    """Lays one delivery into the portal, once however often it is called. The engine's `delivery.deposited` is its
    event; `actor` is for symmetry with the other actions and must be the journal."""
    if actor.kind != "system":
        raise NotFound
    org = UUID(bytes=new.org)
    with within(new.org):
        found = Deposit.objects.filter(org_id=org, delivery=UUID(bytes=new.delivery)).first()
        if found is not None:
            return Deposited(found.id, found.link, found.expires_at, fresh=False)
        recipient = people.find_or_make(new.org, new.record.recipient)
        row = fresh_id()
        made = Deposit.objects.create(
            id=row,
            org_id=org,
            delivery=UUID(bytes=new.delivery),
            message=UUID(bytes=new.message),
            recipient=recipient,
            thread=_thread(new, recipient),
            body=_body(new),
            link=tokens.new_link(new.org),
            record=sealing.seal_record(new.org, row, new.record),
            proof=new.record.access.kind.value,
            domain=address.domain(new.record.sender),
            policy=new.policy,
            category=new.category,
            rule=new.rule,
            expires_at=new.expires_at or clock.now() + LIFETIME,
        )
    return Deposited(made.id, made.link, made.expires_at, fresh=True)


def _thread(new: NewDeposit, recipient: Recipient) -> Thread:
    found = people.joined_thread(recipient, new.thread) if new.thread else None
    return found or people.new_thread(recipient, new.record)


def _body(new: NewDeposit) -> Body:
    body, _ = Body.objects.get_or_create(
        org_id=UUID(bytes=new.org),
        message=UUID(bytes=new.message),
        defaults={"chunks": msgspec.msgpack.encode(list(new.chunks)), "wrapped_key": new.wrapped_key},
    )
    return body


def expire(org: bytes, *, actor: Actor = SYSTEM, limit: int = 500) -> int:
    """Ends what has passed its date. Returns how many; call again while it equals `limit`."""
    now = clock.now()
    with within(org):
        due = Deposit.objects.select_for_update().filter(
            org_id=UUID(bytes=org), state__in=READABLE, expires_at__lte=now
        )[:limit]
        rows = list(due)
        for row in rows:
            _end(row, EXPIRED, now)
            events.record(kinds.PORTAL_EXPIRED, row, actor=actor)
    return len(rows)


def retract(org: bytes, delivery: bytes, *, actor: Actor, reason: str = "") -> str:
    """Takes a message back from the portal; opened or not, it can be read no more. Returns the state it is in.
    Raises NotFound."""
    with within(org):
        row = Deposit.objects.select_for_update().filter(org_id=UUID(bytes=org), delivery=UUID(bytes=delivery)).first()
        if row is None:
            raise NotFound
        if row.state in READABLE:
            was_opened = row.state
            _end(row, RETRACTED, clock.now())
            events.record(
                kinds.DELIVERY_RETRACTED,
                row,
                actor=actor,
                reason=reason,
                facts={"method": "portal", "state": was_opened},
            )
    return row.state


def delete(row: Deposit, *, actor: Actor, client: str = "") -> None:
    """The recipient's own act, inside the caller's transaction (access.delete_deposit authorises it)."""
    _end(row, DELETED, clock.now())
    events.record(kinds.PORTAL_DELETED, row, actor=actor, client=client)


def _end(row: Deposit, state: str, now: int) -> None:
    """Closes open codes, forgets drafts, and drops the body when nobody else can read it."""
    body = row.body
    row.state, row.ended_at, row.body = state, now, None
    row.save(update_fields=["state", "ended_at", "body"])
    row.challenges.filter(closed_at=0).update(closed_at=now)
    row.replies.filter(sent_at=0).delete()
    if body is not None and not body.deposits.exists():
        bodies.drop(row.org_id, [body])
