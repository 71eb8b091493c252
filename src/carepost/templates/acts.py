"""What may be done with templates. Each act is one transaction with its event; the engine hears at once."""

import uuid
from typing import Final

import msgspec

from carepost.ground.errors import NotFound, Refused
from carepost.rendering import once
from carepost.rendering.types import Compiled, Rendered, Source
from carepost.templates.models import Template, Version
from carepost.tenancy import names, scope, sealing
from carepost.tenancy.act import Doing, act
from carepost.tenancy.permissions import Permission, authorise
from carepost.wire.types import Actor

#: live templates of one organisation, and versions of one template
MOST: Final = 1_000
MOST_VERSIONS: Final = 500
PURPOSE: Final = "content"

_encode = msgspec.msgpack.Encoder().encode


def create(org: uuid.UUID, name: str, source: Source, *, actor: Actor, note: str = "") -> Template:
    """With its first version, active. Raises names.Wrong, TemplateFault, Refused, Forbidden, Unavailable."""
    allowed(org, actor)
    called = names.words(name, "name")
    said = names.words(note, "note", longest=500, empty=True)
    compiled = once.compile_(source)
    with act(org, Permission.TEMPLATES, actor=actor) as doing:
        row = begun(doing, called, active=1)
        _version(doing, row, 1, source, compiled, said)
        doing.event("template.added", on=[row.pk], facts={"version": "1"}, values={"new": called})
        doing.tell_engine()
    return row


def begun(doing: Doing, name: str, *, active: int = 0) -> Template:
    """Within an act: the row of a template; `active` 0: nothing is made from it yet. Raises Refused."""
    _free(doing.org, name)
    if Template.objects.filter(org_id=doing.org, removed_at=0).count() >= MOST:
        raise Refused("too-many-templates", f"An organisation has at most {MOST} templates.", status=409)
    row = Template(org_id=doing.org, name=name, created_at=doing.at, changed_at=doing.at)
    row.active = row.newest = active
    row.save(force_insert=True)
    return row


def add_version(
    org: uuid.UUID, template: uuid.UUID, source: Source, *, actor: Actor, note: str = "", activate: bool = True
) -> Version:
    """Raises TemplateFault, Refused, Forbidden, NotFound, Unavailable."""
    allowed(org, actor)
    with scope.organisation(org):
        live_template(org, template)
    said = names.words(note, "note", longest=500, empty=True)
    compiled = once.compile_(source)
    with act(org, Permission.TEMPLATES, actor=actor) as doing:
        return put_version(doing, live_template(org, template), source, compiled, note=said, activate=activate)


def put_version(
    doing: Doing, row: Template, source: Source, compiled: Compiled, *, note: str = "", activate: bool = True
) -> Version:
    """Within an act: the next version. Raises Refused."""
    if row.newest >= MOST_VERSIONS:
        raise Refused("too-many-versions", f"A template has at most {MOST_VERSIONS} versions.", status=409)
    row.newest += 1
    row.changed_at = doing.at
    row.active = row.newest if activate else row.active
    row.save(update_fields=["newest", "changed_at", "active"])
    made = _version(doing, row, row.newest, source, compiled, note)
    doing.event("template.version-added", on=[row.pk], facts={"version": str(made.number)})
    if activate:
        doing.event("template.activated", on=[row.pk], facts={"version": str(made.number)})
        doing.tell_engine()
    return made


def activate(org: uuid.UUID, template: uuid.UUID, number: int, *, actor: Actor) -> Template:
    """From now on messages are made from this version. Raises NotFound, Forbidden."""
    with act(org, Permission.TEMPLATES, actor=actor) as doing:
        row = live_template(org, template)
        if not Version.objects.filter(org_id=org, template=row, number=number).exists():
            raise NotFound("There is no such version.")
        row.active, row.changed_at = number, doing.at
        row.save(update_fields=["active", "changed_at"])
        doing.event("template.activated", on=[row.pk], facts={"version": str(number)})
        doing.tell_engine()
    return row


def rename(org: uuid.UUID, template: uuid.UUID, name: str, *, actor: Actor) -> Template:
    """Its id, by which programs know it, stays. Raises names.Wrong, Refused, NotFound, Forbidden."""
    called = names.words(name, "name")
    with act(org, Permission.TEMPLATES, actor=actor) as doing:
        row = live_template(org, template)
        _free(org, called, but=template)
        former, row.name, row.changed_at = row.name, called, doing.at
        row.save(update_fields=["name", "changed_at"])
        doing.event("template.renamed", on=[row.pk], values={"old": former, "new": called})
    return row


def remove(org: uuid.UUID, template: uuid.UUID, *, actor: Actor) -> None:
    """Nothing is made from it any more; its versions stay on record. Raises NotFound, Forbidden."""
    with act(org, Permission.TEMPLATES, actor=actor) as doing:
        row = live_template(org, template)
        row.removed_at = doing.at
        row.save(update_fields=["removed_at"])
        doing.event("template.removed", on=[row.pk], values={"old": row.name})
        doing.tell_engine()


def draft(org: uuid.UUID, source: Source, variables: bytes, *, actor: Actor) -> Rendered:
    """What is being written, as it would come out; nothing is kept. `variables`: a JSON object. Raises TemplateFault,
    Forbidden, Unavailable."""
    allowed(org, actor)
    return once.render(once.compile_(source), variables)


def allowed(org: uuid.UUID, actor: Actor) -> None:
    """Asked before anything costly is done. Raises Forbidden."""
    with scope.organisation(org):
        authorise(actor, Permission.TEMPLATES, org)


def live_template(org: uuid.UUID, template: uuid.UUID) -> Template:
    """Raises NotFound for absent, removed and another organisation's alike."""
    row = Template.objects.filter(org_id=org, pk=template, removed_at=0).first()
    if row is None:
        raise NotFound("There is no such template.")
    return row


def _free(org: uuid.UUID, name: str, but: uuid.UUID | None = None) -> None:
    """Raises Refused where another live template has this name."""
    found = Template.objects.filter(org_id=org, removed_at=0, name=name).first()
    if found is not None and found.pk != but:
        raise Refused("template-name", "There is a template of this name already.", status=409)


def place(column: str, row: Version) -> str:
    return sealing.place("templates_version", column, row.pk)


def _version(doing: Doing, template: Template, number: int, source: Source, compiled: Compiled, note: str) -> Version:
    row = Version(org_id=doing.org, template=template, number=number, created_at=doing.at)
    row.author = f"{doing.actor.kind}:{doing.actor.id}"
    row.note = sealing.seal(doing.org, PURPOSE, note.encode(), place("note", row))
    row.source = sealing.seal(doing.org, PURPOSE, _encode(source), place("source", row))
    row.compiled = sealing.seal(doing.org, PURPOSE, _encode(compiled), place("compiled", row))
    row.save(force_insert=True)
    return row
