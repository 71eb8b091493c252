"""Reading one's own drafts. What is shown is an event before it is shown (law 7)."""

import uuid

import msgspec

from carepost.drafts.acts import PURPOSE, file_place, own, person, place
from carepost.drafts.models import Draft, DraftFile
from carepost.drafts.types import File, FileHead, Line, Opened, Written
from carepost.tenancy import sealing
from carepost.tenancy.act import act
from carepost.tenancy.permissions import Permission
from carepost.wire.types import Actor

_written = msgspec.msgpack.Decoder(Written)
_head = msgspec.msgpack.Decoder(FileHead)


def access_draft(org: uuid.UUID, draft: uuid.UUID, actor: Actor) -> Opened:
    """A draft of the actor's own, without what its files hold. Raises NotFound, Forbidden."""
    with act(org, Permission.SEND, actor=actor) as doing:
        row = own(org, draft, actor)
        found = Opened(str(row.pk), _open(row), _files(row, data=False), row.saved_at)
        doing.event("draft.viewed", on=[row.pk])
    return found


def listing(org: uuid.UUID, actor: Actor) -> tuple[Line, ...]:
    """The actor's own, last changed first. Raises Forbidden."""
    with act(org, Permission.SEND, actor=actor) as doing:
        rows = list(Draft.objects.filter(org_id=org, staff_id=person(actor)).order_by("-saved_at", "-pk"))
        counts = {row.pk: row.files.count() for row in rows}
        found = tuple([_line(row, counts[row.pk]) for row in rows])
        doing.event("draft.listed", on=[org], facts={"count": str(len(found))})
    return found


def kept(org: uuid.UUID, draft: str, actor: Actor) -> bool:
    """Whether this is the id of a draft of the actor's own; a page has an id before anything is kept under it."""
    return bool(draft) and Draft.objects.filter(org_id=org, pk=draft, staff_id=person(actor)).exists()


def files(org: uuid.UUID, draft: uuid.UUID, actor: Actor) -> tuple[File, ...]:
    """With what they hold, to build the message; shown to nobody. Raises NotFound."""
    return _files(own(org, draft, actor), data=True)


def heads(org: uuid.UUID, draft: uuid.UUID, actor: Actor) -> tuple[File, ...]:
    """Their names, for the page the writer is at. Raises NotFound."""
    return _files(own(org, draft, actor), data=False)


def _line(row: Draft, count: int) -> Line:
    written = _open(row)
    return Line(str(row.pk), written.to, written.subject, count, row.saved_at)


def _open(row: Draft) -> Written:
    return _written.decode(sealing.open_(row.org_id, PURPOSE, bytes(row.sealed), place(row)))


def _files(row: Draft, *, data: bool) -> tuple[File, ...]:
    found = []
    rows = DraftFile.objects.filter(org_id=row.org_id, draft=row).order_by("pk")
    for file in rows if data else rows.defer("data"):
        head = _head.decode(sealing.open_(row.org_id, PURPOSE, bytes(file.head), file_place(file, "head")))
        raw = sealing.open_(row.org_id, PURPOSE, bytes(file.data), file_place(file, "data")) if data else b""
        found.append(File(str(file.pk), head.name, head.kind, file.size, raw))
    return tuple(found)
