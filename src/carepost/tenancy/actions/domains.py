"""Sender domains and their DKIM pairs (RSA and Ed25519, RFC 8463)."""

import time
import uuid
from collections.abc import Iterable, Sequence
from typing import Final

from django.db import IntegrityError, transaction

from carepost.crypto import dkim
from carepost.ground.errors import NotFound
from carepost.tenancy import keys, names, scope
from carepost.tenancy.act import Doing, act
from carepost.tenancy.models import DkimKey, DomainClaim, SenderDomain, Unit
from carepost.tenancy.permissions import Permission
from carepost.wire.types import Actor

#: algorithm -> last letter of its selector
_PAIR: Final = {"rsa-sha256": "r", "ed25519-sha256": "e"}


def add_domain(
    org: uuid.UUID,
    domain: str,
    *,
    actor: Actor,
    unit: uuid.UUID | None = None,
    algorithms: Sequence[str] = tuple(_PAIR),
) -> SenderDomain:
    """The domain with its DKIM keys, RSA and Ed25519 unless `algorithms` names one; the TXT records to publish are its
    `dkim_keys`. A domain belongs to one organisation; one removed earlier comes back with new keys."""
    if not algorithms or set(algorithms) - set(_PAIR):
        raise names.Wrong("bad-algorithm", f"DKIM algorithms are: {', '.join(_PAIR)}.")
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
        made = _new_keys(doing, row, algorithms)
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


def rotate_dkim(org: uuid.UUID, domain: str, *, actor: Actor) -> list[DkimKey]:
    """New keys under new selectors, of the algorithms it had; the old ones sign nothing more, and their records may go
    after a week."""
    with act(org, Permission.DOMAINS, actor=actor) as doing:
        row = _live(org, domain)
        live = row.dkim_keys.filter(retired_at=0)
        algorithms = [algorithm for algorithm in _PAIR if live.filter(algorithm=algorithm).exists()]
        live.update(retired_at=doing.at)
        made = _new_keys(doing, row, algorithms)
        facts = {"domain": row.domain, "selectors": " ".join(k.selector for k in made)}
        doing.event("domain.dkim-rotated", on=[row.pk, *(k.pk for k in made)], facts=facts)
        doing.tell_engine()
    return made


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


def _new_keys(doing: Doing, domain: SenderDomain, algorithms: Iterable[str]) -> list[DkimKey]:
    base = "c" + time.strftime("%Y%m", time.gmtime(doing.at // 1_000_000))
    taken = set(domain.dkim_keys.values_list("selector", flat=True))
    again = next(n for n in range(1000) if not taken & {_selector(base, n, letter) for letter in _PAIR.values()})
    made = []
    for algorithm in algorithms:
        letter = _PAIR[algorithm]
        selector = _selector(base, again, letter)
        private, record = dkim.generate(algorithm)
        aad = b"dkim|" + doing.org.bytes + b"|" + domain.domain.encode() + b"|" + selector.encode()
        made.append(
            DkimKey.objects.create(
                org_id=doing.org,
                domain=domain,
                selector=selector,
                algorithm=algorithm,
                wrapped=keys.purposes().wrap("dkim", private, aad),
                record=record,
                created_at=doing.at,
            )
        )
    return made


def _selector(base: str, again: int, letter: str) -> str:
    return f"{base}{f'-{again}' if again else ''}{letter}"
