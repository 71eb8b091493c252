"""What a sender domain is asked about, gathered from what was chosen: keys, return path, policy, reports."""

import ipaddress
import uuid
from typing import Final
from urllib.parse import urlsplit

from django.conf import settings

from carepost.destinations import returnpaths
from carepost.destinations.models import SendingAddress, SendingPool
from carepost.directory.sending import PAUSED, Pool, Sending, pool_for
from carepost.engagement.models import Host
from carepost.ground import clock
from carepost.ground.errors import NotFound
from carepost.intake.own import REPORT_NAMES
from carepost.senders import hosts
from carepost.senders.models import Choice
from carepost.senders.types import Address, Asked, Key, Phase, Sts
from carepost.tenancy import names, scope, select
from carepost.tenancy.models import DkimKey, SenderDomain
from carepost.wire.types import Stream

DAY_US: Final = 86_400_000_000
#: how long a former key is shown once its time is over
_SHOWN_US: Final = 60 * DAY_US
#: streams that never wait for a warm-up
_URGENT: Final = frozenset({Stream.SYSTEM, Stream.TRANSACTIONAL})
#: sending addresses asked about
_MOST: Final = 16


def domain(org: uuid.UUID, name: str) -> SenderDomain:
    """By name or id. Raises NotFound."""
    wanted = name.strip().rstrip(".").lower()
    for row in select.domains(org):
        if wanted in (row.domain, str(row.pk)) or (not wanted.isascii() and names.domain(wanted) == row.domain):
            return row
    raise NotFound("There is no such sender domain.")


def choice(org: uuid.UUID, row: SenderDomain) -> Choice:
    """What was chosen; an unsaved one with the defaults where nothing was."""
    with scope.organisation(org):
        return Choice.objects.filter(org_id=org, domain_id=row.pk).first() or Choice(org_id=org, domain=row)


def asked(org: uuid.UUID, row: SenderDomain) -> Asked:
    chosen = choice(org, row)
    portal = next((one.portal_url for one in select.organisations() if one.pk == org), "")
    dmarc, tls = (f"{name}@{row.domain}" for name in REPORT_NAMES)
    return Asked(
        domain=row.domain,
        host=hosts.own_name(settings.CAREPOST_HOSTNAME),
        keys=keys(row, chosen.keep_days, clock.now()),
        addresses=addresses(org, row.domain),
        house=by_house(org, row.domain),
        dmarc=dmarc,
        tls=tls,
        return_path=returnpaths.current(org),
        tracking=tracking(org, row),
        tracking_to=portal_host(portal),
        sts=sts(chosen, portal_host(portal)),
    )


def addresses(org: uuid.UUID, domain: str) -> tuple[Address, ...]:
    """From which mail of the domain may leave, where the organisation has addresses of its own; empty: the house's."""
    with scope.organisation(org):
        others = SendingPool.objects.filter(org_id=org).exclude(domain="").exclude(domain=domain)
        closed = set(others.values_list("name", flat=True))
        rows = SendingAddress.objects.filter(org_id=org).exclude(state=PAUSED).order_by("ip")
        return tuple(Address(row.ip, row.helo) for row in rows[:_MOST] if row.pool not in closed)


def by_house(org: uuid.UUID, domain: str) -> bool:
    """Whether some mail of the domain leaves by the house's own address: a stream without a pool, or one whose
    addresses are all new, which transactional and system mail does not wait for (decision 0032)."""
    with scope.organisation(org):
        pools = tuple(Pool(p.name, tuple(p.streams.split()), p.domain) for p in SendingPool.objects.filter(org_id=org))
        usable = SendingAddress.objects.filter(org_id=org).exclude(state=PAUSED)
        known = {pool: not new for pool, new in sorted(usable.values_list("pool", "warms_from"), reverse=True)}
    sending = Sending(pools=pools)
    for stream in Stream:
        pool = pool_for(sending, stream.value, domain)
        if not pool or pool not in known or (stream in _URGENT and not known[pool]):
            return True
    return False


def tracking(org: uuid.UUID, row: SenderDomain) -> str:
    """The host its tracked links lead over; "": the portal's own."""
    with scope.organisation(org):
        return Host.objects.filter(org_id=org, domain=row.domain).values_list("host", flat=True).first() or ""


def sts(chosen: Choice, host: str = "") -> Sts | None:
    if not chosen.sts_mode:
        return None
    return Sts(chosen.sts_mode, tuple(chosen.sts_mx.split()), chosen.sts_age, chosen.sts_id, host)


def portal_host(url: str) -> str:
    """The host name of an address; "" for one that is an address in numbers, or none."""
    host = urlsplit(url).hostname or ""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return "" if host == "localhost" else host
    return ""


def keys(row: SenderDomain, keep_days: int, now: int) -> tuple[Key, ...]:
    """In use first, then the next, then the former as long as somebody may want to know of them."""
    found = [_key(key, keep_days, now) for key in row.dkim_keys.all()]
    order = list(Phase)
    shown = [
        key for key in found
        if key.phase in (Phase.ACTIVE, Phase.NEXT, Phase.OLD) or now - key.until < _SHOWN_US
    ]  # fmt: skip
    shown.sort(key=lambda key: (key.phase is not Phase.ACTIVE, order.index(key.phase), key.selector))
    return tuple(shown)


def _key(key: DkimKey, keep_days: int, now: int) -> Key:
    if key.signs:
        return Key(key.selector, key.record, Phase.ACTIVE)
    if key.waits:
        return Key(key.selector, key.record, Phase.NEXT)
    if key.revoked_at:
        return Key(key.selector, key.record, Phase.REVOKED, key.revoked_at)
    until = key.retired_at + keep_days * DAY_US
    return Key(key.selector, key.record, Phase.OLD if now < until else Phase.DUE, until)
