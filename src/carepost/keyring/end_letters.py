"""The letters that say that keys of the organisation's own, or its authority, come to their end: 30, 7 and 0 days
before, each step once. Called by the journal. They are made of constants and counts: whose keys they are stands in the
console."""

import uuid
from typing import Any, Final, NamedTuple, Protocol

from carepost.keyring import issuing
from carepost.keyring.models import Authority, OwnKey
from carepost.keyring.own_acts import ACTIVE
from carepost.tenancy import letters, scope, select
from carepost.tenancy.endings import DAY_US, STEPS
from carepost.tenancy.letters import Door
from carepost.tenancy.models import Organisation

#: rows named by one letter; the others come with the next
_ROUND: Final = 500


class _Letter(NamedTuple):
    """One kind of letter. `name`: of its marks and keys, for ever. `text`: with {count}, {when} and {where}."""

    name: str
    table: Any
    state: str
    subject: str
    text: str
    #: page of the console
    page: str


_LETTERS: Final = (
    _Letter(
        "own-key", OwnKey, ACTIVE, "Keys of your organisation end soon",
        "Keys with which your organisation signs its mail, and opens what comes encrypted, come to their end.\r\n\r\n"
        "- Keys: {count}.\r\n"
        "- The first of them {when}.\r\n\r\n"
        "A key that ran out signs nothing: mail then leaves as protected as before, but unsigned. Rotate each of\r\n"
        "them in the console under Our keys{where}, or by: carepost mailkey rotate\r\n",
        "our-keys",
    ),
    _Letter(
        "authority", Authority, issuing.ACTIVE, "The certification authority of your organisation ends soon",
        "The authority that certifies your organisation's keys for S/MIME comes to its end: it {when}.\r\n\r\n"
        "It signs no certificate that holds longer than itself, so keys are not renewed any more, and afterwards\r\n"
        "nobody believes what it signed. Make the next one in good time, in the console under Our keys{where},\r\n"
        "or by: carepost authority make. Then hand its certificate to your partners, and certify the keys anew.\r\n",
        "our-keys/authority",
    ),
)  # fmt: skip


class Memory(Protocol):
    """What was done last, by name (`archive.marks.Marks`)."""

    def get(self, name: str) -> int: ...

    def put(self, name: str, value: int) -> None: ...


def mail(door: Door, memory: Memory, now: int, where: str = "") -> int:
    """Tells each organisation's alert address what nobody was told yet; how many letters. `where`: the console's
    address. Raises Unavailable, Refused: what was not taken is tried again."""
    told = [org for org in select.organisations() if org.alerts]
    return sum(_mail(org, one, door, memory, now, where) for org in told for one in _LETTERS)


def _mail(org: Organisation, kind: _Letter, door: Door, memory: Memory, now: int, where: str) -> int:
    with scope.organisation(org.pk):
        warned = kind.table.objects.filter(org_id=org.pk, state=kind.state, warned__lte=max(STEPS)).order_by("pk")
        rows = list(warned.values_list("pk", "warned", "not_after")[:_ROUND])
    due = [(pk, _told(days, end), end) for pk, days, end in rows if _fresh(days, end, memory.get(_name(kind, pk)))]
    if not due:
        return 0
    last = max(due)
    text = kind.text.format(
        count=len(due),
        when=_when(min(ends for _, _, ends in due), now),
        where=f" ({where}/{kind.page})" if where else "",
    )
    key = f"{kind.name}s:{last[0]}:{last[1]}:{len(due)}"
    if not letters.tell(org, door, key=key, to=[org.alerts], subject=kind.subject, text=text):
        return 0
    # COMMIT POINT: a crash before the marks sends the same letter again under the same key, which the door knows.
    for pk, told, _ in due:
        memory.put(_name(kind, pk), told)
    return 1


def _told(days: int, ends: int) -> int:
    """One number for a step of this end: a key whose end was moved begins anew."""
    return ends // DAY_US * 10 + STEPS.index(days) + 1


def _fresh(days: int, ends: int, told: int) -> bool:
    return days in STEPS and (told // 10 != ends // DAY_US or _told(days, ends) > told)


def _name(kind: _Letter, row: uuid.UUID) -> str:
    return f"{kind.name}-letter:{row}"


def _when(ends: int, now: int) -> str:
    if ends <= now:
        return "has run out"
    days = (ends - now) // DAY_US
    return "ends today" if days == 0 else f"ends in {days} {'day' if days == 1 else 'days'}"
