"""Reading templates. They hold nothing of a person; who may change them may read them."""

import uuid

import msgspec

from carepost.ground.errors import NotFound
from carepost.rendering import once
from carepost.rendering.types import Compiled, Rendered, Source
from carepost.templates.acts import PURPOSE, live_template, place
from carepost.templates.models import Template, Version
from carepost.tenancy import scope, sealing
from carepost.tenancy.permissions import Permission, authorise
from carepost.wire.types import Actor

_source = msgspec.msgpack.Decoder(Source)
_compiled = msgspec.msgpack.Decoder(Compiled)


class Line(msgspec.Struct, frozen=True):
    id: str
    name: str
    active: int
    newest: int
    #: UTC microseconds
    changed_at: int


class VersionLine(msgspec.Struct, frozen=True):
    number: int
    author: str
    created_at: int
    note: str
    active: bool


class Opened(msgspec.Struct, frozen=True):
    """One version whole."""

    template: Line
    number: int
    source: Source
    compiled: Compiled


def listing(org: uuid.UUID, actor: Actor, name: str = "") -> tuple[Line, ...]:
    """By name; `name`: the one that is called so. Raises Forbidden."""
    with scope.organisation(org):
        authorise(actor, Permission.TEMPLATES, org)
        rows = Template.objects.filter(org_id=org, removed_at=0).order_by("name", "pk")
        return tuple([_line(row) for row in (rows.filter(name=name) if name else rows)])


def versions(org: uuid.UUID, template: uuid.UUID, actor: Actor) -> tuple[VersionLine, ...]:
    """Newest first. Raises NotFound, Forbidden."""
    with scope.organisation(org):
        authorise(actor, Permission.TEMPLATES, org)
        row = live_template(org, template)
        found = Version.objects.filter(org_id=org, template=row).defer("source", "compiled").order_by("-number")
        return tuple([_version_line(row, one) for one in found])


def opened(org: uuid.UUID, template: uuid.UUID, actor: Actor, number: int = 0) -> Opened:
    """`number` 0: the active one, else the newest; where there is none, one that is empty (number 0). Raises NotFound,
    Forbidden."""
    with scope.organisation(org):
        authorise(actor, Permission.TEMPLATES, org)
        row = live_template(org, template)
        if not number and not row.newest:
            return Opened(_line(row), 0, Source(""), Compiled("", "", ""))
        one = Version.objects.filter(org_id=org, template=row, number=number or row.active or row.newest).first()
        if one is None:
            raise NotFound("There is no such version.")
        return Opened(_line(row), one.number, source_of(one), compiled_of(one))


def rendered(org: uuid.UUID, template: uuid.UUID, actor: Actor, variables: bytes, number: int = 0) -> Rendered:
    """A version with these variables (a JSON object); nothing is kept. Raises NotFound, Forbidden, TemplateFault,
    Unavailable."""
    found = opened(org, template, actor, number)
    if not found.number:
        raise NotFound("This template has no version yet.")
    return once.render(found.compiled, variables)


def source_of(row: Version) -> Source:
    return _source.decode(sealing.open_(row.org_id, PURPOSE, bytes(row.source), place("source", row)))


def compiled_of(row: Version) -> Compiled:
    return _compiled.decode(sealing.open_(row.org_id, PURPOSE, bytes(row.compiled), place("compiled", row)))


def note_of(row: Version) -> str:
    return sealing.open_(row.org_id, PURPOSE, bytes(row.note), place("note", row)).decode()


def _line(row: Template) -> Line:
    return Line(str(row.pk), row.name, row.active, row.newest, row.changed_at)


def _version_line(template: Template, row: Version) -> VersionLine:
    return VersionLine(row.number, row.author, row.created_at, note_of(row), row.number == template.active)
