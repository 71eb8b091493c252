"""Which table of networks the hits of an organisation are read with, in what faces outside: its own before the
installation's before the one that ships. Read at most once a minute and organisation; while the database is away what
was read last goes on serving, and links go on leading on."""

import ipaddress
import threading
import uuid
from collections import OrderedDict
from collections.abc import Iterable
from typing import Final

from django.db import DatabaseError, transaction

from carepost.engagement.models import Network, SharedNetwork
from carepost.engagement.types import MEANINGS
from carepost.ground import clock
from carepost.tenancy import scope
from carepost.tracking import networks
from carepost.tracking.networks import Networks

#: organisations whose tables are held
_HELD: Final = 10_000


class Tables:
    """`of` from any thread. `fresh`: microseconds a table serves before it is read again."""

    def __init__(self, fresh: int = 60_000_000) -> None:
        self._fresh = fresh
        self._lock = threading.Lock()
        self._known: OrderedDict[bytes, tuple[int, Networks]] = OrderedDict()

    def of(self, org: bytes) -> Networks:
        now = clock.now()
        with self._lock:
            held = self._known.get(org)
            if held is not None and now < held[0]:
                return held[1]
            # whoever asks meanwhile goes on with what there is
            before = held[1] if held is not None else networks.shipped()
            self._keep(org, now, before)
        try:
            table = _read(uuid.UUID(bytes=org))
        except DatabaseError:
            return before
        with self._lock:
            self._keep(org, now, table)
        return table

    def _keep(self, org: bytes, now: int, table: Networks) -> None:
        self._known[org] = (now + self._fresh, table)
        while len(self._known) > _HELD:
            self._known.popitem(last=False)


def _read(org: uuid.UUID) -> Networks:
    # by column: this process may not read the notes
    with scope.organisation(org), transaction.atomic():
        own = list(Network.objects.filter(org_id=org).values_list("prefix", "means"))
        shared = list(SharedNetwork.objects.values_list("prefix", "means"))
    return _over(own, _over(shared, networks.shipped()))


def _over(rows: Iterable[tuple[str, str]], under: Networks) -> Networks:
    table = Networks(under)
    for prefix, means in rows:
        klass = MEANINGS.get(means)
        if klass is not None:
            table.add(ipaddress.ip_network(prefix), klass)
    return table if len(table) else under
