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
from carepost.tenancy import sealing as columns
from carepost.tenancy.models import fresh_id

#: how long after the last word an answer by mail may join: 180 days
OPEN: Final = 180 * 86_400_000_000


def find_or_make(org: bytes, address: str) -> Recipient:
    """Inside the caller's transaction."""
    token = sealing.address_token(org, address)
    found = Recipient.objects.filter(org_id=UUID(bytes=org), token=token).first()
    if found is not None:
        return found
    row = fresh_id()
    return Recipient.objects.create(
        id=row, org_id=UUID(bytes=org), token=token, address=sealing.seal(org, row, "address", address.encode())
    )


def address(recipient: Recipient) -> str:
    return sealing.open_(recipient.org_id.bytes, recipient.id, "address", recipient.address).decode()


def new_thread(recipient: Recipient, record: DepositRecord) -> Thread:
    """`record`: of the message that begins it."""
    row, org = fresh_id(), recipient.org_id
    known = ThreadRecord(
        record.sender, record.recipient, tokens.mac(sealing.token_key(org.bytes), row.bytes), record.access
    )
    sealed = columns.seal(org, "evidence", msgspec.msgpack.encode(known), f"{threads.PLACE}/{row}")
    return Thread.objects.create(id=row, org_id=org, recipient=recipient, engine=sealed, until=clock.now() + OPEN)


def joined_thread(recipient: Recipient, thread: str) -> Thread | None:
    """The conversation a message says it joins, when it is this person's; it stays open from now on as if new."""
    found = Thread.objects.filter(org_id=recipient.org_id, recipient=recipient, id=UUID(thread)).first()
    if found is not None:
        keep_open(found)
    return found


def keep_open(thread: Thread) -> None:
    """Something was written in it."""
    Thread.objects.filter(org_id=thread.org_id, id=thread.pk).update(until=clock.now() + OPEN)
