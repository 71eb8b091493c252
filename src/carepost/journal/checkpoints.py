"""The daily mail with the latest signed checkpoint to each organisation's auditor: kept elsewhere without anyone's care
(DESIGN 4). Made of constants, the organisation's id and the note: nothing of any message."""

from typing import Final, Protocol

from django.db import transaction

from carepost.archive.marks import Marks
from carepost.audit import reader
from carepost.audit.store import Store
from carepost.ground import clock
from carepost.intake.letters import letter
from carepost.proof import kinds
from carepost.tenancy import events, scope, select
from carepost.tenancy.models import Organisation
from carepost.wire.types import Accepted, Actor, Submission

_DAY_US: Final = 86_400_000_000
_ACTOR: Final = Actor("system", "journal")
_TEXT: Final = (
    "This is today's checkpoint of the audit log of {name}.\r\n\r\n"
    "It fixes, under our signature, how many events the log holds and what they are. Keep this mail, apart from our "
    "machines: with it anyone can show later whether the log was changed (carepost audit verify --checkpoint FILE, "
    "with the lines between the rules saved as FILE).\r\n\r\n"
    "----------------------------------------\r\n{note}----------------------------------------\r\n"
)


class Door(Protocol):
    """The one door (`intake.client.Client`). Raises Unavailable, Refused."""

    def accept(self, submission: Submission) -> Accepted: ...


def mail(store: Store, marks: Marks, door: Door, now: int) -> int:
    """Sends what is due today, each once however often it is called; how many. Raises Unavailable, Refused."""
    day = now // _DAY_US
    sent = 0
    for org in select.organisations():
        name = f"checkpoint:{org.pk}"
        if not org.auditor or marks.get(name) >= day:
            continue
        point = reader.checkpoint(store, org.pk.bytes)
        sender = next((row.domain for row in select.domains(org.pk)), "")
        if point is None or not sender:
            continue
        door.accept(submission(org, point.note, sender, day))
        _record(org, point.size)
        marks.put(name, day)
        sent += 1
    return sent


def submission(org: Organisation, note: bytes, domain: str, day: int) -> Submission:
    """One mail a day and organisation: the key says which."""
    return letter(
        org.pk.bytes,
        key=f"checkpoint:{org.pk}:{day}",
        name=org.notice_name or org.name,
        domain=domain,
        to=org.auditor,
        subject="Checkpoint of the audit log",
        text=_TEXT.format(name=org.name, note=note.decode().replace("\n", "\r\n")),
        actor=_ACTOR,
    )


def _record(org: Organisation, size: int) -> None:
    draft, openings = kinds.make(
        kinds.CHECKPOINT_MAILED,
        id=events.new_id(),
        org=str(org.pk),
        at=clock.now(),
        actor=(_ACTOR.kind, _ACTOR.id),
        on=(),
        facts={"size": str(size)},
    )
    with scope.organisation(org.pk), transaction.atomic():
        events.append(draft, openings)
