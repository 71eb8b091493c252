"""By the clock: who may release is told that something waits, and again before its time is over. Called by the journal.

A letter is made of constants, figures and a time: what waits, and why, stands in the console. Where nothing is held
anywhere this asks one figure of the engines and reads no table."""

import datetime
from typing import Final, Protocol

import msgspec
from django.db import transaction

from carepost.ground.errors import Unavailable
from carepost.review.models import Setting
from carepost.review.settings import AT_ONCE, OFF
from carepost.tenancy import letters, scope, select
from carepost.tenancy.letters import HOUR_US
from carepost.tenancy.models import Organisation
from carepost.tenancy.permissions import Permission

DAY_US: Final = 24 * HOUR_US
_TEXT: Final = (
    "{count} to be decided about: held until somebody releases or refuses {them}.\r\n\r\n"
    "{lines}"
    "What it is, why it waits and what you can do stands in the console under Held{where}.\r\n\r\n"
    "Nothing of any message stands in this letter. How often it comes is set there too.\r\n"
)


class Door(letters.Door, Protocol):
    def waits(self) -> dict[bytes, tuple[int, int, int]]: ...


class Waits(msgspec.Struct, frozen=True):
    """Of one organisation: how many wait, since when the newest does, when the next one's time is over (0: never)."""

    held: int
    newest: int
    ends: int


def send(door: Door, now: int, where: str = "") -> int:
    """How many letters. `where`: the console's address. Raises Unavailable, Refused: what was not taken is tried again
    under the same key."""
    try:
        waits = door.waits()
    except Unavailable:
        return 0
    if not waits:
        return 0
    sent = 0
    for org in select.organisations():
        found = waits.get(org.pk.bytes)
        if found is not None:
            sent += _tell(org, Waits(*found), door, now, where)
    return sent


def _tell(org: Organisation, waits: Waits, door: Door, now: int, where: str) -> int:
    with scope.organisation(org.pk):
        row = Setting.objects.filter(org_id=org.pk).first() or Setting(org_id=org.pk)
        soon, fresh = _soon(row, waits, now), _fresh(row, waits, now)
        if not (soon or fresh):
            return 0
        to = [row.address] if row.address else letters.holders(org, Permission.RELEASE)
    # the same letter again after a crash: one key for what it tells of
    mark = f"review:{org.pk}:{row.told_at}:{waits.newest if fresh else 0}:{waits.ends if soon else 0}"
    subject = "Held messages: time runs out" if soon else "Held messages wait for you"
    sent = letters.tell(org, door, key=mark, to=to, subject=subject, text=_text(waits, soon=soon, where=where))
    if not sent:
        return 0
    # COMMIT POINT: a crash before it hands in the same letters again under the same keys, which the door knows.
    with scope.organisation(org.pk), transaction.atomic():
        told = {"told_at": now, "told_upto": max(row.told_upto, waits.newest)}
        if soon:
            told["reminded"] = waits.ends
        Setting.objects.update_or_create(org_id=org.pk, defaults=told)
    return sent


def _fresh(row: Setting, waits: Waits, now: int) -> bool:
    """Something new at once, an hour after the last letter at the earliest; else once a day while anything waits."""
    if row.letters == OFF:
        return False
    if row.letters == AT_ONCE and waits.newest > row.told_upto and now - row.told_at >= HOUR_US:
        return True
    return now - row.told_at >= DAY_US


def _soon(row: Setting, waits: Waits, now: int) -> bool:
    """The time of one is over soon, and nobody was reminded of it."""
    if row.letters == OFF or not row.remind or not waits.ends:
        return False
    return waits.ends > row.reminded and waits.ends - now <= row.remind * HOUR_US


def _text(waits: Waits, *, soon: bool, where: str) -> str:
    count, them = ("One message waits", "it") if waits.held == 1 else (f"{waits.held} messages wait", "them")
    lines = ""
    if waits.ends:
        at = datetime.datetime.fromtimestamp(waits.ends / 1_000_000, datetime.UTC)
        lines = f"The time of the next one is over at {at:%Y-%m-%d %H:%M} UTC"
        lines += "; after it, nobody can release it any more.\r\n\r\n" if soon else ".\r\n\r\n"
    return _TEXT.format(count=count, them=them, lines=lines, where=f" ({where}/held)" if where else "")
