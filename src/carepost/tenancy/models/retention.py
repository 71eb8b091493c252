"""How long an organisation keeps what messages said. A row of its own: without one the installation's default holds."""

from django.db import models

from carepost.tenancy.models.base import OrgModel, now


class Retention(OrgModel):
    #: days the content of a message stays readable in history; 0: for ever
    content_days = models.PositiveIntegerField()
    changed_at = models.BigIntegerField(default=now)

    class Meta(OrgModel.Meta):
        constraints = [
            *OrgModel.Meta.constraints,
            models.UniqueConstraint(fields=["org"], name="tenancy_retention_one"),
        ]
