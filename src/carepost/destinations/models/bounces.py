"""What came back: bounces and complaints, without an address. And where they come back to."""

from django.db import models

from carepost.tenancy.models.base import OrgModel, now


class Bounce(OrgModel):
    """One failure or complaint about one delivery, or one report of how it went on, counted once however often it is
    told."""

    #: id of the delivery; what it is about is told once of each kind
    delivery = models.UUIDField()
    #: bounce | complaint; or what was reported: delayed | delivered | relayed | expanded, which counts for nothing
    kind = models.CharField(max_length=10)
    message = models.UUIDField()
    #: crypto.index.token of the recipient's address, as on the suppression list
    token = models.BinaryField(max_length=8)
    category = models.CharField(max_length=20)
    #: rfc.bounces: reason and class; of a complaint its RFC 5965 type
    reason = models.CharField(max_length=24)
    klass = models.CharField(max_length=14)
    #: dsn | text | arf (it came by mail), reply (said at the wire)
    form = models.CharField(max_length=8)
    at = models.BigIntegerField(default=now)

    class Meta(OrgModel.Meta):
        constraints = [
            *OrgModel.Meta.constraints,
            models.UniqueConstraint(fields=["org", "delivery", "kind"], name="destinations_bounce_once"),
        ]
        indexes = [
            models.Index(fields=["org", "at"], name="destinations_bounce_at"),
            models.Index(fields=["org", "token", "at"], name="destinations_bounce_token"),
        ]


class ReturnPath(OrgModel):
    """The domain that an organisation's bounces come back to: its MX leads to us."""

    #: lower case, A-labels; below a sender domain of the organisation, so that SPF is aligned
    domain = models.CharField(max_length=255)
    #: also of mail by SMTP; its senders are told of what comes back (journal.passing)
    smtp = models.BooleanField(default=False)
    changed_at = models.BigIntegerField(default=now)

    class Meta(OrgModel.Meta):
        constraints = [
            *OrgModel.Meta.constraints,
            models.UniqueConstraint(fields=["org"], name="destinations_return_path_one"),
        ]
