"""DKIM keys of sender domains (RSA-2048 and Ed25519, RFC 8463): a next key, signing changes to it, one is revoked.

A next key signs nothing until DNS shows it. The engines know of a change within two seconds (the epoch)."""

import time
import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from carepost.crypto import dkim, dkim_record
from carepost.ground.errors import NotFound, Refused
from carepost.tenancy import keys, names
from carepost.tenancy.act import Doing, act
from carepost.tenancy.models import DkimKey, SenderDomain
from carepost.tenancy.permissions import Permission
from carepost.wire.types import Actor

#: algorithm -> last letter of its selector
PAIR: Final = {dkim.RSA: "r", dkim.ED25519: "e"}


def make_next(org: uuid.UUID, domain: str, *, actor: Actor, algorithms: Sequence[str] = ()) -> list[DkimKey]:
    """New keys under new selectors, to be published; those in use sign on. `algorithms`: none means those in use.
    Raises Wrong, NotFound, Refused where next keys wait already, Forbidden."""
    if set(algorithms) - set(PAIR):
        raise names.Wrong("bad-algorithm", f"DKIM algorithms are: {', '.join(PAIR)}.")
    with act(org, Permission.DOMAINS, actor=actor) as doing:
        row = _domain(org, domain)
        mine = list(row.dkim_keys.filter(retired_at=0))
        if any(key.waits for key in mine):
            raise Refused("next-waits", "A next key waits already: publish it, or revoke it.", status=409)
        used = {key.algorithm for key in mine}
        made = new(doing, row, [one for one in PAIR if one in (algorithms or used or PAIR)], signs=False)
        doing.event("domain.dkim-next", on=_on(row, made), facts=_facts(row, made))
    return made


def switch(org: uuid.UUID, domain: str, *, actor: Actor, shown: Mapping[str, Sequence[bytes]]) -> list[DkimKey]:
    """Signing changes to the next keys; the former sign nothing more and stay published for mail on its way. `shown`:
    selector -> the TXT records DNS shows there now. Raises Refused unless it shows every next key, NotFound,
    Forbidden."""
    with act(org, Permission.DOMAINS, actor=actor) as doing:
        row = _domain(org, domain)
        mine = list(row.dkim_keys.filter(retired_at=0).order_by("selector"))
        waiting = [key for key in mine if key.waits]
        if not waiting:
            raise Refused("no-next", "There is no next key; make one first.", status=409)
        hidden = [key.selector for key in waiting if not shows(key, shown)]
        if hidden:
            missing = ", ".join(f"{selector}._domainkey.{row.domain}" for selector in hidden)
            raise Refused(
                "not-shown", f"DNS does not show the next key at {missing}; mail is signed as before.", status=409
            )
        former = [key for key in mine if key.signs]
        row.dkim_keys.filter(pk__in=[key.pk for key in former]).update(retired_at=doing.at)
        row.dkim_keys.filter(pk__in=[key.pk for key in waiting]).update(active_at=doing.at)
        facts = _facts(row, waiting) | {"former": " ".join(key.selector for key in former)}
        doing.event("domain.dkim-rotated", on=_on(row, waiting), facts=facts)
        doing.tell_engine()
    return waiting


def revoke(org: uuid.UUID, domain: str, selector: str, *, actor: Actor, reason: str) -> DkimKey:
    """Nobody may believe this key from now on: its record is to be published empty (RFC 6376 3.6.1). Raises Refused
    for the last key that signs, NotFound, Forbidden."""
    why = names.words(reason, "reason", longest=500)
    with act(org, Permission.DOMAINS, actor=actor) as doing:
        row = _domain(org, domain)
        key = row.dkim_keys.filter(selector=selector.strip().lower(), revoked_at=0).first()
        if key is None:
            raise NotFound("There is no such key, or it is revoked.")
        if key.signs and not row.dkim_keys.filter(active_at__gt=0, retired_at=0).exclude(pk=key.pk).exists():
            raise Refused(
                "last-key",
                "Mail would leave unsigned. Make the next key, publish it, and switch to it first.",
                status=409,
            )
        key.revoked_at = doing.at
        key.retired_at = key.retired_at or doing.at
        key.save(update_fields=["revoked_at", "retired_at"])
        doing.event("domain.dkim-revoked", on=_on(row, [key]), facts=_facts(row, [key]), values={"reason": why})
        doing.tell_engine()
    return key


def shows(key: DkimKey, shown: Mapping[str, Sequence[bytes]]) -> bool:
    return dkim_record.shows(key.record, shown.get(key.selector, ()))


def new(doing: Doing, domain: SenderDomain, algorithms: Iterable[str], *, signs: bool) -> list[DkimKey]:
    """Within an action: keys under selectors the domain never had."""
    base = "c" + time.strftime("%Y%m", time.gmtime(doing.at // 1_000_000))
    taken = set(domain.dkim_keys.values_list("selector", flat=True))
    again = next(n for n in range(1000) if not taken & {_selector(base, n, letter) for letter in PAIR.values()})
    made = []
    for algorithm in algorithms:
        selector = _selector(base, again, PAIR[algorithm])
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
                active_at=doing.at if signs else 0,
            )
        )
    return made


def _domain(org: uuid.UUID, domain: str) -> SenderDomain:
    row = SenderDomain.objects.filter(org_id=org, domain=names.domain(domain), removed_at=0).first()
    if row is None:
        raise NotFound("There is no such sender domain.")
    return row


def _on(row: SenderDomain, made: Iterable[DkimKey]) -> list[uuid.UUID]:
    return [row.pk, *(key.pk for key in made)]


def _facts(row: SenderDomain, made: Iterable[DkimKey]) -> dict[str, str]:
    return {"domain": row.domain, "selectors": " ".join(key.selector for key in made)}


def _selector(base: str, again: int, letter: str) -> str:
    return f"{base}{f'-{again}' if again else ''}{letter}"
