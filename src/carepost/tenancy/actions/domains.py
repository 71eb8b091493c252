"""Sender domains: each belongs to one organisation, and comes with a DKIM pair."""

import uuid
from collections.abc import Sequence

from django.db import IntegrityError, transaction

from carepost.ground.errors import NotFound
from carepost.tenancy import names, scope
from carepost.tenancy.act import act
from carepost.tenancy.actions import dkim_keys
from carepost.tenancy.models import DomainClaim, SenderDomain, Unit
from carepost.tenancy.permissions import Permission
from carepost.wire.types import Actor


def add_domain(
    org: uuid.UUID,
    domain: str,
    *,
    actor: Actor,
    unit: uuid.UUID | None = None,
    algorithms: Sequence[str] = tuple(dkim_keys.PAIR),
) -> SenderDomain:
    """The domain with its DKIM keys, RSA and Ed25519 unless `algorithms` names one; the TXT records to publish are its
    `dkim_keys`. A domain belongs to one organisation; one removed earlier comes back with new keys."""
    if not algorithms or set(algorithms) - set(dkim_keys.PAIR):
        raise names.Wrong("bad-algorithm", f"DKIM algorithms are: {', '.join(dkim_keys.PAIR)}.")
    name = names.domain(domain)
    with act(org, Permission.DOMAINS, actor=actor) as doing:
        if unit is not None and not Unit.objects.filter(org_id=org, pk=unit).exists():
            raise NotFound("There is no such unit.")
        _claim(name, org)
        row = SenderDomain.objects.filter(org_id=org, domain=name).first()
        if row is not None and not row.removed_at:
            raise names.Wrong("taken", f"{name} is a sender domain here already.")
        row = row or SenderDomain(org_id=org, domain=name, created_at=doing.at)
        row.unit_id, row.removed_at = unit, 0
        row.save()
        made = dkim_keys.new(doing, row, algorithms, signs=True)
        on = [row.pk, *(key.pk for key in made)]
        doing.event("domain.added", on=on, facts={"domain": name, "selectors": " ".join(k.selector for k in made)})
        doing.tell_engine()
    return row


def remove_domain(org: uuid.UUID, domain: str, *, actor: Actor, reason: str) -> None:
    """Nothing is accepted from it any more; its DKIM keys are retired."""
    with act(org, Permission.DOMAINS, actor=actor) as doing:
        row = _live(org, domain)
        row.removed_at = doing.at
        row.save(update_fields=["removed_at"])
        row.dkim_keys.filter(retired_at=0).update(retired_at=doing.at)
        with scope.every("claims of domains are shared by all organisations"):
            DomainClaim.objects.filter(domain=row.domain, owner=org).delete()
        doing.event("domain.removed", on=[row.pk], facts={"domain": row.domain}, values={"reason": reason})
        doing.tell_engine()


def _live(org: uuid.UUID, domain: str) -> SenderDomain:
    row = SenderDomain.objects.filter(org_id=org, domain=names.domain(domain), removed_at=0).first()
    if row is None:
        raise NotFound("There is no such sender domain.")
    return row


def _claim(name: str, org: uuid.UUID) -> None:
    try:
        with transaction.atomic():
            claim, _ = DomainClaim.objects.get_or_create(domain=name, defaults={"owner": org})
    except IntegrityError:
        claim = DomainClaim.objects.get(domain=name)
    if claim.owner != org:
        # the same answer whoever it belongs to
        raise names.Wrong("taken", f"{name} belongs to another organisation of this installation.")
