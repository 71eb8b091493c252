"""Templates and their versions. What was written stands sealed under the organisation's content key."""

from typing import ClassVar

from django.db import models

from carepost.tenancy.models.base import OrgModel, now


class Template(OrgModel):
    name = models.CharField(max_length=200)
    #: number of the active version
    active = models.PositiveIntegerField(default=1)
    #: of the newest version
    newest = models.PositiveIntegerField(default=1)
    created_at = models.BigIntegerField(default=now)
    changed_at = models.BigIntegerField(default=now)
    removed_at = models.BigIntegerField(default=0)

    class Meta(OrgModel.Meta):
        constraints: ClassVar = [
            *OrgModel.Meta.constraints,
            models.UniqueConstraint(
                fields=["org", "name"], condition=models.Q(removed_at=0), name="templates_template_name"
            ),
        ]


class Version(OrgModel):
    """Never edited."""

    template = models.ForeignKey(Template, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    #: wire.types.Actor as "kind:id"
    author = models.CharField(max_length=80)
    created_at = models.BigIntegerField(default=now)
    #: what changed, in the author's words; sealed
    note = models.BinaryField()
    #: rendering.types.Source, sealed
    source = models.BinaryField()
    #: rendering.types.Compiled, sealed: what the engine runs
    compiled = models.BinaryField()

    class Meta(OrgModel.Meta):
        constraints: ClassVar = [
            *OrgModel.Meta.constraints,
            models.UniqueConstraint(fields=["org", "template", "number"], name="templates_version_number"),
        ]


class Edition(OrgModel):
    """A version that was written in another's words (Handlebars), as it was written; never edited. What its author
    calls one version and changes is a row, and a version, each time, under the same `lineage`."""

    template = models.ForeignKey(Template, on_delete=models.PROTECT, related_name="editions")
    version = models.ForeignKey(Version, on_delete=models.PROTECT, related_name="edition")
    #: what its author knows it by
    lineage = models.UUIDField()
    created_at = models.BigIntegerField(default=now)
    removed_at = models.BigIntegerField(default=0)
    #: templates.editions.Written, sealed
    written = models.BinaryField()

    class Meta(OrgModel.Meta):
        indexes: ClassVar = [models.Index(fields=["org", "template"], name="templates_edition_template")]
        constraints: ClassVar = [
            *OrgModel.Meta.constraints,
            models.UniqueConstraint(fields=["org", "version"], name="templates_edition_version"),
        ]
