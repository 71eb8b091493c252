"""What a caller said, as one hash: a repeated Idempotency-Key is held to it, also across a change of versions.

Fields of the first version count as that version wrote them; those that came later count only where they are given."""

import hashlib
from typing import Final

import msgspec

from carepost.wire import rest

_ATTACHMENT_TYPE: Final = "application/octet-stream"


class _Attachment(msgspec.Struct):
    filename: str
    content: str | None
    content_type: str
    content_id: str


class _First(msgspec.Struct, rename={"from_": "from"}):
    """The first version's message, field by field in its order. Nothing is ever added here."""

    from_: rest.Person
    to: rest.People
    cc: rest.People
    bcc: rest.People
    reply_to: rest.Person | None
    subject: str
    text: str | None
    html: str | None
    attachments: tuple[_Attachment, ...]
    headers: dict[str, str]
    protection: rest.ProtectionAsk | None
    category: rest.Category
    tags: tuple[str, ...]
    metadata: dict[str, str]
    template_id: str | None
    variables: dict[str, msgspec.Raw] | None
    send_at: str | None
    expires_at: str | None


_first = tuple(name for name in _First.__struct_fields__ if name != "attachments")
#: a key says which message is meant, and is no part of what is said
_later = tuple(
    name for name in rest.Message.__struct_fields__ if name not in (*_First.__struct_fields__, "idempotency_key")
)
_defaults = dict(
    zip(reversed(rest.Message.__struct_fields__), reversed(rest.Message.__struct_defaults__), strict=False)
)


def digest(message: rest.Message) -> bytes:
    """SHA-256 of it."""
    files = tuple(
        [
            _Attachment(a.filename, a.content, a.content_type or _ATTACHMENT_TYPE, a.content_id)
            for a in message.attachments
        ]
    )
    given = {name: getattr(message, name) for name in _first}
    hashed = hashlib.sha256(msgspec.json.encode(_First(attachments=files, **given)))
    later = {name: value for name in _later if (value := getattr(message, name)) != _defaults[name]}
    uploads = [a.upload_id for a in message.attachments]
    if any(uploads):
        later["upload_ids"] = uploads
    if later:
        hashed.update(msgspec.json.encode(later, order="deterministic"))
    return hashed.digest()
