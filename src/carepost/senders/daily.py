"""By the clock, called by the journal: sender domains are looked at once a day, next keys are made where a schedule
asks for them, and signing changes to them once DNS shows them. One domain a call: the others wait their turn."""

import uuid
from typing import Final

from carepost.ground import log
from carepost.ground.errors import CarepostError, NotFound
from carepost.senders import looking, rotation, settings
from carepost.senders.looking import Ask
from carepost.senders.models import Check
from carepost.tenancy import scope, select
from carepost.tenancy.actions import dkim_keys
from carepost.tenancy.models import SenderDomain
from carepost.wire.types import Actor

_JOURNAL: Final = Actor("system", "journal")
#: a domain just added is left alone: its records are being published
FIRST_US: Final = 600_000_000


def step(ask: Ask, now: int) -> bool:
    """Whether a domain was looked at."""
    with scope.every("sender domains of every organisation are looked at once a day"):
        known = Check.objects.filter(domain__removed_at=0)
        row = known.filter(due_at__lte=now).order_by("due_at").values_list("org_id", "domain_id").first()
        if row is None:
            new = SenderDomain.objects.filter(removed_at=0, created_at__lte=now - FIRST_US, org__closed_at=0)
            looked = Check.objects.values("domain_id")
            row = new.exclude(pk__in=looked).order_by("created_at").values_list("org_id", "pk").first()
    if row is None:
        return False
    try:
        one(row[0], row[1], ask, now)
    except CarepostError as error:
        # closed or removed meanwhile: it must not keep the others from their turn
        log.failure("domain-not-looked-at", error)
        _later(row[0], row[1], now)
    return True


def one(org: uuid.UUID, domain: uuid.UUID, ask: Ask, now: int) -> None:
    """Raises NotFound."""
    row = _row(org, domain)
    chosen = settings.choice(org, row)
    if rotation.due(row, chosen.rotate_days, now):
        rotation.make(org, row)
        row = _row(org, domain)
    if chosen.rotate_days and any(key.waits for key in row.dkim_keys.all()):
        shown = rotation.shown(row, ask)
        if all(dkim_keys.shows(key, shown) for key in row.dkim_keys.all() if key.waits):
            dkim_keys.switch(org, row.domain, actor=_JOURNAL, shown=shown)
            row = _row(org, domain)
    looking.look(org, row, ask, actor=_JOURNAL)


def _row(org: uuid.UUID, domain: uuid.UUID) -> SenderDomain:
    found = next((one for one in select.domains(org) if one.pk == domain), None)
    if found is None:
        raise NotFound
    return found


def _later(org: uuid.UUID, domain: uuid.UUID, now: int) -> None:
    with scope.organisation(org):
        if not Check.objects.filter(org_id=org, domain_id=domain).update(due_at=now + looking.DAY_US):
            Check.objects.create(org_id=org, domain_id=domain, due_at=now + looking.DAY_US)
