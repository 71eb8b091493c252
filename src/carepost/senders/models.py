"""What was chosen for a sender domain, what DNS was last found to say of it and how that changed, and the MTA-STS
policies served here."""

from typing import ClassVar

from django.db import models

from carepost.tenancy.models import SenderDomain
from carepost.tenancy.models.base import OrgModel, now


class Choice(OrgModel):
    """What an administrator chose for one domain; without a row the defaults hold."""

    domain = models.ForeignKey(SenderDomain, on_delete=models.PROTECT, related_name="+")
    #: days after which the next DKIM keys are made by themselves; 0: only by a person
    rotate_days = models.PositiveIntegerField(default=0)
    #: days a former key stays published
    keep_days = models.PositiveIntegerField(default=14)
    #: "" (no policy is served here) | testing | enforce | none
    sts_mode = models.CharField(max_length=10, blank=True, default="")
    #: hosts or patterns of the policy, one a line
    sts_mx = models.TextField(blank=True, default="")
    #: seconds
    sts_age = models.PositiveIntegerField(default=604_800)
    #: of the TXT record: another with every change
    sts_id = models.CharField(max_length=32, blank=True, default="")
    changed_at = models.BigIntegerField(default=now)
    #: a letter told of the keys made by themselves up to then
    told_at = models.BigIntegerField(default=0)

    class Meta(OrgModel.Meta):
        constraints: ClassVar = [
            *OrgModel.Meta.constraints,
            models.UniqueConstraint(fields=["org", "domain"], name="senders_choice_domain"),
        ]


class Check(OrgModel):
    """The newest look at one domain."""

    domain = models.ForeignKey(SenderDomain, on_delete=models.PROTECT, related_name="+")
    at = models.BigIntegerField(default=now)
    #: JSON: tuple of senders.types.Line
    lines = models.TextField(default="[]")
    #: JSON: place -> the state that was last known, and since when: what DNS did not say changes nothing in it
    known = models.TextField(default="{}")
    #: JSON: places that were right, turned wrong, and of which nobody was told yet
    turned = models.TextField(default="[]")
    #: when it is looked at again by the clock
    due_at = models.BigIntegerField(default=0)

    class Meta(OrgModel.Meta):
        constraints: ClassVar = [
            *OrgModel.Meta.constraints,
            models.UniqueConstraint(fields=["org", "domain"], name="senders_check_domain"),
        ]
        indexes: ClassVar = [models.Index(fields=["due_at"], name="senders_check_due")]


class Change(OrgModel):
    """What DNS, or what is served here, said of one domain and says now: the domain's history, newest on its page."""

    domain = models.ForeignKey(SenderDomain, on_delete=models.PROTECT, related_name="+")
    at = models.BigIntegerField(default=now)
    #: first | record | policy (the MTA-STS policy served here)
    kind = models.CharField(max_length=10)
    #: senders.types.Part, and the record's name; "" of a first look
    part = models.CharField(max_length=20, blank=True)
    name = models.CharField(max_length=300, blank=True)
    #: senders.types.State before and now; of a policy its modes
    was = models.CharField(max_length=12, blank=True)
    state = models.CharField(max_length=12, blank=True)
    #: what stood there and stands there, a value a line
    old = models.TextField(blank=True)
    new = models.TextField(blank=True)
    weaker = models.BooleanField(default=False)

    class Meta(OrgModel.Meta):
        indexes: ClassVar = [models.Index(fields=["org", "domain", "-at"], name="senders_change_at")]


class Standing(OrgModel):
    """How the records of one domain stood on one day, UTC: by that day's worst look."""

    domain = models.ForeignKey(SenderDomain, on_delete=models.PROTECT, related_name="+")
    #: days since 1970
    day = models.IntegerField()
    #: records that are right; that mail needs and are missing or different; that DNS said nothing of; and all
    right = models.PositiveIntegerField(default=0)
    wrong = models.PositiveIntegerField(default=0)
    unknown = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)

    class Meta(OrgModel.Meta):
        constraints: ClassVar = [
            *OrgModel.Meta.constraints,
            models.UniqueConstraint(fields=["org", "domain", "day"], name="senders_standing_day"),
        ]


class StsPolicy(models.Model):
    """A policy as it is served to everybody who asks: public, so shared by all organisations."""

    domain = models.CharField(max_length=255, primary_key=True)
    owner = models.UUIDField()
    text = models.TextField()
