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
    """`number` 0: the active one. Raises NotFound, Forbidden."""
    with scope.organisation(org):
        authorise(actor, Permission.TEMPLATES, org)
        row = live_template(org, template)
        one = Version.objects.filter(org_id=org, template=row, number=number or row.active).first()
        if one is None:
            raise NotFound("There is no such version.")
        source = _source.decode(sealing.open_(org, PURPOSE, bytes(one.source), place("source", one)))
        compiled = _compiled.decode(sealing.open_(org, PURPOSE, bytes(one.compiled), place("compiled", one)))
        return Opened(_line(row), one.number, source, compiled)


def rendered(org: uuid.UUID, template: uuid.UUID, actor: Actor, variables: bytes, number: int = 0) -> Rendered:
    """A version with these variables (a JSON object); nothing is kept. Raises NotFound, Forbidden, TemplateFault,
    Unavailable."""
    return once.render(opened(org, template, actor, number).compiled, variables)


def _line(row: Template) -> Line:
    return Line(str(row.pk), row.name, row.active, row.newest, row.changed_at)


def _version_line(template: Template, row: Version) -> VersionLine:
    note = sealing.open_(row.org_id, PURPOSE, bytes(row.note), place("note", row)).decode()
    return VersionLine(row.number, row.author, row.created_at, note, row.number == template.active)
