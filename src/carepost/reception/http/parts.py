"""What a message of the API names instead of saying it: a template with variables, and files uploaded before.

Fetched when a message names one, rendered by a worker (`rendering`): nothing here runs on the loop but dictionaries."""

import asyncio
import uuid
from collections import OrderedDict
from collections.abc import Mapping
from typing import Protocol

import msgspec

from carepost.directory.shelf import Shelf, Upload
from carepost.directory.types import OrgSnapshot
from carepost.ground.errors import NotFound, Unavailable
from carepost.reception.http.compose import field_fault
from carepost.rendering.types import Compiled, Fault, Rendered
from carepost.spool.budget import Budget
from carepost.wire import rest

#: templates remembered, each under its organisation's epoch
_REMEMBERED = 256
_TEMPLATE = "/template_id"
_compiled = msgspec.msgpack.Decoder(Compiled)


class Snapshots(Protocol):
    def snapshot(self, org: bytes) -> OrgSnapshot: ...


class Renderer(Protocol):
    """`rendering.pool.Renderer`."""

    async def render(self, compiled: Compiled, digest: bytes, variables: bytes) -> Rendered | Fault: ...


class Known(msgspec.Struct, frozen=True):
    epoch: int
    number: int
    compiled: Compiled
    digest: bytes


class Fetched:
    """The files of one request and the messages made of it, counted among the process's bodies until `close`."""

    def __init__(self, bodies: Budget) -> None:
        self._bodies = bodies
        self._held = 0
        #: octets of messages made and not handed over
        self.made = 0
        self.files: dict[str, Upload] = {}

    def room(self, size: int) -> None:
        """Raises Unavailable."""
        if not self._bodies.take(size):
            raise Unavailable("bodies-full", "Too much mail is in memory; try again.")
        self._held += size

    def making(self, size: int) -> None:
        """Raises Unavailable."""
        self.room(size)
        self.made += size

    def handed_over(self) -> None:
        self._bodies.give(self.made)
        self._held -= self.made
        self.made = 0

    def close(self) -> None:
        self._bodies.give(self._held)
        self._held = self.made = 0
        self.files = {}


class Made(msgspec.Struct, frozen=True):
    """A message with everything said. `template`: "<id>/<version>", or "" where it was made from none."""

    message: rest.Message
    files: Mapping[str, Upload] = {}
    template: str = ""


class Parts:
    """`shelf` None: there is no office to ask, and whoever names a template or a file is told so."""

    def __init__(self, directory: Snapshots, shelf: Shelf | None, renderer: Renderer | None) -> None:
        self._directory = directory
        self._shelf = shelf
        self._renderer = renderer
        self._known: OrderedDict[tuple[bytes, bytes], Known] = OrderedDict()

    async def made(self, org: bytes, message: rest.Message, fetched: Fetched) -> Made:
        """Raises a 422 problem that points at the field, Unavailable."""
        uploads = [(n, a.upload_id) for n, a in enumerate(message.attachments) if a.upload_id is not None]
        if message.template_id is None and not uploads:
            if message.variables is not None:
                raise field_fault("/variables", "Variables are for a template; give template_id too.")
            return Made(message)
        for number, upload in uploads:
            if upload not in fetched.files:
                fetched.files[upload] = await self._file(org, upload, f"/attachments/{number}/upload_id", fetched)
        if message.template_id is None:
            return Made(message, fetched.files)
        said, version = await self._rendered(org, message, message.template_id)
        return Made(said, fetched.files, version)

    async def _file(self, org: bytes, named: str, pointer: str, fetched: Fetched) -> Upload:
        id_ = _id(named)
        snapshot = self._directory.snapshot(org)
        try:
            if id_ is None or self._shelf is None:
                raise NotFound
            fetched.room(await asyncio.to_thread(self._shelf.size, snapshot, id_))
            return await asyncio.to_thread(self._shelf.upload, snapshot, id_)
        except NotFound:
            raise field_fault(pointer, "There is no such upload, or its day is over; upload the file again.") from None

    async def _rendered(self, org: bytes, message: rest.Message, named: str) -> tuple[rest.Message, str]:
        if message.subject or message.text is not None or message.html is not None:
            raise field_fault(_TEMPLATE, "The template says subject, text and html; leave them out.")
        known, id_ = await self._template(org, named)
        variables = msgspec.json.encode(message.variables or {})
        assert self._renderer is not None
        found = await self._renderer.render(known.compiled, known.digest, variables)
        if isinstance(found, Fault):
            where = "/variables" if found.code == "variable" else _TEMPLATE
            raise field_fault(where, found.words)
        said = msgspec.structs.replace(
            message, subject=found.subject, text=found.text, html=found.html or None, template_id=None, variables=None
        )
        return said, f"{id_}/{known.number}"

    async def _template(self, org: bytes, named: str) -> tuple[Known, uuid.UUID]:
        """The active version, as of the organisation's epoch."""
        id_ = _id(named)
        snapshot = self._directory.snapshot(org)
        if id_ is None or self._shelf is None or self._renderer is None:
            raise field_fault(_TEMPLATE, "There is no such template.")
        known = self._known.get((org, id_))
        if known is None or known.epoch != snapshot.epoch:
            try:
                row = await asyncio.to_thread(self._shelf.template, snapshot, id_)
            except NotFound:
                raise field_fault(_TEMPLATE, "There is no such template.") from None
            compiled = _compiled.decode(row.compiled)
            known = Known(snapshot.epoch, row.number, compiled, compiled.digest)
            self._known[org, id_] = known
            while len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
        return known, uuid.UUID(bytes=id_)


def _id(text: str) -> bytes | None:
    try:
        return uuid.UUID(text).bytes
    except ValueError:
        return None
