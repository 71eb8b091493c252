"""Recipients and their threads: found by the token of an address, made when a first message comes."""

from typing import Final
from uuid import UUID

import msgspec

from carepost.directory import threads
from carepost.directory.threads import ThreadRecord
from carepost.ground import clock
from carepost.mailbox import sealing, tokens
from carepost.mailbox.models import Recipient, Thread
from carepost.mailbox.records import DepositRecord
from carepost.tenancy import keys
from carepost.tenancy import sealing as columns
from carepost.tenancy.address_tokens import Standing
from carepost.tenancy.models import Organisation, fresh_id

#: how long after the last word an answer by mail may join: 180 days
OPEN: Final = 180 * 86_400_000_000


def find_or_make(org: bytes, address: str) -> Recipient:
    """Inside the caller's transaction."""
    found = _found(org, sealing.standing(org), address)
    if found is not None:
        return found
    # whoever changes the key, or moves people to a newer one, holds this too: nobody is made twice meanwhile
    list(Organisation.objects.select_for_update(no_key=True).filter(pk=UUID(bytes=org)).values_list("pk"))
    now = sealing.standing(org)
    found = _found(org, now, address)
    if found is not None:
        return found
    row, (token, *_) = fresh_id(), sealing.address_tokens_of(now, address)
    return Recipient.objects.create(
        id=row, org_id=UUID(bytes=org), token=token, under=now.version,
        address=sealing.seal(org, row, "address", address.encode()),
    )  # fmt: skip


def _found(org: bytes, known: Standing, address: str) -> Recipient | None:
    tokens_of = sealing.address_tokens_of(known, address)
    return Recipient.objects.filter(org_id=UUID(bytes=org), token__in=tokens_of).order_by("-under").first()


def address(recipient: Recipient) -> str:
    return sealing.open_(recipient.org_id.bytes, recipient.id, "address", recipient.address).decode()


def new_thread(recipient: Recipient, record: DepositRecord) -> Thread:
    """`record`: of the message that begins it."""
    row, org = fresh_id(), recipient.org_id
    mac = tokens.mac(_newest(org), row.bytes)
    sealed = _sealed(org, row, ThreadRecord(record.sender, record.recipient, mac, record.access))
    return Thread.objects.create(id=row, org_id=org, recipient=recipient, engine=sealed, until=clock.now() + OPEN)


def reply_to(org: UUID, thread: UUID, portal: str) -> str:
    """Where an answer by mail to a conversation goes, under the newest key; the engine knows it once the caller's
    transaction is committed, and goes on knowing what a former key made. `portal`: the organisation's address."""
    key = _newest(org)
    # COMMIT POINT: (the caller's) before it no mail has left with this address; after it the engine knows it
    row = Thread.objects.select_for_update().get(org_id=org, id=thread)
    if row.engine:
        known = threads.read(columns.open_(org, "evidence", bytes(row.engine), _place(thread)))
        mac = tokens.mac(key, thread.bytes)
        if mac not in known.macs:
            row.engine = _sealed(org, thread, msgspec.structs.replace(known, later=(*known.later, mac)))
            row.save(update_fields=["engine"])
    return tokens.reply_to(key, portal, thread.bytes)


def _newest(org: UUID) -> bytes:
    return sealing.token_key(keys.current(org, sealing.PURPOSE)[1])


def _sealed(org: UUID, thread: UUID, known: ThreadRecord) -> bytes:
    return columns.seal(org, "evidence", msgspec.msgpack.encode(known), _place(thread))


def _place(thread: UUID) -> str:
    return f"{threads.PLACE}/{thread}"


def joined_thread(recipient: Recipient, thread: str) -> Thread | None:
    """The conversation a message says it joins, when it is this person's; it stays open from now on as if new."""
    found = Thread.objects.filter(org_id=recipient.org_id, recipient=recipient, id=UUID(thread)).first()
    if found is not None:
        keep_open(found)
    return found


def keep_open(thread: Thread) -> None:
    """Something was written in it."""
    Thread.objects.filter(org_id=thread.org_id, id=thread.pk).update(until=clock.now() + OPEN)
