"""Recipients and their threads: found by the token of an address, made when a first message comes."""

from uuid import UUID

from carepost.mailbox import sealing
from carepost.mailbox.models import Recipient, Thread
from carepost.tenancy.models import fresh_id


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


def new_thread(recipient: Recipient) -> Thread:
    return Thread.objects.create(org_id=recipient.org_id, recipient=recipient)
