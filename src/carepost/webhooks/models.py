"""An endpoint and the secrets its calls are signed with."""

from typing import ClassVar

from django.db import models

from carepost.tenancy.models.base import OrgModel, now

LIVE, PAUSED, DISABLED = "live", "paused", "disabled"


class Endpoint(OrgModel):
    """An address that is told of events."""

    name = models.CharField(max_length=200, blank=True, default="")
    url = models.CharField(max_length=2000)
    #: carepost | sendgrid
    format = models.CharField(max_length=10)
    #: filters.Filter as JSON
    filter = models.TextField()
    #: live | paused | disabled; since when, and why (a code, "" where a person did it)
    state = models.CharField(max_length=10, default=LIVE)
    state_at = models.BigIntegerField(default=now)
    cause = models.CharField(max_length=40, blank=True, default="")
    #: where a resumption takes up again (UTC microseconds): what happened since is told then
    resume_from = models.BigIntegerField(default=0)
    #: 32 random bytes under the organisation's evidence key: makes the stable tokens that stand for addresses
    token = models.BinaryField()
    #: the agreement that lets it be told what is personal: reference, date (YYYY-MM-DD), with whom; "": none
    agreement = models.CharField(max_length=200, blank=True, default="")
    agreement_date = models.CharField(max_length=10, blank=True, default="")
    agreement_with = models.CharField(max_length=200, blank=True, default="")
    agreed_at = models.BigIntegerField(default=0)
    #: a letter said that it was disabled
    told_at = models.BigIntegerField(default=0)
    created_at = models.BigIntegerField(default=now)
    changed_at = models.BigIntegerField(default=now)
    removed_at = models.BigIntegerField(default=0)

    class Meta(OrgModel.Meta):
        constraints: ClassVar = [*OrgModel.Meta.constraints]
        indexes: ClassVar = [models.Index(fields=["org", "removed_at"], name="webhooks_endpoint_live")]


class Secret(OrgModel):
    """What calls are signed with; two at most count at once."""

    endpoint = models.ForeignKey(Endpoint, on_delete=models.PROTECT, related_name="+")
    #: signing.Keys under the organisation's evidence key
    sealed = models.BinaryField()
    created_at = models.BigIntegerField(default=now)
    #: counts no more from then on (UTC microseconds); 0: until it is replaced
    ends_at = models.BigIntegerField(default=0)
