"""What an organisation tells detection, in versions; and what its people called wrong."""

from typing import ClassVar

from django.db import models

from carepost.tenancy.models.base import OrgModel, now


class Vocabulary(OrgModel):
    """One version, never edited; the highest number counts."""

    number = models.PositiveIntegerField()
    #: wire.types.Actor as "kind:id"
    author = models.CharField(max_length=80)
    created_at = models.BigIntegerField(default=now)
    #: in words, sealed under the organisation's evidence key
    reason = models.BinaryField()
    #: directory.words.Told, sealed under the organisation's evidence key
    sealed = models.BinaryField()

    class Meta(OrgModel.Meta):
        constraints: ClassVar = [
            *OrgModel.Meta.constraints,
            models.UniqueConstraint(fields=["org", "number"], name="detection_vocabulary_number"),
        ]


class WrongFinding(OrgModel):
    """One value of one kind that somebody called wrong; told again it is counted."""

    #: kind of finding (`phi.types.Finding.kind`)
    kind = models.CharField(max_length=80)
    #: phi.types.Where
    place = models.CharField(max_length=20)
    #: `phi.harmless.token`
    token = models.BinaryField()
    #: the masked value, sealed under the organisation's evidence key
    masked = models.BinaryField()
    times = models.PositiveIntegerField(default=1)
    first_at = models.BigIntegerField(default=now)
    last_at = models.BigIntegerField(default=now)
    #: new | excepted | dismissed
    state = models.CharField(max_length=10, default="new")

    class Meta(OrgModel.Meta):
        constraints: ClassVar = [
            *OrgModel.Meta.constraints,
            models.UniqueConstraint(fields=["org", "kind", "token"], name="detection_wrongfinding_token"),
        ]
        indexes: ClassVar = [models.Index(fields=["org", "state", "last_at"], name="detection_wrongfinding_state")]
