"""Beginning a job, ending it, fetching what it made. Each is one transaction with its event."""

import uuid
from collections.abc import Iterator, Mapping
from typing import Final

import msgspec
from django.db import IntegrityError
from django.db.models import Q

from carepost.archive.search import Wanted
from carepost.ground import clock
from carepost.ground.errors import CarepostError, NotFound, Refused
from carepost.jobs.models import Job, Piece
from carepost.jobs.types import FETCHED, LISTED, NEEDED, Asked, Kind, View
from carepost.tenancy import pressed, scope, sealing
from carepost.tenancy.act import act
from carepost.tenancy.permissions import Permission, authorise
from carepost.wire.types import Actor

#: jobs of one organisation that wait or run
MOST: Final = 20
#: results and what was asked are kept so long
KEPT_US: Final = 24 * 3_600_000_000
PURPOSE: Final = "content"
_HALF_US: Final = 3_600_000_000
OPEN: Final = ("waiting", "running")
#: what changes something: never of all messages there are
ACTS: Final = (Kind.RETRY, Kind.RETRACT, Kind.RESEND)


class Ended(CarepostError):
    """Somebody cancelled it meanwhile: nothing of this part is done."""

    def __init__(self) -> None:
        super().__init__("job-ended", "This job has ended already.")


def begin(org: uuid.UUID, kind: Kind, asked: Asked, *, actor: Actor, page: str = "") -> View:
    """`page`: mark of the form it was asked for on; the same sent twice from there is one job. Raises Forbidden,
    Refused (too many, or nothing to search by for what changes messages)."""
    if kind in ACTS and msgspec.structs.replace(asked.wanted, without=()) == Wanted():
        raise Refused("nothing-asked", "Say which messages: by recipient, sender, tag, state or time.", status=422)
    if kind in LISTED:
        raise Refused("job-needs-a-file", "An import begins with its file: POST /suppressions/imports.", status=422)
    begun = pressed.id_of(org, page, kind, asked, actor)
    try:
        return _made(org, kind, asked, actor, begun)
    except IntegrityError:
        if begun is None:
            raise
        return view(found(org, begun))


def _made(org: uuid.UUID, kind: Kind, asked: Asked, actor: Actor, begun: uuid.UUID | None) -> View:
    with act(org, NEEDED[kind][0], actor=actor) as doing:
        for permission in needed(kind, asked):
            authorise(actor, permission, org)
        few(org)
        row = Job(org_id=org, kind=kind.value, created_at=doing.at, changed_at=doing.at)
        if begun is not None:
            row.pk = begun
        row.expires_at = doing.at + KEPT_US
        row.author = f"{actor.kind}:{actor.id}"
        row.asked = seal(row, asked)
        row.save(force_insert=True)
        doing.event("job.begun", on=[row.pk], facts={"job": kind.value}, values={"reason": asked.reason})
    return view(row)


def few(org: uuid.UUID) -> None:
    """Raises Refused where too many wait already; half-received files count for an hour."""
    open_ = Q(state__in=OPEN) | Q(state="receiving", changed_at__gt=clock.now() - _HALF_US)
    if Job.objects.filter(open_, org_id=org).count() >= MOST:
        raise Refused("too-many-jobs", f"{MOST} jobs wait already; let some of them end.", status=409)


def seal(row: Job, asked: Asked) -> bytes:
    return sealing.seal(row.org_id, PURPOSE, msgspec.msgpack.encode(asked), place("jobs_job", "asked", row.pk))


def cancel(org: uuid.UUID, job: uuid.UUID, *, actor: Actor) -> View:
    """What it did so far stays done. Raises NotFound, Forbidden, Refused (it ended already)."""
    kind = Kind(found(org, job).kind)
    with act(org, NEEDED[kind][-1], actor=actor) as doing:
        row = Job.objects.select_for_update().filter(org_id=org, pk=job).first()
        if row is None:
            raise NotFound
        if row.state not in OPEN:
            raise Refused("job-ended", "This job has ended already.", status=409)
        row.state, row.changed_at = "cancelled", doing.at
        row.save(update_fields=["state", "changed_at"])
        doing.event("job.cancelled", on=[row.pk], facts={"job": kind.value})
    return view(row)


