"""What a person does with a draft of their own. Each is one transaction with its event."""

import uuid
from collections.abc import Sequence
from typing import Final

import msgspec
from django.db import IntegrityError

from carepost.drafts.models import Draft, DraftFile
from carepost.drafts.types import FileHead, Written
from carepost.ground import clock
from carepost.ground.errors import NotFound, Refused
from carepost.tenancy import scope, sealing
from carepost.tenancy.act import Doing, act
from carepost.tenancy.permissions import Forbidden, Permission
from carepost.wire.types import Actor

#: octets of all files of one draft, their number, and drafts of one person
MOST_OCTETS: Final = 20_000_000
MOST_FILES: Final = 20
MOST: Final = 50
#: a draft nobody changed for so long goes
DAYS: Final = 30
KEPT_US: Final = DAYS * 86_400_000_000
PURPOSE: Final = "content"

_encode = msgspec.msgpack.Encoder().encode


def save(
    org: uuid.UUID,
    written: Written,
    *,
    actor: Actor,
    draft: uuid.UUID | None = None,
    files: Sequence[tuple[FileHead, bytes]] = (),
    unless_within: int = 0,
) -> tuple[uuid.UUID, bool]:
    """(the draft, whether it was written). `draft`: the one it replaces; one that is gone, or was never kept, is made
    under this id: what is sent from it has the id for its key, and a second press of the button is the same message.
    Where a colleague has a draft of this id it gets another. `files` are added to it. `unless_within`: microseconds
    since it was last written in which nothing is written again: what is saved by itself while somebody types. Raises
    Refused (too large, too many), NotFound (another organisation's id)."""
    if draft is not None and unless_within and not files and _fresh(org, draft, actor, unless_within):
        return draft, False
    try:
        return _save(org, written, actor, draft, files), True
    except IntegrityError:
        # two presses of one button, and the other was first
        pass
    try:
        return _save(org, written, actor, draft, files), True
    except IntegrityError:
        raise NotFound("There is no such draft.") from None


def _save(
    org: uuid.UUID, written: Written, actor: Actor, draft: uuid.UUID | None, files: Sequence[tuple[FileHead, bytes]]
) -> uuid.UUID:
    with act(org, Permission.SEND, actor=actor) as doing:
        row = Draft.objects.filter(org_id=org, pk=draft, staff_id=person(actor)).first() if draft is not None else None
        if row is None:
            _clear(doing)
            row = Draft(org_id=org, staff_id=person(actor), begun_at=doing.at)
            if draft is not None and not Draft.objects.filter(org_id=org, pk=draft).exists():
                row.pk = draft
        row.saved_at = doing.at
        row.sealed = sealing.seal(org, PURPOSE, _encode(written), place(row))
        row.save(force_insert=row._state.adding)
        for head, data in files:
            _attach(doing, row, head, data)
        doing.event("draft.saved", on=[row.pk])
    return row.pk


def drop_file(org: uuid.UUID, draft: uuid.UUID, file: uuid.UUID, *, actor: Actor) -> None:
    """Raises NotFound."""
    with act(org, Permission.SEND, actor=actor) as doing:
        row = own(doing.org, draft, actor)
        gone, _ = DraftFile.objects.filter(org_id=org, draft=row, pk=file).delete()
        if not gone:
            raise NotFound("There is no such file.")
        doing.event("draft.file-removed", on=[row.pk, file])


def discard(org: uuid.UUID, draft: uuid.UUID, *, actor: Actor) -> None:
    """It is gone for good. Raises NotFound."""
    with act(org, Permission.SEND, actor=actor) as doing:
        own(doing.org, draft, actor).delete()
        doing.event("draft.discarded", on=[draft])


def sent(org: uuid.UUID, draft: uuid.UUID, message: str, *, actor: Actor) -> None:
    """The message is durable under this id: the draft is needed no more. Nothing where it is gone already."""
    with act(org, Permission.SEND, actor=actor) as doing:
        Draft.objects.filter(org_id=org, pk=draft, staff_id=person(actor)).delete()
        doing.event("draft.sent", on=[draft, uuid.UUID(message)])


def ended(org: uuid.UUID, now: int) -> int:
    """How many drafts went that nobody changed for 30 days: their content is on record nowhere else, and was never
    anything but one person's own."""
    with scope.organisation(org):
        old = list(Draft.objects.filter(org_id=org, saved_at__lt=now - KEPT_US).values_list("pk", flat=True)[:1_000])
    if not old:
        return 0
    with act(org, Permission.SEND, actor=Actor("system", "journal")) as doing:
        Draft.objects.filter(org_id=org, pk__in=old).delete()
        doing.event("draft.expired", on=old)
    return len(old)


def own(org: uuid.UUID, draft: uuid.UUID, actor: Actor) -> Draft:
    """Raises NotFound for another's, another organisation's and an absent one alike."""
    row = Draft.objects.filter(org_id=org, pk=draft, staff_id=person(actor)).first()
    if row is None:
        raise NotFound("There is no such draft.")
    return row


def person(actor: Actor) -> uuid.UUID:
    """Drafts are people's: no key and no process has any. Raises Forbidden."""
    if actor.kind != "staff":
        raise Forbidden
    return uuid.UUID(actor.id)


def place(row: Draft) -> str:
    return sealing.place("drafts_draft", "sealed", row.pk)


def file_place(row: DraftFile, column: str) -> str:
    return sealing.place("drafts_draftfile", column, row.pk)


def _fresh(org: uuid.UUID, draft: uuid.UUID, actor: Actor, within: int) -> bool:
    found = Draft.objects.filter(org_id=org, pk=draft, staff_id=person(actor)).values_list("saved_at", flat=True)
    return any(saved > clock.now() - within for saved in found)


def _attach(doing: Doing, draft: Draft, head: FileHead, data: bytes) -> None:
    sizes = list(DraftFile.objects.filter(org_id=doing.org, draft=draft).values_list("size", flat=True))
    if len(sizes) >= MOST_FILES:
        raise Refused("too-many-files", f"A message takes at most {MOST_FILES} files.", status=413)
    if sum(sizes) + len(data) > MOST_OCTETS:
        raise Refused("too-large", "The files of a message may have 20 MB together.", status=413)
    row = DraftFile(org_id=doing.org, draft=draft, size=len(data))
    row.head = sealing.seal(doing.org, PURPOSE, _encode(head), file_place(row, "head"))
    row.data = sealing.seal(doing.org, PURPOSE, data, file_place(row, "data"))
    row.save(force_insert=True)


def _clear(doing: Doing) -> None:
    """Room for one more. Raises Refused."""
    if Draft.objects.filter(org_id=doing.org, staff_id=person(doing.actor)).count() >= MOST:
        raise Refused(
            "too-many-drafts", f"You have {MOST} unfinished messages; send or discard one of them.", status=409
        )
