"""History in records.db (alias `records`). Written by the journal through `writing`, read by the office.

Besides these models the migrations make tables that only plain SQL touches: `archive_segment` and `archive_block`
(search index), `archive_effect` (what the journal still has to do) and `archive_mark` (what it did last, by name)."""

from typing import ClassVar

from django.db import models

_KNOWN_PROVIDER = models.Q(provider__gt="")
_OTHER_METHOD = ~models.Q(method__in=["", "tls"])
_MARKED = models.Q(content__gt="") | models.Q(opened__gt="") | models.Q(clicked__gt="")


class Message(models.Model):
    """One message an organisation took responsibility for."""

    id = models.UUIDField(primary_key=True, editable=False)
    org_id = models.UUIDField()
    #: UTC microseconds
    at = models.BigIntegerField()
    category = models.CharField(max_length=20)
    origin = models.CharField(max_length=20)
    size = models.BigIntegerField()
    #: wire.types.HistoryRecord under the message's own key (`header`); empty after disposal
    header = models.BinaryField()
    #: legal hold since (UTC microseconds); 0: none
    held_at = models.BigIntegerField(default=0)
    #: 0: the content is there
    disposed_at = models.BigIntegerField(default=0)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["org_id", "id"], name="archive_message_org_id")]

    def __str__(self) -> str:
        return str(self.pk)


class Delivery(models.Model):
    """One recipient of a message; the address under the organisation's evidence key of the month."""

    id = models.UUIDField(primary_key=True, editable=False)
    org_id = models.UUIDField()
    message = models.UUIDField()
    state = models.CharField(max_length=12)
    method = models.CharField(max_length=12)
    assurance = models.CharField(max_length=16)
    reason = models.CharField(max_length=60)
    rule = models.CharField(max_length=120)
    updated_at = models.BigIntegerField()
    recipient = models.BinaryField()
    #: group of the mail servers it went to (`policy.providers`); "" where none was reached
    provider = models.CharField(max_length=40, default="")
    #: policy.content.Level of the last look into it; "" where no rule asked for one
    content = models.CharField(max_length=16, default="", db_default="")
    #: tags that rules gave for its content, with blanks between; those given at the door stand in the header
    tags = models.TextField(default="", db_default="")
    #: as `wire.types.DeliveryView`
    opened = models.CharField(max_length=12, default="", db_default="")
    clicked = models.CharField(max_length=12, default="", db_default="")

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["org_id", "id"], name="archive_delivery_org_id")]
        indexes: ClassVar = [
            models.Index(fields=["org_id", "message"], name="archive_delivery_message"),
            # with what else is asked for: those of one state lie far apart
            models.Index(
                fields=["org_id", "state", "message", "provider", "method", "assurance"], name="archive_delivery_state"
            ),
            # none for what most deliveries are: `narrowing` walks through neighbours there
            models.Index(
                fields=["org_id", "provider", "message"], name="archive_delivery_provider", condition=_KNOWN_PROVIDER
            ),
            models.Index(
                fields=["org_id", "method", "message"], name="archive_delivery_method", condition=_OTHER_METHOD
            ),
            # with what else is asked for; in the order of messages, as any of several values may be
            models.Index(
                fields=[
                    "org_id",
                    "message",
                    "content",
                    "opened",
                    "clicked",
                    "state",
                    "provider",
                    "method",
                    "assurance",
                ],
                name="archive_delivery_marks",
                condition=_MARKED,
            ),
        ]

    def __str__(self) -> str:
        return str(self.pk)


class MessageKey(models.Model):
    """The wrapped key of a message's content in history. Deleting it is what disposal is."""

    #: the message's id
    id = models.UUIDField(primary_key=True, editable=False)
    org_id = models.UUIDField()
    #: crypto.wrap under the organisation's content key, AAD organisation ‖ message
    wrapped = models.BinaryField()

    class Meta:
        db_table = "archive_message_key"
        constraints: ClassVar = [models.UniqueConstraint(fields=["org_id", "id"], name="archive_key_org_id")]

    def __str__(self) -> str:
        return str(self.pk)
