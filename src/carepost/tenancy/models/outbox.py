"""The office's event outbox: numbered without a gap, drained by the journal, forgotten once it has acknowledged."""

from django.db import models


class OutboxHead(models.Model):
    """The last number given by each source; shared by all organisations."""

    source = models.CharField(max_length=20, primary_key=True)
    seq = models.BigIntegerField()


class OutboxEvent(models.Model):
    """Shared: the journal drains all organisations in the order of `seq`."""

    seq = models.BigIntegerField(primary_key=True)
    #: no foreign key: what belongs to no organisation stands under proof.kinds.HOUSE_ORG
    organisation = models.UUIDField()
    #: the event's bytes, made once (proof.event)
    event = models.BinaryField()
    #: what is personal, sealed (proof.openings)
    sealed = models.BinaryField()
