"""The journal's part of an import: the next part of the file, put on the suppression list in one transaction with how
far it came, so that after a crash each line was done once; or only looked at. What is wrong is kept by its line's
number and a sentence that repeats nothing of it."""

import uuid
from array import array
from typing import Final

import msgspec
from django.db import transaction

from carepost.destinations import suppression_lines
from carepost.destinations.suppression_lines import Head
from carepost.ground.errors import CarepostError
from carepost.jobs import acts, importing, rows
from carepost.jobs.models import Job, Piece
from carepost.jobs.types import Asked, Kind
from carepost.tenancy import address_tokens, scope
from carepost.tenancy.act import act
from carepost.tenancy.actions import suppression
from carepost.tenancy.actions.suppression import SCOPES, Wanted
from carepost.tenancy.address_tokens import Standing
from carepost.tenancy.permissions import Permission
from carepost.wire.types import Actor

#: lines whose mistake is kept; further ones are counted
MOST_WRONG: Final = 10_000


class Named:
    """Addresses a file named so far, by their tokens: eight octets each, and up to as many free."""

    def __init__(self, org: uuid.UUID) -> None:
        self.org = org
        self._slots = array("Q", bytes(8 * 1024))
        self._count = 0

    def add(self, value: int) -> bool:
        """False where it was there. `value`: 64 random bits."""
        if self._count * 2 > len(self._slots):
            old, self._slots, self._count = self._slots, array("Q", bytes(16 * len(self._slots))), 0
            for one in old:
                if one:
                    self.add(one)
        # 0 is a free slot
        value = value or 1
        place = value % len(self._slots)
        while self._slots[place]:
            if self._slots[place] == value:
                return False
            place = (place + 1) % len(self._slots)
        self._slots[place] = value
        self._count += 1
        return True


class _Read(msgspec.Struct):
    """Of one part. `wrong`: (line, what is wrong)."""

    lines: int
    wanted: list[Wanted]
    wrong: list[tuple[int, str]]


def page(row: Job, asked: Asked, actor: Actor, tried: dict[uuid.UUID, Named]) -> None:
    """One part. Raises CarepostError where the job can not go on."""
    if row.kind == Kind.TRY and row.cursor and row.pk not in tried:
        # what was named before is not known any more: a try has done nothing, and begins anew
        with scope.organisation(row.org_id), transaction.atomic():
            Piece.objects.filter(org_id=row.org_id, job=row).delete()
            acts.further(row, "waiting", {"cursor": "", "seen": 0, "made": 0, "known": 0, "wrong": 0})
        return
    number = int(row.cursor or 0) + 1
    with scope.organisation(row.org_id):
        part = importing.part(row, number)
    if part is None:
        tried.pop(row.pk, None)
        with scope.organisation(row.org_id), transaction.atomic():
            acts.further(row, "done", {"cursor": ""})
        return
    found = _read(part, asked)
    if row.kind == Kind.TRY:
        if number == 1:
            _forget(tried)
            tried[row.pk] = Named(row.org_id)
        with scope.organisation(row.org_id), transaction.atomic():
            _further(row, asked, number, found, _new(row, found.wanted, tried[row.pk]))
        return
    # COMMIT POINT: addresses, their events and how far the file was read stand or fall together
    with act(row.org_id, Permission.SUPPRESSION, actor=actor) as doing:
        added = suppression.put_all(doing, found.wanted)
        if not _further(row, asked, number, found, added):
            raise acts.Ended
        doing.event("suppression.imported", on=[row.pk], facts={"count": str(added)})


def _forget(tried: dict[uuid.UUID, Named]) -> None:
    """Those that somebody cancelled."""
    for job in list(tried):
        with scope.organisation(tried[job].org):
            if not Job.objects.filter(pk=job, state__in=acts.OPEN).exists():
                tried.pop(job)


def _further(row: Job, asked: Asked, number: int, found: _Read, added: int) -> bool:
    left = max(0, MOST_WRONG - row.wrong)
    changes = {
        "cursor": str(number), "seen": row.seen + found.lines, "made": row.made + added,
        "known": row.known + len(found.wanted) - added, "wrong": row.wrong + len(found.wrong),
    }  # fmt: skip
    data = rows.mistakes(found.wrong[:left], asked.form, first=row.wrong == 0) if found.wrong else b""
    return acts.further(row, "running", changes, data)


def _read(part: tuple[int, bytes], asked: Asked) -> _Read:
    line, data = part
    found = _Read(0, [], [])
    head = Head(asked.columns, asked.delimiter)
    for number, fields in suppression_lines.records(data.decode("utf-8", "replace"), line, head):
        found.lines += 1
        try:
            found.wanted.append(suppression_lines.wanted(fields, asked.cause))
        except CarepostError as error:
            found.wrong.append((number, error.public))
    return found


def _new(row: Job, wanted: list[Wanted], named: Named) -> int:
    """How many the list does not say already, and the file did not name before."""
    keys = address_tokens.standing(row.org_id)
    there = suppression.on_list(row.org_id, keys, wanted)
    return sum(
        named.add(_value(keys, one)) and not there.get((one.address, one.scope), False) for one in wanted
    )  # fmt: skip


def _value(keys: Standing, one: Wanted) -> int:
    return int.from_bytes(keys.token(one.address), "big") ^ SCOPES.index(one.scope)
