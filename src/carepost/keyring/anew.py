"""By the clock: recipients' keys that are known are looked for anew where their owners publish them, a few at a time.
Called by the journal. An engine looks; what it finds comes as an event, and `found.take` judges it: nothing here
replaces a key, and what differs from a pinned one holds the mail (BI-072)."""

import secrets
import uuid
from collections import Counter
from typing import Final, Protocol

from carepost.crypto.rest import Damaged
from carepost.ground import log
from carepost.ground.errors import NotFound, Unavailable
from carepost.keyring.acts import IN_USE, opened
from carepost.keyring.models import Discovery, RecipientKey
from carepost.policy.types import Method
from carepost.tenancy import scope
from carepost.tenancy.endings import DAY_US
from carepost.wire.found import DEFAULT, published

HOUR_US: Final = 3_600_000_000
#: how often: of a found key, of a pinned one; daily from so long before its end until so long after it
FOUND_US, PINNED_US, NEAR_US = 7 * DAY_US, 30 * DAY_US, 30 * DAY_US
#: of one round: rows looked at, questions put, questions put to one domain
ROWS, MOST, OF_A_DOMAIN = 200, 50, 5


class Engine(Protocol):
    """`intake.client.Client`. Raises Unavailable."""

    def seek(self, org: bytes, address: str, method: Method) -> None: ...


def look(engine: Engine, now: int) -> int:
    """How many questions were put; where no engine answers, what was not asked is due still."""
    with scope.every("keys of every organisation's recipients are looked for anew"):
        due = RecipientKey.objects.filter(state=IN_USE, ask_at__lte=now).order_by("ask_at", "pk")
        rows = list(due.values_list("org_id", "pk")[:ROWS])
    asked: Counter[str] = Counter()
    sources: dict[uuid.UUID, set[str]] = {}
    for org, pk in rows:
        if org not in sources:
            sources[org] = _sources(org)
        if asked.total() >= MOST:
            break
        try:
            _one(engine, org, pk, now, sources[org], asked)
        except Unavailable as error:
            log.failure("keys-not-asked-for", error)
            break
    return asked.total()


def _one(engine: Engine, org: uuid.UUID, pk: uuid.UUID, now: int, sources: set[str], asked: Counter[str]) -> None:
    with scope.organisation(org):
        row = RecipientKey.objects.filter(org_id=org, pk=pk, state=IN_USE, ask_at__lte=now).first()
        if row is None:
            return
        at = _next(row, now)
        if not row.ask_at and not _near(row, now):
            # the first of them all, and those that were known before anybody asked by the clock: not all at once
            at = now + secrets.randbelow(FOUND_US)
        elif published([Method(row.method)], sources):
            address = _address(row)
            domain = address.rpartition("@")[2].lower()
            if asked[domain] >= OF_A_DOMAIN:
                at = now + HOUR_US + secrets.randbelow(HOUR_US)
            elif domain:
                engine.seek(org.bytes, address, Method(row.method))
                asked[domain] += 1
        RecipientKey.objects.filter(org_id=org, pk=pk).update(ask_at=at)


def _next(row: RecipientKey, now: int) -> int:
    if _near(row, now):
        return now + DAY_US
    period = PINNED_US if row.pinned else FOUND_US
    # not all of those that came together are asked for together for ever
    at = now + period - secrets.randbelow(period // 10)
    begins = row.not_after - NEAR_US
    return min(at, begins) if row.not_after and begins > now else at


def _near(row: RecipientKey, now: int) -> bool:
    return bool(row.not_after) and abs(row.not_after - now) <= NEAR_US


def _sources(org: uuid.UUID) -> set[str]:
    with scope.organisation(org):
        row = Discovery.objects.filter(org_id=org).first()
    return set(DEFAULT) if row is None else set(row.sources.split())


def _address(row: RecipientKey) -> str:
    """Empty for one that cannot be read: whoever uses it says so."""
    try:
        return opened(row).address
    except (Damaged, NotFound) as error:
        log.failure("recipient-key-unread", error, row=str(row.pk))
        return ""
