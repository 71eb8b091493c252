"""A list of addresses as a job: received in parts that stand sealed, and put on the suppression list by the journal, or
only tried. Each part is a short transaction of its own; what was received half is a failed job, and nothing of it is
done."""

import itertools
import uuid
from collections.abc import Iterable, Iterator
from typing import Final

import msgspec
from django.db import transaction

from carepost.destinations import suppression_lines
from carepost.destinations.suppression_lines import Head
from carepost.ground.errors import CarepostError, NotFound, Refused
from carepost.jobs import acts, lines
from carepost.jobs.lines import Cut
from carepost.jobs.models import Job, Part
from carepost.jobs.types import LISTED, Asked, Kind, View
from carepost.tenancy import pressed, scope, sealing
from carepost.tenancy.act import act
from carepost.tenancy.actions.suppression import REASONS
from carepost.tenancy.permissions import Permission
from carepost.wire.types import Actor

RECEIVING: Final = "receiving"
#: what an import put on the list can be taken back as long as its file is kept
KEPT_US: Final = 7 * 86_400_000_000


def begin(
    org: uuid.UUID, blocks: Iterable[bytes], *, actor: Actor, form: str, dry_run: bool, cause: str = "request"
) -> View:
    """`blocks`: the file as it comes. `form`: csv | ndjson. `cause`: of lines that name none. Raises Forbidden, Refused
    (too many jobs, too large, no column `address`); whatever `blocks` raises ends the job as failed."""
    if cause not in REASONS:
        raise Refused("bad-reason", f"Reasons are: {', '.join(REASONS)}.", status=422)
    parts = lines.cut(blocks, table=form == "csv")
    first = next(parts, None)
    if first is None:
        raise Refused("import-empty", "The file is empty.", status=422)
    first = msgspec.structs.replace(first, data=lines.without_mark(first.data))
    head = suppression_lines.JSON
    if form == "csv":
        head, first = _headed(first)
    asked = Asked(form=form, cause=cause, columns=head.columns, delimiter=head.delimiter)
    row = _made(org, asked, Kind.TRY if dry_run else Kind.IMPORT, actor)
    total = 0
    try:
        for number, part in enumerate(itertools.chain((first,), parts), 1):
            _keep(row, number, part)
            total += part.lines
    except BaseException as error:
        cause_ = error.code if isinstance(error, CarepostError) else "file-cut-off"
        with scope.organisation(org), transaction.atomic():
            Part.objects.filter(org_id=org, job=row).delete()
            Job.objects.filter(org_id=org, pk=row.pk).update(state="failed", cause=cause_[:60])
        raise
    with scope.organisation(org), transaction.atomic():
        Job.objects.filter(org_id=org, pk=row.pk, state=RECEIVING).update(state="waiting", total=total)
    return acts.view(acts.found(org, row.pk))


def begin_tried(org: uuid.UUID, job: uuid.UUID, *, actor: Actor) -> View:
    """Imports what was tried before, without sending it again. The same asked twice is one import. Raises NotFound,
    Forbidden, Refused (it is none, or is still being tried)."""
    tried = acts.found(org, job)
    begun = pressed.id_of(org, str(job), Kind.IMPORT)
    assert begun is not None
    if tried.kind != Kind.TRY or tried.state != "done":
        raise Refused("job-not-done", "Only a try that is done can be imported.", status=409)
    try:
        with act(org, Permission.SUPPRESSION, actor=actor) as doing:
            asked = acts.asked_of(tried)
            row = Job(org_id=org, kind=Kind.IMPORT.value, created_at=doing.at, changed_at=doing.at, total=tried.total)
            pressed.once(row, begun)
            acts.few(org)
            row.expires_at, row.author = doing.at + KEPT_US, _author(actor)
            row.asked = acts.seal(row, asked)
            row.save(force_insert=True)
            # sealed each for itself: only whose they are changes
            Part.objects.filter(org_id=org, job=tried).update(job=row)
            doing.event("job.begun", on=[row.pk], facts={"job": row.kind})
    except pressed.MadeAlready:
        row = acts.found(org, begun)
    return acts.view(row)


def one(org: uuid.UUID, job: uuid.UUID) -> Job:
    """An import, a try, or the taking back of an import. Raises NotFound."""
    row = acts.found(org, job)
    if row.kind not in LISTED:
        raise NotFound("There is no such import.")
    return row


def part(row: Job, number: int) -> tuple[int, bytes] | None:
    """(line of the file, lines); None after the last. Inside `scope.organisation`."""
    found = Part.objects.filter(org_id=row.org_id, job=row, number=number).first()
    if found is None:
        return None
    return found.line, sealing.open_(row.org_id, acts.PURPOSE, bytes(found.data), _place(found))


def _headed(first: Cut) -> tuple[Head, Cut]:
    line, _, rest = first.data.partition(b"\n")
    head = suppression_lines.head_of(line.decode("utf-8", "replace"))
    return head, Cut(first.line + 1, first.lines - 1, rest)


def _made(org: uuid.UUID, asked: Asked, kind: Kind, actor: Actor) -> Job:
    with act(org, Permission.SUPPRESSION, actor=actor) as doing:
        acts.few(org)
        row = Job(org_id=org, kind=kind.value, state=RECEIVING, created_at=doing.at, changed_at=doing.at)
        row.expires_at, row.author = doing.at + (acts.KEPT_US if kind is Kind.TRY else KEPT_US), _author(actor)
        row.asked = acts.seal(row, asked)
        row.save(force_insert=True)
        doing.event("job.begun", on=[row.pk], facts={"job": kind.value})
    return row


def _author(actor: Actor) -> str:
    return f"{actor.kind}:{actor.id}"


def _keep(row: Job, number: int, cut: Cut) -> None:
    with scope.organisation(row.org_id), transaction.atomic():
        kept = Part(org_id=row.org_id, job=row, number=number, line=cut.line)
        kept.data = sealing.seal(row.org_id, acts.PURPOSE, cut.data, _place(kept))
        kept.save(force_insert=True)


def _place(kept: Part) -> str:
    return acts.place("jobs_part", "data", kept.pk)


def octets(data: bytes, size: int = 262_144) -> Iterator[bytes]:
    """A file that is here whole, block by block."""
    for start in range(0, len(data), size):
        yield data[start : start + size]
