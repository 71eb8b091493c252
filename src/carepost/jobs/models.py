"""Jobs and what they made. What was asked and every result stand sealed under the organisation's content key."""

from typing import ClassVar

from django.db import models

from carepost.tenancy.models.base import OrgModel, now


class Job(OrgModel):
    #: jobs.types.Kind
    kind = models.CharField(max_length=20)
    #: receiving | waiting | running | done | failed | cancelled
    state = models.CharField(max_length=10, default="waiting")
    #: wire.types.Actor as "kind:id"
    author = models.CharField(max_length=80)
    created_at = models.BigIntegerField(default=now)
    changed_at = models.BigIntegerField(default=now)
    #: after which its result is gone
    expires_at = models.BigIntegerField()
    #: messages or events looked at, and deliveries changed or rows written
    seen = models.PositiveIntegerField(default=0)
    made = models.PositiveIntegerField(default=0)
    #: of an import: lines of the file, those the list said already, and those that are wrong; `wrong`
    #: of a sending again: messages that were passed over
    total = models.PositiveIntegerField(default=0, db_default=0)
    known = models.PositiveIntegerField(default=0, db_default=0)
    wrong = models.PositiveIntegerField(default=0, db_default=0)
    #: of the next page; opaque
    cursor = models.CharField(max_length=64, blank=True, default="")
    #: stable reason code of a failure
    cause = models.CharField(max_length=60, blank=True, default="")
    #: jobs.types.Asked, sealed
    asked = models.BinaryField()

    class Meta(OrgModel.Meta):
        indexes: ClassVar = [models.Index(fields=["state", "created_at"], name="jobs_job_state")]


class Piece(OrgModel):
    """A part of a result, in order."""

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="pieces")
    number = models.PositiveIntegerField()
    data = models.BinaryField()

    class Meta(OrgModel.Meta):
        constraints: ClassVar = [
            *OrgModel.Meta.constraints,
            models.UniqueConstraint(fields=["org", "job", "number"], name="jobs_piece_number"),
        ]


class Part(OrgModel):
    """Some lines of a file that is imported, in order; sealed like a result, and gone with its job."""

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="parts")
    number = models.PositiveIntegerField()
    #: of the file: the first line of this part, from 1
    line = models.PositiveIntegerField()
    data = models.BinaryField()

    class Meta(OrgModel.Meta):
        constraints: ClassVar = [
            *OrgModel.Meta.constraints,
            models.UniqueConstraint(fields=["org", "job", "number"], name="jobs_part_number"),
        ]
