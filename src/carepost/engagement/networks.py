"""Networks somebody knows: an organisation's scanner, offices, filters and VPN exits, and those every organisation of
the installation shares. They go before the table that ships, when features of a hit are made; nothing of who asked is
kept for that, so what was seen before stays as it was seen."""

import ipaddress
import uuid
from collections.abc import Iterable
from typing import Final

from django.db import transaction

from carepost.engagement.models import Network, SharedNetwork
from carepost.engagement.types import MEANINGS, Known
from carepost.ground import clock, ids
from carepost.ground.errors import NotFound
from carepost.proof import kinds
from carepost.tenancy import events, names, scope
from carepost.tenancy.act import act
from carepost.tenancy.permissions import COMMAND_LINE, Permission
from carepost.wire.types import Actor

ADDED: Final = "tracking.network-added"
REMOVED: Final = "tracking.network-removed"
#: of one organisation, and of the installation
MOST: Final = 500
#: shortest prefixes: what is wider is nobody's own
_WIDEST: Final = {4: 8, 6: 19}


class _Same(Exception):
    """Nothing would change."""


def add(org: uuid.UUID, prefix: str, means: str, *, note: str = "", actor: Actor, reason: str) -> bool:
    """False where it is so already; a network that is known is said to be `means` from now on. Raises names.Wrong,
    Forbidden."""
    why, network, said = names.words(reason, "reason", longest=500), _network(prefix), _note(note)
    _means(means)
    try:
        with act(org, Permission.TRACKING, actor=actor) as doing:
            row = Network.objects.filter(org_id=org, prefix=network).first()
            if row is None and Network.objects.filter(org_id=org).count() >= MOST:
                raise _many()
            before = row.means if row is not None else ""
            row = row or Network(org_id=org, prefix=network)
            if (row.means, row.note) == (means, said):
                raise _Same
            row.means, row.note, row.changed_at = means, said, doing.at
            row.save()
            # one address may be somebody's: which network it is stands sealed
            facts = {"means": means} | ({"means-before": before} if before else {})
            doing.event(ADDED, on=[row.pk], facts=facts, values={"network": network, "note": said, "reason": why})
    except _Same:
        return False
    return True


def remove(org: uuid.UUID, prefix: str, *, actor: Actor, reason: str) -> None:
    """Raises NotFound, names.Wrong, Forbidden."""
    why, network = names.words(reason, "reason", longest=500), _network(prefix)
    with act(org, Permission.TRACKING, actor=actor) as doing:
        row = Network.objects.filter(org_id=org, prefix=network).first()
        if row is None:
            raise NotFound("This network is not named here.")
        doing.event(REMOVED, on=[row.pk], facts={"means": row.means}, values={"network": network, "reason": why})
        row.delete()


def known(org: uuid.UUID) -> tuple[Known, ...]:
    """The organisation's own, in order of their addresses."""
    with scope.organisation(org):
        return _ordered(Known(r.prefix, r.means, r.note, r.changed_at) for r in Network.objects.filter(org_id=org))


def add_shared(prefix: str, means: str, *, note: str = "") -> bool:
    """For every organisation here; of the machine's own command line alone. False where it is so already."""
    network, said = _network(prefix), _note(note)
    _means(means)
    with transaction.atomic():
        row = SharedNetwork.objects.select_for_update().filter(prefix=network).first()
        if row is None and SharedNetwork.objects.count() >= MOST:
            raise _many()
        row = row or SharedNetwork(prefix=network)
        if (row.means, row.note) == (means, said):
            return False
        row.means, row.note, row.changed_at = means, said, clock.now()
        row.save()
        _tell(row, means)
    return True


def remove_shared(prefix: str) -> None:
    """Raises NotFound, names.Wrong."""
    with transaction.atomic():
        row = SharedNetwork.objects.select_for_update().filter(prefix=_network(prefix)).first()
        if row is None:
            raise NotFound("This network is not named for the installation.")
        _tell(row, "")
        row.delete()


def shared() -> tuple[Known, ...]:
    return _ordered(Known(r.prefix, r.means, r.note, r.changed_at) for r in SharedNetwork.objects.all())


def _tell(row: SharedNetwork, means: str) -> None:
    draft, openings = kinds.make(
        kinds.NETWORKS_CHANGED, id=ids.text(ids.new()), org=ids.text(kinds.HOUSE_ORG), at=clock.now(),
        actor=(COMMAND_LINE.kind, COMMAND_LINE.id), on=[str(row.pk)], facts={"network": row.prefix, "means": means},
    )  # fmt: skip
    events.append(draft, openings)


def _ordered(rows: Iterable[Known]) -> tuple[Known, ...]:
    def place(one: Known) -> tuple[int, int, int]:
        network = ipaddress.ip_network(one.network)
        return network.version, int(network.network_address), network.prefixlen

    return tuple(sorted(rows, key=place))


def _network(typed: str) -> str:
    """The form that is stored. Raises names.Wrong."""
    try:
        network = ipaddress.ip_network(typed.strip()[:64])
    except ValueError:
        raise names.Wrong(
            "bad-network", "A network is an address and a length, with nothing after the length: 192.0.2.0/24."
        ) from None
    if isinstance(network, ipaddress.IPv6Network) and network.network_address.ipv4_mapped is not None:
        raise names.Wrong("bad-network", "Write an IPv4 network as one: 192.0.2.0/24.")
    if network.prefixlen < _WIDEST[network.version]:
        raise names.Wrong("bad-network", f"That is wider than anybody's own: /{_WIDEST[network.version]} is the most.")
    return str(network)


def _note(typed: str) -> str:
    return names.words(typed, "note", empty=True)


def _means(word: str) -> None:
    if word not in MEANINGS:
        raise names.Wrong("bad-meaning", f"A network is one of {', '.join(MEANINGS)}.")


def _many() -> names.Wrong:
    return names.Wrong("too-many", f"At most {MOST} networks can be named; take wider ones.")
