"""Organisations, their units and sender domains, with settings inherited organisation -> unit -> domain."""

from django.db import models

from carepost.policy.types import Assurance
from carepost.tenancy.models.base import IdModel, OrgModel, now

_FLOORS = [(a.value, a.name) for a in Assurance]


class Organisation(IdModel):
    #: short name for commands and addresses, e.g. "demo"
    slug = models.CharField(max_length=40, unique=True)
    name = models.CharField(max_length=200)
    #: what notices are signed with; it must not tell what kind of care is given
    notice_name = models.CharField(max_length=200)
    phone = models.CharField(max_length=60, blank=True)
    auditor = models.CharField(max_length=320, blank=True)
    #: who is told when a destination weakens, and of whatever else needs somebody's eyes
    alerts = models.CharField(max_length=320, blank=True, default="")
    portal_url = models.CharField(max_length=300, blank=True)
    portal_address = models.CharField(max_length=320, blank=True)
    floor = models.SmallIntegerField(default=Assurance.VERIFIED.value, choices=_FLOORS)
    #: seconds before the plan's next method (DESIGN 3)
    patience = models.PositiveIntegerField(default=14_400)
    #: immutable policy version in force (PolicyVersion.label)
    policy_version = models.CharField(max_length=60, default="")
    created_at = models.BigIntegerField(default=now)
    closed_at = models.BigIntegerField(default=0)


class Unit(OrgModel):
    name = models.CharField(max_length=200)
    #: "" inherits the organisation's
    notice_name = models.CharField(max_length=200, blank=True)
    phone = models.CharField(max_length=60, blank=True)
    created_at = models.BigIntegerField(default=now)

    class Meta(OrgModel.Meta):
        constraints = [
            *OrgModel.Meta.constraints,
            models.UniqueConstraint(fields=["org", "name"], name="tenancy_unit_name"),
        ]


class DomainClaim(models.Model):
    """Which organisation a sender domain belongs to: shared by all, so that two cannot hold one domain."""

    domain = models.CharField(max_length=255, primary_key=True)
    owner = models.UUIDField()


class SenderDomain(OrgModel):
    #: lower case, A-labels
    domain = models.CharField(max_length=255)
    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, null=True, related_name="domains")
    #: "" inherits the unit's, then the organisation's
    notice_name = models.CharField(max_length=200, blank=True)
    phone = models.CharField(max_length=60, blank=True)
    created_at = models.BigIntegerField(default=now)
    removed_at = models.BigIntegerField(default=0)

    class Meta(OrgModel.Meta):
        constraints = [
            *OrgModel.Meta.constraints,
            models.UniqueConstraint(fields=["org", "domain"], name="tenancy_senderdomain_domain"),
        ]


class DkimKey(OrgModel):
    domain = models.ForeignKey(SenderDomain, on_delete=models.PROTECT, related_name="dkim_keys")
    selector = models.CharField(max_length=63)
    #: "rsa-sha256" | "ed25519-sha256"
    algorithm = models.CharField(max_length=20)
    #: PKCS#8 DER under the purpose key `dkim`
    wrapped = models.BinaryField()
    #: the TXT record to publish at <selector>._domainkey.<domain>
    record = models.TextField()
    created_at = models.BigIntegerField(default=now)
    #: signs since then; 0: it waits until DNS shows it
    active_at = models.BigIntegerField(default=0)
    #: signs nothing any more
    retired_at = models.BigIntegerField(default=0)
    #: nobody may believe it: its record is published empty, or gone
    revoked_at = models.BigIntegerField(default=0)

    @property
    def signs(self) -> bool:
        return bool(self.active_at) and not self.retired_at

    @property
    def waits(self) -> bool:
        return not self.active_at and not self.retired_at

    class Meta(OrgModel.Meta):
        constraints = [
            *OrgModel.Meta.constraints,
            models.UniqueConstraint(fields=["org", "domain", "selector"], name="tenancy_dkimkey_selector"),
        ]
