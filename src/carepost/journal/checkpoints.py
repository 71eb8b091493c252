"""The daily mail with the latest signed checkpoint to each organisation's auditor: kept elsewhere without anyone's care
(DESIGN 4). Made of constants, the organisation's id and the note: nothing of any message."""

from typing import Final

from django.db import transaction

from carepost.archive.marks import Marks
from carepost.audit import reader
from carepost.audit.store import Store
from carepost.ground import clock
from carepost.proof import kinds
from carepost.tenancy import events, letters, scope, select
from carepost.tenancy.letters import Door
from carepost.tenancy.models import Organisation

_DAY_US: Final = 86_400_000_000
_TEXT: Final = (
    "This is today's checkpoint of the audit log of {name}.\r\n\r\n"
    "It fixes, under our signature, how many events the log holds and what they are. Keep this mail, apart from our "
    "machines: with it anyone can show later whether the log was changed (carepost audit verify --checkpoint FILE, "
    "with the lines between the rules saved as FILE).\r\n\r\n"
    "----------------------------------------\r\n{note}----------------------------------------\r\n"
)


def mail(store: Store, marks: Marks, door: Door, now: int) -> int:
    """Sends what is due today, each once however often it is called; how many. Raises Unavailable, Refused."""
    day = now // _DAY_US
    sent = 0
    for org in select.organisations():
        name = f"checkpoint:{org.pk}"
        if not org.auditor or marks.get(name) >= day:
            continue
        point = reader.checkpoint(store, org.pk.bytes)
        if point is None:
            continue
        # one mail a day and organisation: the key says which
        key, text = f"checkpoint:{org.pk}:{day}", _TEXT.format(name=org.name, note=_lines(point.note))
        if not letters.tell(org, door, key=key, to=[org.auditor], subject="Checkpoint of the audit log", text=text):
            continue
        _record(org, point.size)
        marks.put(name, day)
        sent += 1
    return sent


def _lines(note: bytes) -> str:
    return note.decode().replace("\n", "\r\n")


def _record(org: Organisation, size: int) -> None:
    draft, openings = kinds.make(
        kinds.CHECKPOINT_MAILED,
        id=events.new_id(),
        org=str(org.pk),
        at=clock.now(),
        actor=("system", "journal"),
        on=(),
        facts={"size": str(size)},
    )
    with scope.organisation(org.pk), transaction.atomic():
        events.append(draft, openings)
