"""How an organisation's reviewers are told, and what they were told last. Nothing of any message."""

from typing import ClassVar

from django.db import models

from carepost.tenancy.models.base import OrgModel


class Setting(OrgModel):
    """One row an organisation; none: the defaults."""

    #: at-once | daily | off
    letters = models.CharField(max_length=10, default="at-once")
    #: who is told; "": everybody who may release
    address = models.CharField(max_length=320, blank=True, default="")
    #: hours before the time of a delivery is over; 0: no reminder
    remind = models.PositiveSmallIntegerField(default=24)
    #: when the last letter was written, and since when the newest waits that it told of (UTC microseconds)
    told_at = models.BigIntegerField(default=0)
    told_upto = models.BigIntegerField(default=0)
    #: the latest end that was reminded of
    reminded = models.BigIntegerField(default=0)

    class Meta(OrgModel.Meta):
        constraints: ClassVar = [
            *OrgModel.Meta.constraints,
            models.UniqueConstraint(fields=["org"], name="review_setting_one"),
        ]
