"""An organisation's wrapped keys, its epoch, and the addresses nothing is sent to."""

from django.db import models

from carepost.tenancy.models.base import OrgModel, now
from carepost.tenancy.models.organisations import Organisation


class OrgKey(OrgModel):
    #: ground.keys.PURPOSES
    purpose = models.CharField(max_length=20)
    version = models.PositiveIntegerField(default=1)
    #: ground.orgkeys: 32 random bytes under the purpose's key
    wrapped = models.BinaryField()
    created_at = models.BigIntegerField(default=now)
    #: purpose `index`: indexes messages accepted from this moment on (UTC microseconds); 0: from the first on
    serves_from = models.BigIntegerField(default=0)
    #: purpose `index`: when no row without a day stood under it any more (tenancy.retokening); 0: some may
    emptied_at = models.BigIntegerField(default=0, db_default=0)
    #: still opens what it sealed, seals nothing new
    retired_at = models.BigIntegerField(default=0)

    class Meta(OrgModel.Meta):
        constraints = [
            *OrgModel.Meta.constraints,
            models.UniqueConstraint(fields=["org", "purpose", "version"], name="tenancy_orgkey_version"),
        ]


class OrgEpoch(models.Model):
    """Raised in the transaction of every action that changes what the engine must know (DESIGN 2, directory)."""

    org = models.OneToOneField(Organisation, on_delete=models.PROTECT, primary_key=True, related_name="epoch_row")
    epoch = models.BigIntegerField(default=1)


class Suppression(OrgModel):
    """An address nothing is sent to: a token to compare, the address sealed for people."""

    #: crypto.index.token(index key, "address", address)
    token = models.BinaryField(max_length=8)
    #: version of the index key that made it
    under = models.PositiveIntegerField(default=1, db_default=1)
    #: the token it had before, until every engine has dropped that; empty: none
    former = models.BinaryField(max_length=8, default=b"", db_default=b"")
    sealed = models.BinaryField()
    #: stable reason code: tenancy.actions.suppression.REASONS
    reason = models.CharField(max_length=20)
    created_at = models.BigIntegerField(default=now)
    #: which mail is not sent there: all, or one category
    scope = models.CharField(max_length=16, default="all")
    #: who brought it in: tenancy.actions.suppression.SOURCES
    source = models.CharField(max_length=16, default="staff")
    #: UTC microseconds; 0: no end
    expires_at = models.BigIntegerField(default=0)
    #: taken off the list; the row stays, so that engines notice and an import can tell
    removed_at = models.BigIntegerField(default=0)
    #: when any of this last changed: engines read what is new since they last looked
    changed_at = models.BigIntegerField(default=now)
    #: words of staff, sealed; empty: none
    note = models.BinaryField(default=b"")

    class Meta(OrgModel.Meta):
        constraints = [
            *OrgModel.Meta.constraints,
            models.UniqueConstraint(fields=["org", "token", "scope"], name="tenancy_suppression_scope"),
        ]
        indexes = [
            models.Index(fields=["org", "changed_at"], name="tenancy_suppression_changed"),
            # pages of each kind, of what ends, and of what was taken off of late, among a million others
            # (destinations.suppression_pages)
            models.Index(
                fields=["org", "scope", "reason", "-id"],
                name="tenancy_suppression_stay",
                condition=models.Q(removed_at=0, expires_at=0),
            ),
            # with the end itself last: those that ended, ever more, are passed by without a look at their rows
            models.Index(
                fields=["org", "scope", "reason", "-id", "expires_at"],
                name="tenancy_suppression_ending",
                condition=models.Q(removed_at=0, expires_at__gt=0),
            ),
            models.Index(
                fields=["org", "removed_at"], name="tenancy_suppression_gone", condition=models.Q(removed_at__gt=0)
            ),
        ]
