"""The domains an organisation's mail goes to, how their side stands, what changed when: changes, not samples.

A domain is no person; addresses are never here."""

from django.db import models

from carepost.tenancy.models.base import OrgModel, now


class Destination(OrgModel):
    #: lower case, A-labels
    domain = models.CharField(max_length=255)
    #: JSON of posture.types.Record: as it was last met; "": never yet
    state = models.TextField(blank=True, default="")
    #: policy.types.Assurance reached by the best host last met; None: none was reached
    assurance = models.SmallIntegerField(null=True)
    #: tls-lost | mx-moved | "": why it is not VERIFIED for now
    weakened = models.CharField(max_length=20, blank=True, default="")
    #: when the first of its hosts' certificates ends; 0: none is known
    ends_at = models.BigIntegerField(default=0)
    #: days of the last warning given about `ends_at`; 99: none was
    warned = models.SmallIntegerField(default=99)
    first_at = models.BigIntegerField(default=now)
    #: the last day on which a session was counted, its beginning
    used_at = models.BigIntegerField(default=now)
    changed_at = models.BigIntegerField(default=now)

    class Meta(OrgModel.Meta):
        constraints = [
            *OrgModel.Meta.constraints,
            models.UniqueConstraint(fields=["org", "domain"], name="destinations_destination_domain"),
        ]
        indexes = [models.Index(fields=["domain"], name="destinations_domain")]


class Change(OrgModel):
    destination = models.ForeignKey(Destination, on_delete=models.CASCADE, related_name="changes")
    at = models.BigIntegerField()
    #: destinations.changes.KINDS
    kind = models.CharField(max_length=20)
    host = models.CharField(max_length=255, blank=True)
    old = models.TextField(blank=True)
    new = models.TextField(blank=True)
    #: the destination can prove less than before
    weaker = models.BooleanField(default=False)

    class Meta(OrgModel.Meta):
        indexes = [models.Index(fields=["org", "destination", "-at"], name="destinations_change_at")]


class Day(OrgModel):
    """Sessions of one day, as one process of the engine counted them."""

    destination = models.ForeignKey(Destination, on_delete=models.CASCADE, related_name="days")
    #: days since 1970, UTC
    day = models.IntegerField()
    #: which process, of which shard
    part = models.CharField(max_length=40)
    good = models.IntegerField(default=0)
    #: JSON: result type of RFC 8460 4.3 -> failed sessions
    failed = models.TextField(blank=True, default="{}")

    class Meta(OrgModel.Meta):
        constraints = [
            *OrgModel.Meta.constraints,
            models.UniqueConstraint(fields=["org", "destination", "day", "part"], name="destinations_day_part"),
        ]


class Alert(OrgModel):
    """Somebody should look: shown in the console, told by mail once an hour at most."""

    destination = models.ForeignKey(Destination, on_delete=models.CASCADE, related_name="alerts")
    at = models.BigIntegerField()
    #: weakened | certificate-ending
    kind = models.CharField(max_length=20)
    #: kinds of the changes, or days left
    what = models.CharField(max_length=120)
    mailed_at = models.BigIntegerField(default=0)
    #: a person has seen it: wire.types.Actor as "kind:id", and when
    seen_by = models.CharField(max_length=80, blank=True, default="")
    seen_at = models.BigIntegerField(default=0)

    class Meta(OrgModel.Meta):
        indexes = [models.Index(fields=["org", "seen_at", "-at"], name="destinations_alert_open")]
