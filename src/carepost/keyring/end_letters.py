"""The letters that say that keys come to their end, 30, 7 and 0 days before, each step once: the organisation's own
and its authority's, and recipients', of which one letter a day tells. Called by the journal. They are made of constants
and counts: whose keys they are stands in the console."""

import uuid
from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple, Protocol

from django.db.models import Count, Min, Q

from carepost.keyring import issuing
from carepost.keyring.acts import IN_USE
from carepost.keyring.models import Authority, OwnKey, RecipientKey
from carepost.keyring.own_acts import ACTIVE
from carepost.tenancy import letters, scope, select
from carepost.tenancy.endings import DAY_US, STEPS
from carepost.tenancy.letters import Door
from carepost.tenancy.models import Organisation

#: rows read at once; a letter tells of what is new in them, and the next of those beyond
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
_RECIPIENTS: Final = (
    "Keys and certificates of people your organisation writes to come to their end.\r\n\r\n"
    "- Keys: {count}.\r\n"
    "- The first of them {when}.\r\n\r\n"
    "Nothing is encrypted to a key that ran out: mail then leaves by the next method that protects it as much, the\r\n"
    "secure portal for most, and waits where there is none. Ask each of them for their next key; one that is\r\n"
    "published is found by itself.\r\n\r\n"
    "Whose they are stands in the console under Certificates{where}.\r\n"
)


class Memory(Protocol):
    """What was done last, by name (`archive.marks.Marks`)."""

    def get(self, name: str) -> int: ...

    def several(self, names: Sequence[str]) -> Sequence[int]: ...

    def put(self, name: str, value: int) -> None: ...


def mail(door: Door, memory: Memory, now: int, where: str = "") -> int:
    """Tells each organisation's alert address what nobody was told yet; how many letters. `where`: the console's
    address. Raises Unavailable, Refused: what was not taken is tried again."""
    told = [org for org in select.organisations() if org.alerts]
    own = sum(_mail(org, one, door, memory, now, where) for org in told for one in _LETTERS)
    return own + sum(_recipients(org, door, memory, now, where) for org in told)


def _mail(org: Organisation, kind: _Letter, door: Door, memory: Memory, now: int, where: str) -> int:
    due: list[tuple[uuid.UUID, int, int]] = []
    for rows in _warned(org, kind):
        told = memory.several([_name(kind, pk) for pk, _, _ in rows])
        due += [
            (pk, _told(days, end), end)
            for (pk, days, end), last in zip(rows, told, strict=True)
            if _fresh(days, end, last)
        ]
        if len(due) >= _ROUND:
            break
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
    for pk, step, _ in due:
        memory.put(_name(kind, pk), step)
    return 1


def _warned(org: Organisation, kind: _Letter) -> Iterator[list[tuple[uuid.UUID, int, int]]]:
    """(id, step, end) of all that came to a step, told of or not, by parts: most looks find nothing new in them."""
    after: uuid.UUID | None = None
    while True:
        with scope.organisation(org.pk):
            found = kind.table.objects.filter(org_id=org.pk, state=kind.state, warned__lte=max(STEPS))
            beyond = found.filter(pk__gt=after) if after else found
            rows = list(beyond.order_by("pk").values_list("pk", "warned", "not_after")[:_ROUND])
        if rows:
            yield rows
        if len(rows) < _ROUND:
            return
        after = rows[-1][0]


def _recipients(org: Organisation, door: Door, memory: Memory, now: int, where: str) -> int:
    """Of those that came to a step since the last look, a day ago or more, and those taken in since so near their end.
    They may be many and change often: what was told is one time for all of them."""
    name = f"recipient-keys-letter:{org.pk}"
    last = memory.get(name)
    if now - last < DAY_US:
        return 0
    since = max(last, now - (STEPS[0] + 1) * DAY_US)
    due = Q(found_at__gt=since, not_after__gt=0, not_after__lt=now + (STEPS[0] + 1) * DAY_US)
    for days in STEPS:
        due |= Q(not_after__gte=since + (days + 1) * DAY_US, not_after__lt=now + (days + 1) * DAY_US)
    with scope.organisation(org.pk):
        mine = RecipientKey.objects.filter(due, org_id=org.pk, state=IN_USE)
        found = mine.aggregate(count=Count("pk"), first=Min("not_after"))
    if found["count"]:
        text = _RECIPIENTS.format(
            count=found["count"],
            when=_when(found["first"], now),
            where=f" ({where}/certificates?attention=1)" if where else "",
        )
        key, subject = f"{name}:{last}", "Keys of people you write to end soon"
        if not letters.tell(org, door, key=key, to=[org.alerts], subject=subject, text=text):
            return 0
    # COMMIT POINT: a crash before it sends the same letter again under the same key, which the door knows.
    memory.put(name, now)
    return 1 if found["count"] else 0


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
