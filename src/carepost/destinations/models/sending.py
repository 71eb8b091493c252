"""How an organisation sends: source addresses and pools, limits of its own, warm-up day by day, what providers asked.
Servers, never people."""

from django.db import models

from carepost.tenancy.models.base import OrgModel, now


class SendingPool(OrgModel):
    """Which mail leaves by which addresses."""

    name = models.CharField(max_length=40)
    #: wire.types.Stream, with blanks; "": every one
    streams = models.CharField(max_length=80, blank=True, default="")
    #: sender domain; "": every one
    domain = models.CharField(max_length=255, blank=True, default="")
    created_at = models.BigIntegerField(default=now)

    class Meta(OrgModel.Meta):
        constraints = [
            *OrgModel.Meta.constraints,
            models.UniqueConstraint(fields=["org", "name"], name="destinations_pool_name"),
        ]


class SendingAddress(OrgModel):
    ip = models.CharField(max_length=45)
    #: what is said in EHLO; "": the house's name
    helo = models.CharField(max_length=255, blank=True, default="")
    #: SendingPool.name
    pool = models.CharField(max_length=40)
    #: active | draining | paused (directory.sending)
    state = models.CharField(max_length=10)
    #: its warm-up begins on this day (since 1970, UTC); 0: it is known
    warms_from = models.IntegerField(default=0)
    #: messages a day to one provider at which its warm-up ends
    usual = models.IntegerField(default=0)
    created_at = models.BigIntegerField(default=now)

    class Meta(OrgModel.Meta):
        constraints = [
            *OrgModel.Meta.constraints,
            models.UniqueConstraint(fields=["org", "ip"], name="destinations_address_ip"),
        ]


class Ahead(OrgModel):
    """How far ahead messages may be scheduled (`send_at`); without a row, as far as by default."""

    days = models.IntegerField()
    changed_at = models.BigIntegerField(default=now)

    class Meta(OrgModel.Meta):
        constraints = [
            *OrgModel.Meta.constraints,
            models.UniqueConstraint(fields=["org"], name="destinations_ahead_one"),
        ]


class ProviderLimit(OrgModel):
    """The organisation's own limits at one provider; 0: as the table says."""

    #: pace.providers.group
    provider = models.CharField(max_length=255)
    connections = models.IntegerField(default=0)
    messages = models.IntegerField(default=0)
    per_minute = models.IntegerField(default=0)
    per_hour = models.IntegerField(default=0)
    dials = models.IntegerField(default=0)
    changed_at = models.BigIntegerField(default=now)

    class Meta(OrgModel.Meta):
        constraints = [
            *OrgModel.Meta.constraints,
            models.UniqueConstraint(fields=["org", "provider"], name="destinations_limit_provider"),
        ]


class WarmDay(OrgModel):
    """One day of one new address at one provider: what it might send, and what it did (pace.warmup.Day)."""

    ip = models.CharField(max_length=45)
    provider = models.CharField(max_length=255)
    #: since 1970, UTC
    day = models.IntegerField()
    #: 0: it is warm
    cap = models.IntegerField()
    delivered = models.IntegerField(default=0)
    deferred = models.IntegerField(default=0)
    hard = models.IntegerField(default=0)
    complained = models.IntegerField(default=0)
    named = models.BooleanField(default=False)

    class Meta(OrgModel.Meta):
        constraints = [
            *OrgModel.Meta.constraints,
            models.UniqueConstraint(fields=["org", "ip", "provider", "day"], name="destinations_warm_day_once"),
        ]


class Asked(OrgModel):
    """A provider asked for less, and that holds until it is over or a person lifts it: the last time of each."""

    #: SendingAddress.ip; "": the house's own
    source = models.CharField(max_length=45, blank=True, default="")
    provider = models.CharField(max_length=255)
    #: id of pace.reactions
    reaction = models.CharField(max_length=40)
    since = models.BigIntegerField()
    until = models.BigIntegerField()
    lifted_at = models.BigIntegerField(default=0)
    #: wire.types.Actor as "kind:id"
    lifted_by = models.CharField(max_length=80, blank=True, default="")

    class Meta(OrgModel.Meta):
        constraints = [
            *OrgModel.Meta.constraints,
            models.UniqueConstraint(fields=["org", "source", "provider", "reaction"], name="destinations_asked_once"),
        ]
