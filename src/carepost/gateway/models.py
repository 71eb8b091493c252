"""A connection to a tenant's mail system, the secrets of its header, and how each step was last seen."""

from typing import ClassVar

from django.db import models

from carepost.tenancy.models.base import OrgModel, now


class Connection(OrgModel):
    name = models.CharField(max_length=200)
    #: microsoft365 | google | other
    provider = models.CharField(max_length=20)
    #: directory.gateways.Settings as JSON
    settings = models.TextField()
    #: directory.gateways.Login under the organisation's evidence key; empty: nothing to sign in with
    sealed = models.BinaryField(default=b"")
    created_at = models.BigIntegerField(default=now)
    changed_at = models.BigIntegerField(default=now)
    removed_at = models.BigIntegerField(default=0)


class Secret(OrgModel):
    """A secret of the header; two at most are live."""

    connection = models.ForeignKey(Connection, on_delete=models.PROTECT, related_name="+")
    #: SHA-256 of the field's value (256 random bits in it)
    digest = models.BinaryField(max_length=32)
    created_at = models.BigIntegerField(default=now)
    ended_at = models.BigIntegerField(default=0)


class Finding(OrgModel):
    """What a check found of one step, when it was last tried."""

    connection = models.ForeignKey(Connection, on_delete=models.PROTECT, related_name="+")
    #: wire.probes.STEPS
    step = models.CharField(max_length=12)
    at = models.BigIntegerField()
    #: wire.probes: good | bad | skipped
    state = models.CharField(max_length=8)
    #: names, versions and dates of servers; nothing of a person
    found = models.CharField(max_length=500, blank=True, default="")
    #: stable code, "" where it works
    cause = models.CharField(max_length=60, blank=True, default="")

    class Meta(OrgModel.Meta):
        constraints: ClassVar = [
            *OrgModel.Meta.constraints,
            models.UniqueConstraint(fields=["org", "connection", "step"], name="gateway_finding_step"),
        ]


class Seen(OrgModel):
    """The last time a step of a connection was seen, by what came of it."""

    connection = models.ForeignKey(Connection, on_delete=models.PROTECT, related_name="+")
    #: as `gateway.seen` calls them
    step = models.CharField(max_length=12)
    at = models.BigIntegerField()
    #: reason code; "" where it went well
    cause = models.CharField(max_length=60, blank=True, default="")
    #: id of the message, where there is one
    message = models.CharField(max_length=36, blank=True, default="")

    class Meta(OrgModel.Meta):
        constraints: ClassVar = [
            *OrgModel.Meta.constraints,
            models.UniqueConstraint(fields=["org", "connection", "step"], name="gateway_seen_step"),
        ]
