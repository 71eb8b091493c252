"""Letters about complaints: a day of a provider on which more people complained than it suffers. Called by the journal.
Made of constants and counts: which provider and day it is stands in the console."""

from typing import Final

from carepost.archive import complaints
from carepost.archive.complaints import Day
from carepost.archive.marks import Marks
from carepost.audit.store import Store
from carepost.crypto import index
from carepost.tenancy import letters, select
from carepost.tenancy.letters import Door
from carepost.tenancy.models import Organisation
from carepost.tenancy.permissions import Permission

#: days that are looked at: complaints come days after the message
DAYS: Final = 7
_DAY_US: Final = 86_400_000_000
_LEVELS: Final = {"": 0, "warn": 1, "act": 2}
_TEXT: Final = (
    "More recipients than before marked mail of your organisation as unwanted.\r\n\r\n"
    "{lines}\r\n"
    "Providers want it below 0.1 % of what they take on a day, and put mail aside, or refuse it, where 0.3 % is "
    "reached: then also the mail your patients wait for.\r\n\r\n"
    "Whoever complained is on the suppression list already. Write only to who asked for it, and make campaigns smaller "
    "until the rate falls.\r\n\r\n"
    "Which providers and days these are stands in the console under Deliveries by provider{where}, and is said by: "
    "carepost suppression complaints\r\n"
)


def mail(store: Store, marks: Marks, door: Door, now: int, where: str = "") -> int:
    """Tells each organisation of days that passed a threshold, once a day for each provider, and again only when more
    complained; at once where `warn` became `act`. How many letters. Raises Unavailable, Refused: what was not taken is
    tried again."""
    return sum(_tell(org, store, marks, door, now, where) for org in select.organisations())


def _tell(org: Organisation, store: Store, marks: Marks, door: Door, now: int, where: str) -> int:
    today = index.day_of(now)
    flagged: dict[str, list[Day]] = {}
    for one in complaints.of(store, org.pk.bytes, today - DAYS, today):
        if one.level:
            flagged.setdefault(one.provider, []).append(one)
    fresh = {provider: some for provider, some in flagged.items() if _fresh(org, marks, provider, some, now)}
    if not fresh:
        return 0
    to = [org.alerts] if org.alerts else letters.holders(org, Permission.DOMAINS)
    act = sum(any(one.level == "act" for one in some) for some in fresh.values())
    lines = f"- Providers at which 0.3 % or more complained on a day: {act}.\r\n" if act else ""
    lines += f"- Providers at which more than 0.1 % did: {len(fresh) - act}.\r\n" if len(fresh) > act else ""
    text = _TEXT.format(lines=lines, where=f" ({where}/report)" if where else "")
    total = sum(one.complaints for some in fresh.values() for one in some)
    key = f"complaints:{org.pk}:{today}:{len(fresh)}:{act}:{total}"
    sent = letters.tell(org, door, key=key, to=to, subject="More recipients complain", text=text)
    if sent:
        # a crash before it hands in the same letters again under the same keys, which the door knows
        for provider, some in fresh.items():
            marks.put(_name(org, provider, "at"), now // 1000 * 4 + _level(some))
            marks.put(_name(org, provider, "count"), sum(one.complaints for one in some))
    return sent


def _fresh(org: Organisation, marks: Marks, provider: str, some: list[Day], now: int) -> bool:
    told, level = divmod(marks.get(_name(org, provider, "at")), 4)
    if told and now // 1000 - told < _DAY_US // 1000:
        return _level(some) > level
    last = marks.get(_name(org, provider, "count")) if told * 1000 > now - DAYS * _DAY_US else 0
    return sum(one.complaints for one in some) > last


def _level(some: list[Day]) -> int:
    return max(_LEVELS[one.level] for one in some)


def _name(org: Organisation, provider: str, what: str) -> str:
    return f"complaints:{org.pk.hex}:{provider}:{what}"
