"""What may be done with uploads. Each act is one transaction with its event."""

import uuid
from typing import Final

import msgspec
from django.db.models import Sum

from carepost.directory.shelf import FileHead
from carepost.ground.errors import NotFound, Refused
from carepost.rfc import compose
from carepost.rfc.errors import RfcError
from carepost.tenancy import scope, sealing
from carepost.tenancy.act import act
from carepost.tenancy.permissions import Permission
from carepost.uploads.models import Upload
from carepost.wire.types import Actor

#: octets of one file, and of all that one organisation has here at a time
MOST_OCTETS: Final = 20_000_000
MOST_TOGETHER: Final = 2_000_000_000
KEPT_US: Final = 24 * 3_600_000_000
PURPOSE: Final = "content"


class Kept(msgspec.Struct, frozen=True):
    id: str
    #: octets
    size: int
    #: UTC microseconds
    expires_at: int


def put(org: uuid.UUID, name: str, kind: str, data: bytes, *, actor: Actor) -> Kept:
    """`name`, `kind`: as they will stand in a message. Raises Refused (too large, too much, an unusable name)."""
    if len(data) > MOST_OCTETS:
        raise Refused("too-large", "A file has at most 20 MB.", status=413)
    try:
        compose.check_attachment(compose.Attachment(name, kind, b""))
    except RfcError as error:
        raise Refused("bad-file", error.public, status=422) from None
    with act(org, Permission.SEND, actor=actor) as doing:
        held = Upload.objects.filter(org_id=org, expires_at__gt=doing.at).aggregate(total=Sum("size"))["total"] or 0
        if held + len(data) > MOST_TOGETHER:
            raise Refused("uploads-full", "Too much is uploaded and not yet expired; remove some of it.", status=409)
        row = Upload(org_id=org, size=len(data), created_at=doing.at, expires_at=doing.at + KEPT_US)
        row.author = f"{actor.kind}:{actor.id}"
        row.head = sealing.seal(org, PURPOSE, msgspec.msgpack.encode(FileHead(name, kind)), place("head", row))
        row.data = sealing.seal(org, PURPOSE, data, place("data", row))
        row.save(force_insert=True)
        doing.event("upload.added", on=[row.pk], facts={"size": str(len(data))})
    return Kept(str(row.pk), row.size, row.expires_at)


def drop(org: uuid.UUID, upload: uuid.UUID, *, actor: Actor) -> None:
    """Raises NotFound for absent and another organisation's alike."""
    with act(org, Permission.SEND, actor=actor) as doing:
        gone, _ = Upload.objects.filter(org_id=org, pk=upload).delete()
        if not gone:
            raise NotFound("There is no such upload.")
        doing.event("upload.removed", on=[upload])


def ended(org: uuid.UUID, now: int) -> int:
    """How many went whose time is over; what they were attached to has its own copy."""
    with scope.organisation(org):
        old = list(Upload.objects.filter(org_id=org, expires_at__lte=now).values_list("pk", flat=True)[:500])
    if not old:
        return 0
    with act(org, Permission.SEND, actor=Actor("system", "journal")) as doing:
        Upload.objects.filter(org_id=org, pk__in=old).delete()
        doing.event("upload.expired", on=[org], facts={"count": str(len(old))})
    return len(old)


def place(column: str, row: Upload) -> str:
    return sealing.place("uploads_upload", column, row.pk)
