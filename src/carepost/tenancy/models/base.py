"""What every table of an organisation has: one `id`, its `org`, and (org, id) unique.

On PostgreSQL `tenancy.postgres` makes (org_id, id) the primary key and the foreign keys composite; Django's models
keep one `id` (DESIGN 2, Tables).
"""

import uuid
from typing import Any, ClassVar

from django.db import models

from carepost.ground import clock, ids


def fresh_id() -> uuid.UUID:
    """A UUIDv7 that names the office as its maker."""
    return uuid.UUID(bytes=ids.new())


def now() -> int:
    return clock.now()


class IdModel(models.Model):
    id = models.UUIDField(primary_key=True, default=fresh_id, editable=False)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return str(self.pk)


class OrgModel(IdModel):
    """Subclasses with a Meta of their own extend `OrgModel.Meta` and repeat `*OrgModel.Meta.constraints`."""

    org = models.ForeignKey("tenancy.Organisation", on_delete=models.PROTECT, related_name="+")

    class Meta:
        abstract = True
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["org", "id"], name="%(app_label)s_%(class)s_org_id"),
        ]
