"""Legal holds: what must not be disposed of while a matter is open. A row each, kept after it was lifted."""

from typing import ClassVar

from django.db import models

from carepost.tenancy.models.base import OrgModel, now


class LegalHold(OrgModel):
    """On one message. The journal, which alone writes history, carries it out within seconds."""

    message = models.UUIDField()
    #: placing | placed | late (disposed of before) | lifting | lifted
    state = models.CharField(max_length=10, default="placing")
    placed_at = models.BigIntegerField(default=now)
    lifted_at = models.BigIntegerField(default=0)
    #: why it was placed, under the organisation's evidence key
    sealed = models.BinaryField()

    class Meta(OrgModel.Meta):
        constraints: ClassVar = [
            *OrgModel.Meta.constraints,
            models.UniqueConstraint(
                fields=["org", "message"], condition=models.Q(state__in=("placing", "placed")),
                name="tenancy_legalhold_one",
            ),
        ]  # fmt: skip
        indexes: ClassVar = [models.Index(fields=["state"], name="tenancy_legalhold_state")]
