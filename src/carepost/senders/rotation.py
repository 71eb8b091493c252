"""DKIM keys change: a next key is made, published by a person, seen in DNS, and only then signed with.

The former key stays published for the days that were chosen; then it may go, or be revoked (`dkim_keys.revoke`)."""

import uuid
from typing import Final

from carepost.rfc.asking import Found, Question, Record
from carepost.senders import settings
from carepost.senders.looking import Ask, fresh
from carepost.tenancy import scope
from carepost.tenancy.actions import dkim_keys
from carepost.tenancy.models import DkimKey, SenderDomain
from carepost.tenancy.permissions import Permission, authorise
from carepost.wire.types import Actor

_JOURNAL: Final = Actor("system", "journal")


def shown(row: SenderDomain, ask: Ask) -> dict[str, tuple[bytes, ...]]:
    """selector -> what DNS shows now, of every next key; nothing where it does not answer."""
    asked = fresh(ask)
    found: dict[str, Found] = {}
    for key in row.dkim_keys.all():
        if key.waits:
            found[key.selector] = asked(Question(Record.TXT, f"{key.selector}._domainkey.{row.domain}"))
    return {selector: answer.texts for selector, answer in found.items() if not answer.failed}


def switch(org: uuid.UUID, domain: str, ask: Ask, *, actor: Actor) -> list[DkimKey]:
    """Signing changes to the next keys if DNS shows them now. Raises Refused, NotFound, Forbidden."""
    with scope.organisation(org):
        authorise(actor, Permission.DOMAINS, org)
    row = settings.domain(org, domain)
    return dkim_keys.switch(org, row.domain, actor=actor, shown=shown(row, ask))


def due(row: SenderDomain, rotate_days: int, now: int) -> bool:
    """Whether the schedule asks for next keys."""
    mine = list(row.dkim_keys.all())
    newest = max((key.active_at for key in mine if key.signs), default=0)
    waits = any(key.waits for key in mine)
    return bool(rotate_days) and not waits and now - newest >= rotate_days * settings.DAY_US


def make(org: uuid.UUID, row: SenderDomain) -> None:
    """By the schedule."""
    dkim_keys.make_next(org, row.domain, actor=_JOURNAL)
