"""How an organisation sends: its addresses in pools, its own limits, and lifting what a provider asked for. Each change
is an event, and the engines know of it within two seconds (decision 0032)."""

import ipaddress
import uuid
from collections.abc import Sequence
from typing import Final

from carepost.destinations.models import Asked, ProviderLimit, SendingAddress, SendingPool
from carepost.directory.sending import ACTIVE, DRAINING, HOUSE, PAUSED
from carepost.ground.errors import NotFound
from carepost.pace import providers
from carepost.pace.limits import Limits
from carepost.tenancy import names, select
from carepost.tenancy.act import act
from carepost.tenancy.permissions import Permission
from carepost.wire.types import Actor, Stream

STATES: Final = (ACTIVE, DRAINING, PAUSED)
STREAMS: Final = tuple(one.value for one in Stream)
#: of one organisation
MOST_ADDRESSES, MOST_LIMITS = 256, 200
_HIGHEST: Final = {
    "connections": 200,
    "messages": 10_000,
    "per_minute": 600_000,
    "per_hour": 10_000_000,
    "dials": 6_000,
}
_DAY_US: Final = 86_400_000_000
#: stands for "a person lifted it" where no reply is on record here
LIFTED: Final = "lifted"


def add_pool(org: uuid.UUID, name: str, *, actor: Actor, streams: Sequence[str] = (), domain: str = "") -> SendingPool:
    """`streams`: empty for every one; `domain`: a sender domain, or "" for all. Raises Wrong, Forbidden."""
    called = names.slug(name.strip())
    chosen = _streams(streams)
    sender = _sender(org, domain)
    with act(org, Permission.SENDING, actor=actor) as doing:
        if SendingPool.objects.filter(org_id=org, name=called).exists():
            raise names.Wrong("known-pool", "There is a pool of this name.")
        if SendingPool.objects.filter(org_id=org, streams=" ".join(chosen), domain=sender).exists():
            raise names.Wrong("same-pool", "There is a pool for the same mail; it would be chance which one is taken.")
        row = SendingPool.objects.create(
            org_id=org, name=called, streams=" ".join(chosen), domain=sender, created_at=doing.at
        )
        facts = {"name": called, "streams": row.streams or "all"}
        doing.event("sending.pool-added", on=[row.pk], facts=facts | ({"domain": sender} if sender else {}))
        doing.tell_engine()
    return row


def remove_pool(org: uuid.UUID, name: str, *, actor: Actor, reason: str) -> None:
    """Its mail leaves by another pool that is meant for it, or the house's own address. Its addresses must be gone."""
    why = names.words(reason, "reason", longest=500)
    with act(org, Permission.SENDING, actor=actor) as doing:
        row = SendingPool.objects.filter(org_id=org, name=name).first()
        if row is None:
            raise NotFound("There is no such pool.")
        if SendingAddress.objects.filter(org_id=org, pool=name).exists():
            raise names.Wrong("pool-in-use", "The pool has addresses: take them away, or put them into another.")
        doing.event("sending.pool-removed", on=[row.pk], facts={"name": name}, values={"reason": why})
        row.delete()
        doing.tell_engine()


def add_address(
    org: uuid.UUID, ip: str, pool: str, *, actor: Actor, helo: str = "", warm: bool = True, usual: int = 0
) -> SendingAddress:
    """`helo`: the host name the address answers to, "" for the house's; `warm`: it is new, and a plan begins today;
    `usual`: messages a day to one provider at which the plan ends (0: when nothing holds it any more)."""
    source, name = _ip(ip), names.host(helo) if helo.strip() else ""
    if not 0 <= usual <= 10_000_000:
        raise names.Wrong("bad-number", "The usual number of messages a day is 0 to 10,000,000.")
    with act(org, Permission.SENDING, actor=actor) as doing:
        _pool(org, pool)
        if SendingAddress.objects.filter(org_id=org, ip=source).exists():
            raise names.Wrong("known-address", "This address is in a pool already.")
        if SendingAddress.objects.filter(org_id=org).count() >= MOST_ADDRESSES:
            raise names.Wrong("too-many", f"An organisation has at most {MOST_ADDRESSES} sending addresses.")
        row = SendingAddress.objects.create(
            org_id=org, ip=source, helo=name, pool=pool, state=ACTIVE, created_at=doing.at, usual=usual,
            warms_from=doing.at // _DAY_US if warm else 0,
        )  # fmt: skip
        facts = {"address": source, "name": pool, "warm": "yes" if warm else "no"}
        doing.event("sending.address-added", on=[row.pk], facts=facts | ({"helo": name} if name else {}))
        doing.tell_engine()
    return row


def change_address(
    org: uuid.UUID, ip: str, *, actor: Actor, state: str = "", pool: str = "", helo: str | None = None, reason: str
) -> SendingAddress:
    """active | draining (only what no other can take) | paused (nothing); another pool; another name. "", None: as it
    is. Raises Wrong, NotFound, Forbidden."""
    why = names.words(reason, "reason", longest=500)
    if state and state not in STATES:
        raise names.Wrong("bad-state", f"An address is {', '.join(STATES)}.")
    name = None if helo is None else names.host(helo) if helo.strip() else ""
    with act(org, Permission.SENDING, actor=actor) as doing:
        row = _address(org, ip)
        if pool:
            _pool(org, pool)
        before = f"{row.state} {row.pool} {row.helo}".strip()
        row.state, row.pool = state or row.state, pool or row.pool
        row.helo = row.helo if name is None else name
        row.save(update_fields=["state", "pool", "helo"])
        after = f"{row.state} {row.pool} {row.helo}".strip()
        doing.event(
            "sending.address-changed", on=[row.pk], facts={"address": row.ip, "state": row.state},
            values={"reason": why, "old": before, "new": after},
        )  # fmt: skip
        doing.tell_engine()
    return row


