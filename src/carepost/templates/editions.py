"""Templates whose author writes Handlebars and knows versions by id (SendGrid's API): what was written is kept beside
the version that is made from it, and given back as it was. A change is a new version under the same id."""

import itertools
import uuid
from collections.abc import Iterable

import msgspec

from carepost.ground.errors import NotFound, Refused
from carepost.rendering import handlebars, once
from carepost.rendering.types import Compiled, Source
from carepost.templates import acts
from carepost.templates.models import Edition, Template, Version
from carepost.templates.select import compiled_of, note_of, source_of
from carepost.tenancy import names, scope, sealing
from carepost.tenancy.act import Doing, act
from carepost.tenancy.permissions import Permission, authorise
from carepost.wire.types import Actor


class Written(msgspec.Struct, frozen=True):
    """Handlebars in every part. `generate`: the text is made from the HTML; what stands in `plain` is kept."""

    name: str
    subject: str = ""
    html: str = ""
    plain: str = ""
    generate: bool = True
    editor: str = "code"
    test_data: str = ""


class Shown(msgspec.Struct, frozen=True):
    """A version as its author knows it. `own`: it was written here, in Liquid. Times are UTC microseconds."""

    id: uuid.UUID
    number: int
    active: bool
    changed_at: int
    written: Written
    own: bool = False


class Line(msgspec.Struct, frozen=True):
    id: uuid.UUID
    name: str
    changed_at: int
    versions: tuple[Shown, ...]


_written = msgspec.msgpack.Decoder(Written)


def begin(org: uuid.UUID, name: str, *, actor: Actor) -> Line:
    """A template without a version: nothing is made from it yet. Raises names.Wrong, Refused, Forbidden."""
    called = names.words(name, "name")
    with act(org, Permission.TEMPLATES, actor=actor) as doing:
        row = acts.begun(doing, called)
        doing.event("template.added", on=[row.pk], facts={"version": "0"}, values={"new": called})
    return Line(row.pk, row.name, row.changed_at, ())


def add(org: uuid.UUID, template: uuid.UUID, written: Written, *, actor: Actor, activate: bool) -> Shown:
    """Where none is active yet, this one is, whatever is said. Raises TemplateFault, Refused, Forbidden, NotFound,
    Unavailable."""
    source, compiled = _made(org, written, actor)
    with act(org, Permission.TEMPLATES, actor=actor) as doing:
        row = acts.live_template(org, template)
        return _put(doing, row, None, written, source, compiled, activate=activate or not row.active)


def change(
    org: uuid.UUID, template: uuid.UUID, edition: uuid.UUID, changes: dict[str, object], *, actor: Actor,
    activate: bool | None = None,
) -> Shown:  # fmt: skip
    """`changes`: fields of Written. `activate` None: what is active stays so. Raises as `add`, and Refused for a
    version that was written here, in Liquid."""
    acts.allowed(org, actor)
    before = one(org, template, edition, actor)
    if before.own:
        words = "This version is written in Liquid; add a new version, or change it through /api/v1/templates."
        raise Refused("template-liquid", words, status=409)
    if before.active and activate is False:
        raise Refused("template-active", "This version is active: activate another one in its place.", status=409)
    written = msgspec.structs.replace(before.written, **changes)
    source, compiled = _made(org, written, actor)
    with act(org, Permission.TEMPLATES, actor=actor) as doing:
        row = acts.live_template(org, template)
        current = _current(row, edition)
        return _put(doing, row, edition, written, source, compiled, activate=bool(activate) or row.active == current)


def activate(org: uuid.UUID, template: uuid.UUID, edition: uuid.UUID, *, actor: Actor) -> Shown:
    """Raises NotFound, Forbidden."""
    found = one(org, template, edition, actor)
    acts.activate(org, template, found.number, actor=actor)
    return msgspec.structs.replace(found, active=True)


def remove(org: uuid.UUID, template: uuid.UUID, edition: uuid.UUID, *, actor: Actor) -> None:
    """Off its author's list; it stays on record. Where it was active nothing is made from the template until another
    one is. Raises NotFound, Forbidden, Refused for a version that was written here."""
    with act(org, Permission.TEMPLATES, actor=actor) as doing:
        row = acts.live_template(org, template)
        rows = Edition.objects.filter(org_id=org, template=row, lineage=edition, removed_at=0)
        numbers = list(rows.values_list("version__number", flat=True))
        if not numbers:
            if Version.objects.filter(org_id=org, template=row, pk=edition, edition=None).exists():
                words = "What was written here is never removed; activate another version, or delete the template."
                raise Refused("template-version-kept", words, status=409)
            raise NotFound("There is no such version.")
        rows.update(removed_at=doing.at)
        row.changed_at = doing.at
        if row.active in numbers:
            row.active = 0
            doing.tell_engine()
        row.save(update_fields=["changed_at", "active"])
        doing.event("template.version-removed", on=[row.pk], facts={"version": str(max(numbers))})


def copy(org: uuid.UUID, template: uuid.UUID, name: str, *, actor: Actor) -> Line:
    """All its versions under another name ("": made from its own). Raises names.Wrong, Refused, NotFound, Forbidden."""
    acts.allowed(org, actor)
    source = line(org, template, actor)
    called = names.words(name or _free_name(org, source.name), "name")
    with act(org, Permission.TEMPLATES, actor=actor) as doing:
        row = acts.begun(doing, called)
        doing.event("template.added", on=[row.pk], facts={"version": "0"}, values={"new": called})
        for shown in sorted(source.versions, key=lambda one: one.number):
            of = Version.objects.get(org_id=org, template_id=template, number=shown.number)
            written = None if shown.own else shown.written
            note = note_of(of) if shown.own else ""
            _put(doing, row, None, written, source_of(of), compiled_of(of), activate=shown.active, note=note)
    return line(org, row.pk, actor)


