"""Files by id. Name and content stand sealed under the organisation's content key."""

from typing import ClassVar

from django.db import models

from carepost.tenancy.models.base import OrgModel, now


class Upload(OrgModel):
    #: octets of the file
    size = models.PositiveIntegerField()
    #: wire.types.Actor as "kind:id"
    author = models.CharField(max_length=80)
    created_at = models.BigIntegerField(default=now)
    expires_at = models.BigIntegerField()
    #: directory.shelf.FileHead, sealed
    head = models.BinaryField()
    data = models.BinaryField()

    class Meta(OrgModel.Meta):
        indexes: ClassVar = [models.Index(fields=["org", "expires_at"], name="uploads_upload_expires")]
