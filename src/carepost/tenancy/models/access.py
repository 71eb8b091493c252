"""How machines get in: API keys and SMTP credentials; and pinned next hops."""

from django.db import models

from carepost.tenancy.models.base import OrgModel, now
from carepost.tenancy.models.staff import Staff


class ApiKey(OrgModel):
    name = models.CharField(max_length=200)
    #: SHA-256 of the secret's text (256 random bits)
    secret_hash = models.BinaryField(max_length=32)
    #: words of tenancy.permissions.Scope, separated by spaces
    scopes = models.CharField(max_length=400)
    #: the person it acts for; disabled with them (HS-06). None: the organisation's own
    owner = models.ForeignKey(Staff, on_delete=models.PROTECT, null=True, related_name="api_keys")
    created_at = models.BigIntegerField(default=now)
    #: to the day, so that use does not write on every call
    last_used_at = models.BigIntegerField(default=0)
    revoked_at = models.BigIntegerField(default=0)


class Credential(OrgModel):
    name = models.CharField(max_length=200)
    username = models.CharField(max_length=120, unique=True)
    #: SCRAM-SHA-256 verifier (crypto.scram)
    verifier = models.TextField()
    #: sender domains it may use, separated by spaces; "" means all of the organisation's
    domains = models.TextField(blank=True)
    owner = models.ForeignKey(Staff, on_delete=models.PROTECT, null=True, related_name="credentials")
    created_at = models.BigIntegerField(default=now)
    #: to the day
    last_used_at = models.BigIntegerField(default=0)
    revoked_at = models.BigIntegerField(default=0)


class Route(OrgModel):
    """A pinned next hop for a recipient domain."""

    domain = models.CharField(max_length=255)
    host = models.CharField(max_length=255)
    port = models.PositiveIntegerField()
    #: PEM of the CA, or "" for the system's
    ca = models.TextField(blank=True)
    #: SHA-256 of the keys its certificate may hold (SubjectPublicKeyInfo, hex), separated by spaces; "": any
    pins = models.TextField(blank=True, default="")
    #: "": the plan's next method where the pin is not met; hold: nothing but this host, until a person decides
    otherwise = models.CharField(max_length=10, blank=True, default="")
    #: wire.types.Actor as "kind:id", and why, sealed under the organisation's evidence key
    pinned_by = models.CharField(max_length=80, blank=True, default="")
    reason = models.BinaryField(default=b"")
    created_at = models.BigIntegerField(default=now)
    removed_at = models.BigIntegerField(default=0)

    class Meta(OrgModel.Meta):
        constraints = [
            *OrgModel.Meta.constraints,
            models.UniqueConstraint(
                fields=["org", "domain"], condition=models.Q(removed_at=0), name="tenancy_route_live"
            ),
        ]
