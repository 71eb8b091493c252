"""The tables of the portal. Times are UTC integer microseconds (0: never). Personal columns are sealed (sealing)."""

from typing import ClassVar, Final

from django.db import models

from carepost.cold.models import Item
from carepost.tenancy.models.base import OrgModel, now

OPEN: Final = "open"
OPENED: Final = "opened"
EXPIRED: Final = "expired"
RETRACTED: Final = "retracted"
DELETED: Final = "deleted"

#: states in which the message can be read
READABLE: Final = (OPEN, OPENED)


class Recipient(OrgModel):
    """A person outside, known by one address. Never a user."""

    #: HMAC of the normalised address under the organisation's portal key
    token = models.BinaryField(max_length=32)
    #: version of the portal key that made it
    under = models.PositiveIntegerField(default=1, db_default=1)
    address = models.BinaryField()
    #: the person wants no notices
    quiet = models.BooleanField(default=False)
    created_at = models.BigIntegerField(default=now)

    class Meta(OrgModel.Meta):
        constraints: ClassVar = [
            *OrgModel.Meta.constraints,
            models.UniqueConstraint(fields=["org", "token"], name="mailbox_recipient_token"),
        ]


class Thread(OrgModel):
    """What one recipient and one sender write to each other; the token in Reply-To names it."""

    recipient = models.ForeignKey(Recipient, on_delete=models.PROTECT, related_name="threads")
    created_at = models.BigIntegerField(default=now)
    #: directory.threads.ThreadRecord under the evidence key: what the engine must know of it; empty in older rows
    engine = models.BinaryField(default=b"")
    #: up to when an answer by mail may join
    until = models.BigIntegerField(default=0)


class Body(OrgModel):
    """One body for all deposits of a message, as the engine encrypted it; its content key under the portal key."""

    message = models.UUIDField()
    #: msgpack of the list of chunks (body format v1); empty while they lie in the cold store
    chunks = models.BinaryField()
    cold = models.ForeignKey(Item, on_delete=models.PROTECT, null=True, related_name="+")
    #: crypto.wrap: content key under the organisation's portal key, AAD organisation ‖ message
    wrapped_key = models.BinaryField()

    class Meta(OrgModel.Meta):
        constraints: ClassVar = [
            *OrgModel.Meta.constraints,
            models.UniqueConstraint(fields=["org", "message"], name="mailbox_body_message"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["org", "id"], name="mailbox_body_warm", condition=models.Q(cold=None))
        ]


class Deposit(OrgModel):
    """One message waiting for one recipient."""

    delivery = models.UUIDField()
    message = models.UUIDField()
    recipient = models.ForeignKey(Recipient, on_delete=models.PROTECT, related_name="deposits")
    thread = models.ForeignKey(Thread, on_delete=models.PROTECT, related_name="deposits")
    #: None once nobody can read it any more: with the last deposit the key goes too
    body = models.ForeignKey(Body, on_delete=models.PROTECT, null=True, related_name="deposits")
    link = models.CharField(max_length=43)
    #: records.DepositRecord
    record = models.BinaryField()
    #: policy.types.Access: how the person proves who they are
    proof = models.CharField(max_length=10)
    #: the sender's domain: where notices come from, and whose name they carry
    domain = models.CharField(max_length=255)
    policy = models.CharField(max_length=60, blank=True)
    category = models.CharField(max_length=20, blank=True)
    rule = models.CharField(max_length=120, blank=True)
    state = models.CharField(max_length=10, default=OPEN)
    #: label of the strongest assurance it was opened with; "" while unopened
    assurance = models.CharField(max_length=10, blank=True)
    created_at = models.BigIntegerField(default=now)
    expires_at = models.BigIntegerField()
    opened_at = models.BigIntegerField(default=0)
    ended_at = models.BigIntegerField(default=0)
    notices = models.PositiveIntegerField(default=0)
    #: access codes or answers tried since the last lock or success, counted before they are compared
    tries = models.PositiveIntegerField(default=0)
    locked_until = models.BigIntegerField(default=0)

    class Meta(OrgModel.Meta):
        constraints: ClassVar = [
            *OrgModel.Meta.constraints,
            models.UniqueConstraint(fields=["org", "delivery"], name="mailbox_deposit_delivery"),
            models.UniqueConstraint(fields=["org", "link"], name="mailbox_deposit_link"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["org", "recipient", "created_at"], name="mailbox_deposit_inbox"),
            models.Index(fields=["state", "expires_at"], name="mailbox_deposit_expiry"),
        ]


