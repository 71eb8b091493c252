"""Takes back what an import put on the suppression list: its own lines and no others. What stood there before, and what
was changed by anybody since, stays. Possible as long as the job's file is kept (`acts.KEPT_US`)."""

import uuid

from carepost.destinations import suppression_lines
from carepost.destinations.suppression_lines import Head
from carepost.ground.errors import CarepostError, Refused
from carepost.jobs import acts, importing
from carepost.jobs.types import Asked, Kind
from carepost.tenancy import names, scope
from carepost.tenancy.act import act
from carepost.tenancy.actions import suppression
from carepost.tenancy.actions.suppression import Wanted
from carepost.tenancy.permissions import Permission
from carepost.wire.types import Actor


def undo(org: uuid.UUID, job: uuid.UUID, *, actor: Actor, reason: str) -> int:
    """How many addresses are off the list again; asked twice, 0. A part of the file at a time: after a crash it is
    asked again, and goes on. An entry that had an end and was given a longer one by the import is gone too. Raises
    NotFound, Forbidden, Refused (no import, or not ended), names.Wrong (no reason)."""
    why = names.words(reason, "reason", longest=500)
    row = importing.one(org, job)
    if row.kind != Kind.IMPORT:
        raise Refused("job-not-import", "A try has put nothing on the list.", status=409)
    if row.state in (*acts.OPEN, importing.RECEIVING):
        raise Refused("job-not-done", "It is still under way: cancel it first, or wait for its end.", status=409)
    asked = acts.asked_of(row)
    total = number = 0
    while True:
        number += 1
        with scope.organisation(org):
            part = importing.part(row, number)
        if part is None and number > 1:
            return total
        # COMMIT POINT: of one part all lines are off the list, with their events, or none is
        with act(org, Permission.SUPPRESSION, actor=actor) as doing:
            since, until = row.created_at, row.changed_at
            count = suppression.take_back(doing, _wanted(part, asked), since=since, until=until, reason=why)
            facts = {"count": str(count)}
            doing.event("suppression.import-undone", on=[row.pk], facts=facts, values={"reason": why})
        total += count


def _wanted(part: tuple[int, bytes] | None, asked: Asked) -> list[Wanted]:
    line, data = part or (1, b"")
    found = []
    head = Head(asked.columns, asked.delimiter)
    for _, fields in suppression_lines.records(data.decode("utf-8", "replace"), line, head):
        try:
            found.append(suppression_lines.wanted(fields, asked.cause))
        except CarepostError:
            # it was wrong then, or its end has passed: nothing of it is on the list
            continue
    return found
