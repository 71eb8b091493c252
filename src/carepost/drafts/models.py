"""Drafts and their files. Everything a person wrote or attached stands sealed under the organisation's content key."""

from typing import ClassVar

from django.db import models

from carepost.tenancy.models.base import OrgModel, now
from carepost.tenancy.models.staff import Staff


class Draft(OrgModel):
    staff = models.ForeignKey(Staff, on_delete=models.PROTECT, related_name="+")
    begun_at = models.BigIntegerField(default=now)
    saved_at = models.BigIntegerField(default=now)
    #: drafts.types.Written
    sealed = models.BinaryField()

    class Meta(OrgModel.Meta):
        indexes: ClassVar = [models.Index(fields=["org", "staff", "saved_at"], name="drafts_draft_staff")]


class DraftFile(OrgModel):
    draft = models.ForeignKey(Draft, on_delete=models.CASCADE, related_name="files")
    #: octets of the file
    size = models.PositiveIntegerField()
    #: drafts.types.FileHead
    head = models.BinaryField()
    data = models.BinaryField()