class Challenge(OrgModel):
    """A one-time code sent by e-mail."""

    deposit = models.ForeignKey(Deposit, on_delete=models.PROTECT, related_name="challenges")
    recipient = models.ForeignKey(Recipient, on_delete=models.PROTECT, related_name="challenges")
    #: crypto.slowhash
    code_hash = models.CharField(max_length=200)
    created_at = models.BigIntegerField(default=now)
    expires_at = models.BigIntegerField()
    #: tries begun: counted before the code is compared, so that parallel tries cannot pass the limit
    tries = models.PositiveIntegerField(default=0)
    #: used, overtaken by a newer one, or out of tries
    closed_at = models.BigIntegerField(default=0)
    #: entered rightly
    used_at = models.BigIntegerField(default=0)

    class Meta(OrgModel.Meta):
        indexes: ClassVar = [models.Index(fields=["org", "recipient", "created_at"], name="mailbox_challenge_recent")]


class PortalSession(OrgModel):
    """A recipient's session: its own cookie, its own table, opened by a POST that proved the person."""

    #: SHA-256 of the cookie's value
    token_hash = models.BinaryField(max_length=32)
    recipient = models.ForeignKey(Recipient, on_delete=models.PROTECT, related_name="sessions")
    #: records.SessionRecord
    record = models.BinaryField()
    trusted = models.BooleanField(default=False)
    opened_at = models.BigIntegerField(default=now)
    seen_at = models.BigIntegerField(default=now)
    #: idle time-out, moved by use
    idle_at = models.BigIntegerField()
    #: end whatever the use
    ends_at = models.BigIntegerField()

    class Meta(OrgModel.Meta):
        constraints: ClassVar = [
            *OrgModel.Meta.constraints,
            models.UniqueConstraint(fields=["org", "token_hash"], name="mailbox_session_token"),
        ]


class SessionProof(OrgModel):
    """What a session proved: the mailbox (deposit None), or the access code or answer of one deposit."""

    session = models.ForeignKey(PortalSession, on_delete=models.CASCADE, related_name="proofs")
    deposit = models.ForeignKey(Deposit, on_delete=models.PROTECT, null=True)
    #: MAILBOX | PORTAL
    assurance = models.CharField(max_length=10)
    at = models.BigIntegerField(default=now)


class Reply(OrgModel):
    """An answer written in the portal; a draft until the engine took it."""

    thread = models.ForeignKey(Thread, on_delete=models.PROTECT, related_name="replies")
    deposit = models.ForeignKey(Deposit, on_delete=models.PROTECT, related_name="replies")
    #: records.ReplyRecord
    record = models.BinaryField()
    saved_at = models.BigIntegerField(default=now)
    sent_at = models.BigIntegerField(default=0)
    #: the message it became
    message = models.UUIDField(null=True)

    class Meta(OrgModel.Meta):
        constraints: ClassVar = [
            *OrgModel.Meta.constraints,
            models.UniqueConstraint(
                fields=["org", "deposit"], condition=models.Q(sent_at=0), name="mailbox_reply_draft"
            ),
        ]


class NoticeMail(OrgModel):
    """A mail about a deposit: which message it is, so that its failure is told where somebody looks."""

    deposit = models.ForeignKey(Deposit, on_delete=models.PROTECT, related_name="mails")
    message = models.UUIDField()
    #: texts.About, or "reply" for the recipient's answer
    about = models.CharField(max_length=10)
    at = models.BigIntegerField(default=now)
    #: 0: not that anybody knows
    failed_at = models.BigIntegerField(default=0)
    cause = models.CharField(max_length=60, blank=True)

    class Meta(OrgModel.Meta):
        constraints: ClassVar = [
            *OrgModel.Meta.constraints,
            models.UniqueConstraint(fields=["org", "message"], name="mailbox_noticemail_message"),
        ]


class Mailed(OrgModel):
    """That a notice or code went to an address: what the hourly limit counts. Forgotten after a day."""

    #: HMAC of the address, as Recipient.token
    token = models.BinaryField(max_length=32)
    about = models.CharField(max_length=10)
    at = models.BigIntegerField(default=now)

    class Meta(OrgModel.Meta):
        indexes: ClassVar = [models.Index(fields=["org", "token", "at"], name="mailbox_mailed_recent")]
