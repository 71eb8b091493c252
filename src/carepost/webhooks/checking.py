"""What is typed for an endpoint, checked."""

import datetime
import uuid
from typing import Final

import msgspec
from django.conf import settings

from carepost.ground import outward
from carepost.ground.errors import Unavailable
from carepost.ground.outward import Allowed, Place
from carepost.mailbox import door
from carepost.rfc.asking import Question, Record
from carepost.tenancy import names
from carepost.webhooks.models import Endpoint

CAREPOST, SENDGRID = "carepost", "sendgrid"
FORMATS: Final = (CAREPOST, SENDGRID)
#: endpoints of one organisation
MOST: Final = 50
#: hours an old secret counts beside the new one
OVERLAP, LONGEST_OVERLAP = 24, 168


class Agreement(msgspec.Struct, frozen=True):
    """What lets an endpoint be told what is personal: a business associate agreement, or what stands in its place."""

    reference: str
    #: YYYY-MM-DD
    date: str
    #: the party it was made with
    party: str


def allowed() -> Allowed:
    home = settings.CAREPOST_HOME
    return Allowed(settings.CAREPOST_CONFIG.webhook_hosts, sandbox=home is not None and home.sandbox)


def url(typed: str) -> tuple[str, Place]:
    """As it is stored, and its parts. Raises outward.Wrong: also where its name leads into our own network now."""
    here = allowed()
    found = outward.place(typed, here)
    if not found.literal and found.host != "localhost":
        _leads(found.host, here)
    return typed.strip(), found


def _leads(host: str, here: Allowed) -> None:
    """Asked of an engine's resolver; what cannot be learnt now is judged at each call all the same."""
    try:
        found = [door.client().ask(Question(record, host)).names for record in (Record.A, Record.AAAA)]
    except Unavailable:
        return
    addresses = [one for names_ in found for one in names_]
    if addresses and not any(here.address(one, host) for one in addresses):
        raise outward.Wrong("not-public", "The host leads into a network of our own; nothing is told there.")


def format(typed: str) -> str:
    if typed not in FORMATS:
        raise names.Wrong("bad-format", f"A format is one of {', '.join(FORMATS)}.")
    return typed


def agreement(given: Agreement) -> Agreement:
    """Raises Wrong."""
    try:
        date = datetime.date.fromisoformat(given.date.strip())
    except ValueError:
        raise names.Wrong("bad-date", "The date is written like 2026-11-22.") from None
    return Agreement(
        names.words(given.reference, "reference"), date.isoformat(), names.words(given.party, "party"),
    )  # fmt: skip


def room(org: uuid.UUID) -> None:
    """Raises Wrong where there are as many as there may be."""
    if Endpoint.objects.filter(org_id=org, removed_at=0).count() >= MOST:
        raise names.Wrong("too-many", f"An organisation has at most {MOST} webhooks; remove one that is not needed.")
