"""Telling detection, and that it was wrong: one transaction each, with its event; the engine hears at once."""

import secrets
import uuid
from collections.abc import Callable
from typing import Final

from django.db.models import F

from carepost.detection import entries
from carepost.detection.entries import Entry
from carepost.detection.models import Vocabulary, WrongFinding
from carepost.directory import words
from carepost.directory.words import PLACE, Told, Value
from carepost.ground.errors import NotFound
from carepost.phi.types import Shown
from carepost.tenancy import names, sealing
from carepost.tenancy.act import Doing, act
from carepost.tenancy.permissions import Permission
from carepost.wire.types import Actor

NEW, EXCEPTED, DISMISSED = "new", "excepted", "dismissed"
_EVIDENCE: Final = "evidence"


def put(org: uuid.UUID, entry: Entry, *, actor: Actor, reason: str) -> Vocabulary:
    """Adds it, or replaces that of its name. Raises names.Wrong with what to write instead, Forbidden."""

    def change(told: Told) -> Told:
        return entries.with_entry(told, entry)

    return _change(org, change, actor=actor, reason=reason, named=entry.id)


def remove(org: uuid.UUID, name: str, *, actor: Actor, reason: str) -> Vocabulary:
    """Of a value found harmless, the report is put aside: it counts again. Raises NotFound, Forbidden."""

    def change(told: Told) -> Told:
        found = entries.named(told).get(name)
        if found is None:
            raise NotFound("There is no such word, pattern or exception.")
        if isinstance(found, Value):
            WrongFinding.objects.filter(org_id=org, kind=found.kind, token=found.token).update(state=DISMISSED)
        return entries.without(told, name)

    return _change(org, change, actor=actor, reason=reason, named=name)


def report(org: uuid.UUID, message: uuid.UUID, shown: Shown, *, actor: Actor) -> WrongFinding:
    """Somebody who may read the message says that this finding is none. Kept: kind, place, masked form and token."""
    with act(org, Permission.READ, actor=actor) as doing:
        row = WrongFinding.objects.filter(org_id=org, kind=shown.kind, token=shown.token).first()
        if row is None:
            row = WrongFinding(org_id=org, kind=shown.kind, token=shown.token, place=shown.where.value)
            row.first_at = row.last_at = doing.at
            row.masked = sealing.seal(org, _EVIDENCE, shown.masked.encode(), masked_place(row))
            row.save(force_insert=True)
        else:
            WrongFinding.objects.filter(pk=row.pk, org_id=org).update(times=F("times") + 1, last_at=doing.at)
        doing.event("detection.finding-called-wrong", on=[message, row.pk], values={"kind": shown.kind})
    return row


def settle(org: uuid.UUID, report: uuid.UUID, *, exception: bool, actor: Actor, reason: str) -> None:
    """`exception`: this value counts no more, from the next message on; else the report is put aside, and a value that
    was excepted counts again. Raises NotFound, names.Wrong, Forbidden."""
    why = names.words(reason, "reason", longest=500)
    with act(org, Permission.POLICY, actor=actor) as doing:
        row = WrongFinding.objects.filter(org_id=org, pk=report).first()
        if row is None:
            raise NotFound("There is no such report.")
        row.state = EXCEPTED if exception else DISMISSED
        row.save(update_fields=["state"])
        told, value = current(org)[1], _value(row)
        if exception:
            changed = entries.with_entry(told, value)
        else:
            changed = entries.without(told, value.id)
        if changed != told:
            write(doing, changed, why)
            doing.tell_engine()
        doing.event("detection.report-settled", on=[row.pk], facts={"state": row.state}, values={"reason": why})


def _value(row: WrongFinding) -> Value:
    masked = sealing.open_(row.org_id, _EVIDENCE, bytes(row.masked), masked_place(row)).decode()
    return Value(f"value-{row.pk.hex[-12:]}", row.kind, masked, bytes(row.token))


def current(org: uuid.UUID) -> tuple[int, Told]:
    """(the newest version's number, what it says); (0, …) where nothing was ever told."""
    row = Vocabulary.objects.filter(org_id=org).order_by("-number").first()
    if row is None:
        return 0, Told(secrets.token_bytes(32))
    return row.number, words.opened(sealing.open_(org, _EVIDENCE, bytes(row.sealed), f"{PLACE}/{row.pk}"))


def masked_place(row: WrongFinding) -> str:
    return sealing.place("detection_wrongfinding", "masked", row.pk)


def reason_place(row: Vocabulary) -> str:
    return sealing.place("detection_vocabulary", "reason", row.pk)


def _change(org: uuid.UUID, change: Callable[[Told], Told], *, actor: Actor, reason: str, named: str) -> Vocabulary:
    why = names.words(reason, "reason", longest=500)
    with act(org, Permission.POLICY, actor=actor) as doing:
        made = write(doing, change(current(org)[1]), why)
        doing.event("detection.changed", on=[made.pk], facts={"rule": named}, values={"reason": why})
        doing.tell_engine()
    return made


def write(doing: Doing, told: Told, reason: str) -> Vocabulary:
    number, _ = current(doing.org)
    row = Vocabulary(org_id=doing.org, number=number + 1, author=f"{doing.actor.kind}:{doing.actor.id}")
    row.created_at = doing.at
    row.reason = sealing.seal(doing.org, _EVIDENCE, reason.encode(), reason_place(row))
    row.sealed = sealing.seal(doing.org, _EVIDENCE, words.write(told), f"{PLACE}/{row.pk}")
    row.save(force_insert=True)
    return row