def remove_address(org: uuid.UUID, ip: str, *, actor: Actor, reason: str) -> None:
    why = names.words(reason, "reason", longest=500)
    with act(org, Permission.SENDING, actor=actor) as doing:
        row = _address(org, ip)
        doing.event("sending.address-removed", on=[row.pk], facts={"address": row.ip}, values={"reason": why})
        row.delete()
        doing.tell_engine()


def set_limits(org: uuid.UUID, provider: str, limits: Limits, *, actor: Actor, reason: str) -> ProviderLimit:
    """The organisation's own limits at one provider, or at all without a name (`default`); what is 0 is as the table
    says. Replaces what was set."""
    why = names.words(reason, "reason", longest=500)
    group = _provider(provider)
    for name, highest in _HIGHEST.items():
        if not 0 <= getattr(limits, name) <= highest:
            raise names.Wrong("bad-limit", f"`{name}` is 0 (as the table says) to {highest:,}.")
    if limits.unlimited:
        raise names.Wrong("no-limit", "Say at least one limit; to go back to the table, remove it.")
    with act(org, Permission.SENDING, actor=actor) as doing:
        row = ProviderLimit.objects.filter(org_id=org, provider=group).first()
        if row is None and ProviderLimit.objects.filter(org_id=org).count() >= MOST_LIMITS:
            raise names.Wrong("too-many", f"An organisation has limits of its own at {MOST_LIMITS} providers at most.")
        row = row or ProviderLimit(org_id=org, provider=group)
        for name in _HIGHEST:
            setattr(row, name, getattr(limits, name))
        row.changed_at = doing.at
        row.save()
        said = {name.replace("_", "-"): str(getattr(limits, name)) for name in _HIGHEST if getattr(limits, name)}
        doing.event(
            "sending.limits-set", on=[row.pk], facts={"provider": group}, values={"reason": why, "new": str(said)}
        )
        doing.tell_engine()
    return row


def clear_limits(org: uuid.UUID, provider: str, *, actor: Actor, reason: str) -> None:
    why = names.words(reason, "reason", longest=500)
    with act(org, Permission.SENDING, actor=actor) as doing:
        row = ProviderLimit.objects.filter(org_id=org, provider=_provider(provider)).first()
        if row is None:
            raise NotFound("There are no limits of your own at this provider.")
        doing.event("sending.limits-cleared", on=[row.pk], facts={"provider": row.provider}, values={"reason": why})
        row.delete()
        doing.tell_engine()


def lift(org: uuid.UUID, provider: str, *, actor: Actor, source: str = HOUSE, reason: str) -> None:
    """Ends now what this provider asked of this source (an address of the organisation, or "" for the house's own).
    What it asks from now on holds again."""
    why = names.words(reason, "reason", longest=500)
    group = _provider(provider)
    with act(org, Permission.SENDING, actor=actor) as doing:
        if source:
            _address(org, source)
        rows = Asked.objects.filter(org_id=org, source=source, provider=group)
        by = f"{actor.kind}:{actor.id}"
        open_ = list(rows.filter(until__gt=doing.at, lifted_at=0).values_list("reaction", flat=True))
        rows.update(lifted_at=doing.at, lifted_by=by)
        mark, _ = Asked.objects.update_or_create(
            org_id=org, source=source, provider=group, reaction=LIFTED,
            defaults={"since": doing.at, "until": doing.at, "lifted_at": doing.at, "lifted_by": by},
        )  # fmt: skip
        facts = {"provider": group, "count": str(len(open_))} | ({"address": source} if source else {})
        doing.event("sending.lifted", on=[mark.pk], facts=facts, values={"reason": why})
        doing.tell_engine()


def _streams(streams: Sequence[str]) -> tuple[str, ...]:
    if any(one not in STREAMS for one in streams):
        raise names.Wrong("bad-stream", f"A stream is one of {', '.join(STREAMS)}.")
    return tuple(one for one in STREAMS if one in streams)


def _sender(org: uuid.UUID, domain: str) -> str:
    if not domain.strip():
        return ""
    name = names.domain(domain)
    if name not in [row.domain for row in select.domains(org)]:
        raise names.Wrong("not-yours", "This is no sender domain of the organisation.")
    return name


def _provider(typed: str) -> str:
    name = typed.strip().lower()
    if not providers.NAME.fullmatch(name):
        raise names.Wrong("bad-provider", "A provider is a name of the table, or the domain of mail servers.")
    return name


def _ip(typed: str) -> str:
    try:
        found = ipaddress.ip_address(typed.strip())
    except ValueError:
        raise names.Wrong("bad-address", "This is no IP address.") from None
    if found.is_unspecified or found.is_multicast:
        raise names.Wrong("bad-address", "Mail cannot be sent from this address.")
    return str(found)


def _pool(org: uuid.UUID, name: str) -> SendingPool:
    row = SendingPool.objects.filter(org_id=org, name=name).first()
    if row is None:
        raise names.Wrong("no-pool", "There is no pool of this name: add it first.")
    return row


def _address(org: uuid.UUID, ip: str) -> SendingAddress:
    row = SendingAddress.objects.filter(org_id=org, ip=_ip(ip)).first()
    if row is None:
        raise NotFound("There is no such sending address.")
    return row