def access_result(org: uuid.UUID, job: uuid.UUID, *, actor: Actor) -> tuple[str, Iterator[bytes]]:
    """(ndjson | csv, the pieces in order). The event stands before the first octet leaves (law 7). Raises NotFound,
    Forbidden, Refused (not done, or nothing to fetch)."""
    row = found(org, job)
    kind = Kind(row.kind)
    asked = asked_of(row)
    with act(org, NEEDED[kind][-1], actor=actor) as doing:
        for permission in needed(kind, asked):
            authorise(actor, permission, org)
        if kind not in FETCHED:
            raise Refused("job-without-result", "Such a job has nothing to fetch.", status=409)
        if row.state != "done":
            raise Refused("job-not-done", "This job is not done; ask again later.", status=409)
        doing.event("job.fetched", on=[row.pk], facts={"job": kind.value, "count": str(row.made)})
    return asked.form, _pieces(row)


def ended(org: uuid.UUID, now: int) -> int:
    """How many went, with what they made."""
    with scope.organisation(org):
        old = list(Job.objects.filter(org_id=org, expires_at__lte=now).values_list("pk", flat=True)[:200])
    if not old:
        return 0
    with act(org, Permission.SEARCH, actor=Actor("system", "journal")) as doing:
        Job.objects.filter(org_id=org, pk__in=old).delete()
        doing.event("job.expired", on=old)
    return len(old)


def further(row: Job, state: str, changes: Mapping[str, object], data: bytes = b"") -> bool:
    """Within a transaction: how far it is, with a piece of its result; False where somebody ended it meanwhile."""
    live = Job.objects.filter(org_id=row.org_id, pk=row.pk, state__in=OPEN)
    changed = live.update(**{"state": state, "changed_at": clock.now(), **changes})
    if changed and data:
        number = Piece.objects.filter(org_id=row.org_id, job=row).count() + 1
        piece = Piece(org_id=row.org_id, job=row, number=number)
        at = place("jobs_piece", "data", piece.pk)
        piece.data = sealing.seal(row.org_id, PURPOSE, data, at)
        piece.save(force_insert=True)
    return bool(changed)


def needed(kind: Kind, asked: Asked) -> tuple[Permission, ...]:
    return (*NEEDED[kind], Permission.READ) if asked.opened else NEEDED[kind]


def found(org: uuid.UUID, job: uuid.UUID) -> Job:
    """Raises NotFound for another organisation's and an absent one alike."""
    with scope.organisation(org):
        row = Job.objects.filter(org_id=org, pk=job).first()
    if row is None:
        raise NotFound("There is no such job.")
    return row


def asked_of(row: Job) -> Asked:
    with scope.organisation(row.org_id):
        plain = sealing.open_(row.org_id, PURPOSE, bytes(row.asked), place("jobs_job", "asked", row.pk))
    return msgspec.msgpack.decode(plain, type=Asked)


def view(row: Job) -> View:
    return View(
        str(row.pk), row.kind, row.state, row.created_at, row.changed_at, row.expires_at, row.seen, row.made, row.cause,
        row.total, row.known, row.wrong,
    )  # fmt: skip


def place(table: str, column: str, row: uuid.UUID) -> str:
    return sealing.place(table, column, row)


def _pieces(row: Job) -> Iterator[bytes]:
    number = 1
    while True:
        with scope.organisation(row.org_id):
            piece = Piece.objects.filter(org_id=row.org_id, job=row, number=number).first()
            if piece is None:
                return
            data = sealing.open_(row.org_id, PURPOSE, bytes(piece.data), place("jobs_piece", "data", piece.pk))
        yield data
        number += 1
