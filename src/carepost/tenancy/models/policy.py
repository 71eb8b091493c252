"""Protection rules in immutable versions: a change writes a new version with all its rules (HS-51)."""

from django.db import models

from carepost.tenancy.models.base import OrgModel, now
from carepost.tenancy.models.organisations import Unit


class PolicyVersion(OrgModel):
    number = models.PositiveIntegerField()
    #: "<number>-<first 8 hex digits of SHA-256 of its rules>": what decisions, timelines and proofs name
    label = models.CharField(max_length=60)
    #: wire.types.Actor as "kind:id"
    author = models.CharField(max_length=80)
    #: in words, sealed under the organisation's evidence key (it may name a person)
    reason = models.BinaryField()
    created_at = models.BigIntegerField(default=now)

    class Meta(OrgModel.Meta):
        constraints = [
            *OrgModel.Meta.constraints,
            models.UniqueConstraint(fields=["org", "number"], name="tenancy_policyversion_number"),
        ]


class Rule(OrgModel):
    """One rule of one version; the fields of `policy.types.Rule`. Addresses and attestation are sealed."""

    version = models.ForeignKey(PolicyVersion, on_delete=models.PROTECT, related_name="rules")
    #: stable name across versions, e.g. "portal-by-mail"
    rule = models.CharField(max_length=120)
    position = models.IntegerField(default=100)
    #: applies to every sender domain of this unit
    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, null=True, related_name="rules")
    sender_domain = models.CharField(max_length=255, blank=True)
    recipient_domain = models.CharField(max_length=255, blank=True)
    category = models.CharField(max_length=20, blank=True)
    data_class = models.CharField(max_length=20, blank=True)
    floor = models.SmallIntegerField(null=True)
    tls_policy = models.CharField(max_length=20, blank=True)
    #: policy.types.Method words, separated by spaces
    methods = models.CharField(max_length=60, blank=True)
    portal_by_mail = models.BooleanField(default=False)
    action = models.CharField(max_length=10, blank=True)
    #: JSON of what has no column and is not personal (`directory.rules.MORE`); "": nothing
    more = models.TextField(blank=True, default="")
    #: JSON of `directory.rules.SEALED` under the purpose key `evidence`; empty: none of them
    sealed = models.BinaryField(default=b"")

    class Meta(OrgModel.Meta):
        constraints = [
            *OrgModel.Meta.constraints,
            models.UniqueConstraint(fields=["org", "version", "rule"], name="tenancy_rule_name"),
        ]
