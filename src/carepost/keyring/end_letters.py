"""The letter that says that keys of the organisation's own come to their end: 30, 7 and 0 days before, each step once a
key. Called by the journal. It is made of constants and counts: whose keys they are stands in the console."""

import uuid
from typing import Final, Protocol

from carepost.keyring.models import OwnKey
from carepost.keyring.own_acts import ACTIVE
from carepost.tenancy import letters, scope, select
from carepost.tenancy.endings import DAY_US, STEPS
from carepost.tenancy.letters import Door
from carepost.tenancy.models import Organisation

#: keys named by one letter; the others come with the next
_ROUND: Final = 500
_TEXT: Final = (
    "Keys with which your organisation signs its mail, and opens what comes encrypted, come to their end.\r\n\r\n"
    "- Keys: {count}.\r\n"
    "- The first of them {when}.\r\n\r\n"
    "A key that ran out signs nothing: mail then leaves as protected as before, but unsigned. Rotate each of them\r\n"
    "in the console under Our keys{where}, or by: carepost mailkey rotate\r\n"
)


class Memory(Protocol):
    """What was done last, by name (`archive.marks.Marks`)."""

    def get(self, name: str) -> int: ...

    def put(self, name: str, value: int) -> None: ...


def mail(door: Door, memory: Memory, now: int, where: str = "") -> int:
    """Tells each organisation's alert address what nobody was told yet; how many letters. `where`: the console's
    address. Raises Unavailable, Refused: what was not taken is tried again."""
    return sum(_mail(org, door, memory, now, where) for org in select.organisations() if org.alerts)


def _mail(org: Organisation, door: Door, memory: Memory, now: int, where: str) -> int:
    with scope.organisation(org.pk):
        warned = OwnKey.objects.filter(org_id=org.pk, state=ACTIVE, warned__lte=max(STEPS)).order_by("pk")
        rows = list(warned.values_list("pk", "warned", "not_after")[:_ROUND])
    due = [(pk, _told(days, ends), ends) for pk, days, ends in rows if _fresh(days, ends, memory.get(_name(pk)))]
    if not due:
        return 0
    last = max(due)
    text = _TEXT.format(
        count=len(due), when=_when(min(ends for _, _, ends in due), now), where=f" ({where}/our-keys)" if where else ""
    )
    key, subject = f"own-keys:{last[0]}:{last[1]}:{len(due)}", "Keys of your organisation end soon"
    if not letters.tell(org, door, key=key, to=[org.alerts], subject=subject, text=text):
        return 0
    # COMMIT POINT: a crash before the marks sends the same letter again under the same key, which the door knows.
    for pk, told, _ in due:
        memory.put(_name(pk), told)
    return 1


def _told(days: int, ends: int) -> int:
    """One number for a step of this end: a key whose end was moved begins anew."""
    return ends // DAY_US * 10 + STEPS.index(days) + 1


def _fresh(days: int, ends: int, told: int) -> bool:
    return days in STEPS and (told // 10 != ends // DAY_US or _told(days, ends) > told)


def _name(key: uuid.UUID) -> str:
    return f"own-key-letter:{key}"


def _when(ends: int, now: int) -> str:
    if ends <= now:
        return "has run out"
    days = (ends - now) // DAY_US
    return "ends today" if days == 0 else f"ends in {days} {'day' if days == 1 else 'days'}"
