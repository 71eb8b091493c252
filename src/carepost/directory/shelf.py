"""What a message can be made from besides what its sender hands over: active templates and uploaded files, one at a
time and when a message names them. Whoever names none costs nothing.

The views `engine_template` and `engine_upload` are part of the contract (`sql.VERSION`); both are under the content
key, and come out in clear for the one message."""

import uuid
from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol

import msgspec

from carepost.crypto.rest import Damaged
from carepost.directory import columns
from carepost.directory.rows import SqlRows
from carepost.directory.types import OrgSnapshot
from carepost.ground import clock
from carepost.ground.errors import NotFound
from carepost.ground.keys import PurposeKeys
from carepost.ground.orgkeys import OrgKeys

#: view -> its columns after `org`
COLUMNS: Final[dict[str, tuple[str, ...]]] = {
    "engine_template": ("id", "number", "row_id", "sealed"),
    "engine_upload": ("id", "until", "size", "head", "data"),
}


class FileHead(msgspec.Struct, frozen=True):
    """As it will stand in a message."""

    name: str
    #: `type/subtype`, with its parameters
    kind: str


class Template(msgspec.Struct, frozen=True):
    """The active version. `compiled`: rendering.types.Compiled, msgpack."""

    number: int
    compiled: bytes


class Upload(msgspec.Struct, frozen=True):
    head: FileHead
    data: bytes


class Shelf(Protocol):
    """Blocking. Each raises NotFound (absent, another organisation's, expired, removed), Unavailable."""

    def template(self, snapshot: OrgSnapshot, template: bytes) -> Template: ...

    def size(self, snapshot: OrgSnapshot, upload: bytes) -> int: ...

    def upload(self, snapshot: OrgSnapshot, upload: bytes) -> Upload: ...


class StaticShelf:
    """Given by the caller (tests): (organisation, id) -> what lies there."""

    def __init__(
        self,
        templates: Mapping[tuple[bytes, bytes], Template] | None = None,
        uploads: Mapping[tuple[bytes, bytes], Upload] | None = None,
    ) -> None:
        self.templates = dict(templates or {})
        self.uploads = dict(uploads or {})

    def template(self, snapshot: OrgSnapshot, template: bytes) -> Template:
        found = self.templates.get((snapshot.id, template))
        if found is None:
            raise NotFound
        return found

    def size(self, snapshot: OrgSnapshot, upload: bytes) -> int:
        return len(self.upload(snapshot, upload).data)

    def upload(self, snapshot: OrgSnapshot, upload: bytes) -> Upload:
        found = self.uploads.get((snapshot.id, upload))
        if found is None:
            raise NotFound
        return found


class SqlShelf:
    """From the office's views."""

    def __init__(
        self, connect: Callable[[], Any], keys: PurposeKeys, *, begin: tuple[str, ...], placeholder: str
    ) -> None:
        """`keys` with the purpose `content`."""
        self._keys = OrgKeys(keys)
        where = f"WHERE org = {placeholder} AND id = {placeholder}"
        self._templates = SqlRows(
            connect, f"SELECT number, row_id, sealed FROM engine_template {where}", begin, "template-unreadable"  # noqa: S608  constants
        )  # fmt: skip
        self._sizes = SqlRows(connect, f"SELECT until, size FROM engine_upload {where}", begin, "upload-unreadable")  # noqa: S608  constants
        self._uploads = SqlRows(connect, f"SELECT head, data FROM engine_upload {where}", begin, "upload-unreadable")  # noqa: S608  constants

    def template(self, snapshot: OrgSnapshot, template: bytes) -> Template:
        row = self._templates.row(snapshot.id, template)
        if row is None:
            raise NotFound
        place = f"templates_version.compiled/{uuid.UUID(str(row[1]))}"
        return Template(int(row[0]), self._open(snapshot, bytes(row[2]), place))

    def size(self, snapshot: OrgSnapshot, upload: bytes) -> int:
        row = self._sizes.row(snapshot.id, upload)
        if row is None or int(row[0]) <= clock.now():
            raise NotFound
        return int(row[1])

    def upload(self, snapshot: OrgSnapshot, upload: bytes) -> Upload:
        row = self._uploads.row(snapshot.id, upload)
        if row is None:
            raise NotFound
        text = uuid.UUID(bytes=upload)
        head = self._open(snapshot, bytes(row[0]), f"uploads_upload.head/{text}")
        data = self._open(snapshot, bytes(row[1]), f"uploads_upload.data/{text}")
        return Upload(msgspec.msgpack.decode(head, type=FileHead), data)

    def close(self) -> None:
        for rows in (self._templates, self._sizes, self._uploads):
            rows.close()

    def _open(self, snapshot: OrgSnapshot, sealed: bytes, place: str) -> bytes:
        version = columns.key_version(sealed)
        wrapped = snapshot.key("content", version)
        if wrapped is None:
            raise NotFound
        key = self._keys.open(snapshot.id, "content", version, wrapped)
        try:
            return columns.open_(key, snapshot.id, sealed, place)
        except Damaged:
            raise NotFound from None
