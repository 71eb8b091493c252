"""Which bucket of the installation, and what of every organisation lies in it."""

from typing import ClassVar, Final

from django.db import models

from carepost.tenancy import rewrapping
from carepost.tenancy.models.base import IdModel, OrgModel, now

#: being carried there, lying there, to be deleted there
SENDING: Final = "sending"
KEPT: Final = "kept"
GOING: Final = "going"

#: bodies go there; what lies there is read; everything in it is brought back
ACTIVE: Final = "active"
READING: Final = "reading"
LEAVING: Final = "leaving"


class Target(IdModel):
    """A bucket, of all organisations. Never deleted while something lies in it."""

    #: https://host[:port]
    endpoint = models.CharField(max_length=300)
    region = models.CharField(max_length=40)
    bucket = models.CharField(max_length=63)
    #: path: endpoint/bucket/name | host: bucket.endpoint/name
    style = models.CharField(max_length=4, default="path")
    #: PEM of the authority that vouches for the endpoint; "": those of the system
    ca = models.TextField(blank=True, default="")
    access = models.CharField(max_length=128)
    #: the secret key under the purpose `portal`, which whoever reads or moves bodies holds
    wrapped = models.BinaryField()
    #: bodies older than so many days go there
    days = models.PositiveIntegerField()
    #: ACTIVE (one at most) | READING | LEAVING
    state = models.CharField(max_length=8, default=ACTIVE)
    made_at = models.BigIntegerField(default=now)
    changed_at = models.BigIntegerField(default=now)
    #: when the journal last had a right answer, and since when it has none; `fault`: stable code
    seen_at = models.BigIntegerField(default=0)
    fault_at = models.BigIntegerField(default=0)
    fault = models.CharField(max_length=40, blank=True, default="")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["state"], condition=models.Q(state="active"), name="cold_target_one_active"
            ),
        ]


class Item(OrgModel):
    """One body as an object. The row is made before the object, and goes after it."""

    target = models.ForeignKey(Target, on_delete=models.PROTECT, related_name="items")
    message = models.UUIDField()
    #: random: says nothing of anybody
    name = models.CharField(max_length=64)
    #: octets of the object, and their SHA-256
    size = models.BigIntegerField()
    digest = models.BinaryField(max_length=32)
    #: SENDING | KEPT | GOING
    state = models.CharField(max_length=8, default=SENDING)
    made_at = models.BigIntegerField(default=now)
    changed_at = models.BigIntegerField(default=now)

    class Meta(OrgModel.Meta):
        constraints: ClassVar = [
            *OrgModel.Meta.constraints,
            models.UniqueConstraint(fields=["org", "name"], name="cold_item_name"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["org", "state"], name="cold_item_open", condition=~models.Q(state="kept")),
            models.Index(fields=["org", "target", "id"], name="cold_item_target"),
        ]


def secret_aad(target: bytes) -> bytes:
    return b"cold|" + target


rewrapping.PLACES.append(rewrapping.Place(Target, lambda _: "portal", lambda row: secret_aad(row.pk.bytes)))
