"""Letters to those who look after an organisation: who gets them, and from which of its addresses they come. Who writes
one says what changed in constants and counts, and remembers that it was told."""

from collections.abc import Sequence
from typing import Final, Protocol

from carepost.intake.letters import letter
from carepost.tenancy import select
from carepost.tenancy.models import Organisation
from carepost.tenancy.permissions import Permission, permissions_of_roles
from carepost.wire.types import Accepted, Actor, Submission

#: between two letters of one kind to one organisation
HOUR_US: Final = 3_600_000_000
#: addresses one letter goes to at most
MOST: Final = 50
_ACTOR: Final = Actor("system", "journal")


class Door(Protocol):
    """The one door (`intake.client.Client`). Raises Unavailable, Refused."""

    def accept(self, submission: Submission) -> Accepted: ...


def sender(org: Organisation) -> str:
    """The sender domain such letters come from; empty: there is none, and no letter can be written."""
    return next((row.domain for row in select.domains(org.pk)), "")


def holders(org: Organisation, permission: Permission) -> list[str]:
    """Addresses of the staff who hold a permission, at most `MOST`."""
    found = {
        member.staff.email
        for member in select.staff(org.pk)
        if permission in permissions_of_roles(frozenset({member.role}))
    }
    return sorted(found)[:MOST]


def write(org: Organisation, key: str, domain: str, to: str, subject: str, text: str) -> Submission:
    """One letter, once however often it is handed over under this `key`."""
    name = org.notice_name or org.name
    return letter(
        org.pk.bytes, key=key, name=name, domain=domain, to=to, subject=subject, text=text, actor=_ACTOR
    )  # fmt: skip


def tell(org: Organisation, door: Door, *, key: str, to: Sequence[str], subject: str, text: str) -> int:
    """Hands one letter in for each address; how many. 0: there is nobody to write to, or no domain to write from. What
    is called after it and does not reach its commit hands in the same letters again, which the door knows by their
    keys. Raises Unavailable, Refused."""
    domain = sender(org) if to else ""
    if not domain:
        return 0
    for number, address in enumerate(to):
        door.accept(write(org, f"{key}:{number}", domain, address, subject, text))
    return len(to)
