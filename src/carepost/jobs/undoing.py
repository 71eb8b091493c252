"""Takes back what an import put on the suppression list: its own lines and no others. What stood there before, and what
was changed by anybody since, stays. A job of its own over the parts of that import's file, as long as they are kept
(`importing.KEPT_US`)."""

import uuid

import msgspec

from carepost.destinations import suppression_lines
from carepost.destinations.suppression_lines import Head
from carepost.ground.errors import CarepostError, Refused
from carepost.jobs import acts, importing
from carepost.jobs.models import Job
from carepost.jobs.types import Asked, Kind, View
from carepost.tenancy import names, pressed, scope
from carepost.tenancy.act import act
from carepost.tenancy.actions import suppression
from carepost.tenancy.actions.suppression import Wanted
from carepost.tenancy.permissions import Permission
from carepost.wire.types import Actor


def begin(org: uuid.UUID, job: uuid.UUID, *, actor: Actor, reason: str, page: str = "") -> View:
    """`job`: the import. `page`: mark of the form it was asked for on; the same sent twice from there is one job. Begun
    once more it finds nothing of that import left. Raises NotFound, Forbidden, Refused (no import, not ended, or too
    many jobs), names.Wrong (no reason)."""
    why = names.words(reason, "reason", longest=500)
    of = importing.one(org, job)
    if of.kind != Kind.IMPORT:
        raise Refused(
            "job-not-import", "Only an import can be taken back: a try has put nothing on the list.", status=409
        )
    if of.state in (*acts.OPEN, importing.RECEIVING):
        raise Refused("job-not-done", "It is still under way: cancel it first, or wait for its end.", status=409)
    begun = pressed.id_of(org, page, Kind.UNDO, str(job), actor)
    try:
        with act(org, Permission.SUPPRESSION, actor=actor) as doing:
            row = Job(org_id=org, kind=Kind.UNDO.value, created_at=doing.at, changed_at=doing.at, total=of.total)
            pressed.once(row, begun)
            acts.few(org)
            row.expires_at, row.author = doing.at + importing.KEPT_US, f"{actor.kind}:{actor.id}"
            row.asked = acts.seal(row, msgspec.structs.replace(acts.asked_of(of), reason=why, of=str(job)))
            row.save(force_insert=True)
            # its lines are needed until this is done
            Job.objects.filter(org_id=org, pk=of.pk).update(expires_at=row.expires_at)
            doing.event("job.begun", on=[row.pk], facts={"job": row.kind}, values={"reason": why})
    except pressed.MadeAlready as already:
        row = acts.found(org, already.made)
    return acts.view(row)


def page(row: Job, asked: Asked, actor: Actor) -> None:
    """The next part of the import's file; the end after the last."""
    number = int(row.cursor or 0) + 1
    of = importing.one(row.org_id, uuid.UUID(asked.of))
    with scope.organisation(row.org_id):
        part = importing.part(of, number)
    # an import that never had a line to add has no parts, and one that failed while it was received
    if part is None:
        with scope.organisation(row.org_id):
            acts.further(row, "done", {"cursor": ""})
        return
    wanted = _wanted(part, asked)
    # COMMIT POINT: of one part all lines are off the list, with their events and how far this came, or none is
    with act(row.org_id, Permission.SUPPRESSION, actor=actor) as doing:
        count = suppression.take_back(
            doing, wanted, since=of.created_at, until=of.changed_at, reason=asked.reason
        )  # fmt: skip
        changes = {"cursor": str(number), "seen": row.seen + len(wanted), "made": row.made + count}
        if not acts.further(row, "running", changes):
            raise acts.Ended
        facts = {"count": str(count)}
        doing.event("suppression.import-undone", on=[of.pk], facts=facts, values={"reason": asked.reason})


def _wanted(part: tuple[int, bytes], asked: Asked) -> list[Wanted]:
    line, data = part
    found = []
    head = Head(asked.columns, asked.delimiter)
    for _, fields in suppression_lines.records(data.decode("utf-8", "replace"), line, head):
        try:
            found.append(suppression_lines.wanted(fields, asked.cause))
        except CarepostError:
            # it was wrong then, or its end has passed: nothing of it is on the list
            continue
    return found