def line(org: uuid.UUID, template: uuid.UUID, actor: Actor) -> Line:
    """Raises NotFound, Forbidden."""
    with scope.organisation(org):
        authorise(actor, Permission.TEMPLATES, org)
        row = acts.live_template(org, template)
        return Line(row.pk, row.name, row.changed_at, tuple(_versions(org, [row])[row.pk]))


def page(org: uuid.UUID, actor: Actor, *, after: uuid.UUID | None = None, limit: int = 200) -> tuple[list[Line], int]:
    """The newest first, those behind `after`, and how many there are in all. Raises Forbidden."""
    with scope.organisation(org):
        authorise(actor, Permission.TEMPLATES, org)
        all_ = Template.objects.filter(org_id=org, removed_at=0).order_by("-pk")
        rows = list((all_.filter(pk__lt=after) if after else all_)[:limit])
        versions = _versions(org, rows)
        return [Line(row.pk, row.name, row.changed_at, tuple(versions[row.pk])) for row in rows], all_.count()


def last(org: uuid.UUID, actor: Actor) -> uuid.UUID | None:
    """The oldest template there is: where pages end. Raises Forbidden."""
    with scope.organisation(org):
        authorise(actor, Permission.TEMPLATES, org)
        return Template.objects.filter(org_id=org, removed_at=0).order_by("pk").values_list("pk", flat=True).first()


def one(org: uuid.UUID, template: uuid.UUID, edition: uuid.UUID, actor: Actor) -> Shown:
    """Raises NotFound, Forbidden."""
    found = next((shown for shown in line(org, template, actor).versions if shown.id == edition), None)
    if found is None:
        raise NotFound("There is no such version.")
    return found


def _made(org: uuid.UUID, written: Written, actor: Actor) -> tuple[Source, Compiled]:
    acts.allowed(org, actor)
    plain = "" if written.generate and written.html.strip() else handlebars.translate(written.plain, "text")
    source = Source(
        handlebars.translate(written.subject, "subject"), handlebars.translate(written.html, "html"), plain
    )  # fmt: skip
    return source, once.compile_(source)


def _put(
    doing: Doing, row: Template, lineage: uuid.UUID | None, written: Written | None, source: Source,
    compiled: Compiled, *, activate: bool, note: str = "",
) -> Shown:  # fmt: skip
    """Within an act. `lineage` None: a version of its own. `written` None: it was written here."""
    version = acts.put_version(doing, row, source, compiled, note=note, activate=activate)
    if written is None:
        return _own(version, row)
    made = Edition(org_id=doing.org, template=row, version=version, created_at=doing.at)
    made.lineage = lineage or made.pk
    made.written = sealing.seal(doing.org, acts.PURPOSE, msgspec.msgpack.encode(written), _place(made))
    made.save(force_insert=True)
    return Shown(made.lineage, version.number, activate, doing.at, written)


def _current(row: Template, edition: uuid.UUID) -> int:
    """The number its author's version has now. Raises NotFound."""
    rows = Edition.objects.filter(org_id=row.org_id, template=row, lineage=edition, removed_at=0)
    number = rows.order_by("-version__number").values_list("version__number", flat=True).first()
    if number is None:
        raise NotFound("There is no such version.")
    return number


def _versions(org: uuid.UUID, rows: Iterable[Template]) -> dict[uuid.UUID, list[Shown]]:
    """Of each template, the newest first: of every lineage what it says now, and what was written here."""
    by = {row.pk: row for row in rows}
    found: dict[uuid.UUID, list[Shown]] = {pk: [] for pk in by}
    editions = Edition.objects.filter(org_id=org, template__in=list(by), removed_at=0).order_by("-version__number")
    seen: set[tuple[uuid.UUID, uuid.UUID]] = set()
    for edition in editions.select_related("version").defer("version__source", "version__compiled"):
        key = (edition.template_id, edition.lineage)
        if key in seen:
            continue
        seen.add(key)
        number = edition.version.number
        active = number == by[edition.template_id].active
        written = _written.decode(sealing.open_(org, acts.PURPOSE, bytes(edition.written), _place(edition)))
        found[edition.template_id].append(Shown(edition.lineage, number, active, edition.created_at, written))
    for version in Version.objects.filter(org_id=org, template__in=list(by), edition=None).defer("compiled"):
        found[version.template_id].append(_own(version, by[version.template_id]))
    return {pk: sorted(shown, key=lambda one: -one.number) for pk, shown in found.items()}


def _own(version: Version, row: Template) -> Shown:
    source = source_of(version)
    name = note_of(version) or f"Version {version.number}"
    written = Written(name, source.subject, source.html, source.text, not source.text.strip())
    return Shown(version.pk, version.number, version.number == row.active, version.created_at, written, own=True)


def _free_name(org: uuid.UUID, name: str) -> str:
    with scope.organisation(org):
        taken = set(Template.objects.filter(org_id=org, removed_at=0).values_list("name", flat=True))
    called = (f"{name[:80]} (copy{f' {number}' if number > 1 else ''})" for number in itertools.count(1))
    return next(one for one in called if one not in taken)


def _place(row: Edition) -> str:
    return sealing.place("templates_edition", "written", row.pk)
