"""What is watched, and what came of it. No address, no user agent, no target of a link stands in any of these."""

from django.db import models

from carepost.tenancy.models.base import IdModel, OrgModel, now


class Watch(OrgModel):
    """One category in which something is on."""

    #: policy.types.Category
    category = models.CharField(max_length=20)
    #: off | asked | on (directory.types.Tracking)
    opens = models.CharField(max_length=6)
    clicks = models.CharField(max_length=6)
    #: sealed (evidence): who vouches that it may be watched, in their words
    attestation = models.BinaryField()
    changed_at = models.BigIntegerField(default=now)

    class Meta(OrgModel.Meta):
        constraints = [
            *OrgModel.Meta.constraints,
            models.UniqueConstraint(fields=["org", "category"], name="engagement_watch_category"),
        ]


class Host(OrgModel):
    """The host that tracked links of a sender domain lead to: its own name, its CNAME leads here."""

    domain = models.CharField(max_length=255)
    host = models.CharField(max_length=255)
    changed_at = models.BigIntegerField(default=now)

    class Meta(OrgModel.Meta):
        constraints = [
            *OrgModel.Meta.constraints,
            models.UniqueConstraint(fields=["org", "domain"], name="engagement_host_domain"),
        ]


class Network(OrgModel):
    """A network the organisation knows: its own scanner, an office, an exit of its VPN. Never whose address it is."""

    #: CIDR, as `ipaddress` writes it
    prefix = models.CharField(max_length=43)
    #: types.MEANINGS
    means = models.CharField(max_length=12)
    note = models.CharField(max_length=200, blank=True)
    changed_at = models.BigIntegerField(default=now)

    class Meta(OrgModel.Meta):
        constraints = [
            *OrgModel.Meta.constraints,
            models.UniqueConstraint(fields=["org", "prefix"], name="engagement_network_prefix"),
        ]


class SharedNetwork(IdModel):
    """The same for every organisation of this installation."""

    prefix = models.CharField(max_length=43, unique=True)
    means = models.CharField(max_length=12)
    note = models.CharField(max_length=200, blank=True)
    changed_at = models.BigIntegerField(default=now)


class Account(OrgModel):
    """What an organisation counts, for the past too."""

    #: tracking.types.Switch
    counts = models.CharField(max_length=16, default="not-automated")
    changed_at = models.BigIntegerField(default=now)
    #: the leaf of the organisation's log up to which marked copies were counted (`Sent`); -1: not begun
    leaf = models.BigIntegerField(default=-1)

    class Meta(OrgModel.Meta):
        constraints = [
            *OrgModel.Meta.constraints,
            models.UniqueConstraint(fields=["org"], name="engagement_account_one"),
        ]


class Copy(OrgModel):
    """A copy that was fetched from at least once. Written by what faces outside, judged by the journal."""

    delivery = models.UUIDField()
    #: known once it was judged
    message = models.UUIDField(null=True)
    category = models.CharField(max_length=20, blank=True)
    #: crypto.index.token of the recipient's domain: what one filter did at many copies is one story
    domain = models.BinaryField(max_length=8, default=b"")
    #: version of the index key that made it; 0: there is none
    under = models.PositiveIntegerField(default=0, db_default=1)
    #: of the copy: UTC day it was sent, when the recipient's server took it; 0: not known yet
    day = models.IntegerField(default=0)
    sent_at = models.BigIntegerField(default=0)
    links = models.IntegerField(default=0)
    decoy = models.BooleanField(default=False)
    #: of all hits, repeats included
    hits = models.IntegerField(default=0)
    #: when it is to be judged (0: nothing new); and when it was last, by which rules
    due_at = models.BigIntegerField(default=0)
    judged_at = models.BigIntegerField(default=0)
    rules = models.IntegerField(default=0)
    #: the best verdict there is: human, else undetermined, else automated; "": none
    opened = models.CharField(max_length=12, blank=True)
    clicked = models.CharField(max_length=12, blank=True)

    class Meta(OrgModel.Meta):
        constraints = [
            *OrgModel.Meta.constraints,
            models.UniqueConstraint(fields=["org", "delivery"], name="engagement_copy_delivery"),
        ]
        indexes = [
            models.Index(fields=["due_at"], name="engagement_copy_due"),
            models.Index(fields=["org", "message"], name="engagement_copy_message"),
            models.Index(fields=["org", "domain", "sent_at"], name="engagement_copy_domain"),
            models.Index(fields=["org", "day", "category"], name="engagement_copy_day"),
        ]


class Hit(OrgModel):
    """One fetch, or several that were alike."""

    delivery = models.UUIDField()
    #: tracking.types.Kind and Role
    kind = models.CharField(max_length=6)
    role = models.CharField(max_length=12)
    link = models.IntegerField(default=0)
    #: first and last of them; how many
    at = models.BigIntegerField()
    last_at = models.BigIntegerField()
    count = models.IntegerField(default=1)
    #: 8 octets of a keyed hash of its features: what is alike is counted, not written again
    mark = models.BinaryField(max_length=8)
    #: sealed (evidence): tracking.types.encode(Seen)
    sealed = models.BinaryField()
    #: tracking.types.Verdict; "": not judged yet
    verdict = models.CharField(max_length=12, blank=True)
    reason = models.CharField(max_length=40, blank=True)
    #: in hundredths
    confidence = models.IntegerField(default=0)

    class Meta(OrgModel.Meta):
        indexes = [
            models.Index(fields=["org", "delivery", "at"], name="engagement_hit_delivery"),
            models.Index(fields=["org", "at"], name="engagement_hit_at"),
        ]


class Session(OrgModel):
    """A recipient opened the portal soon after somebody followed a watched link (`sessions`)."""

    #: crypto.index.token of the recipient's address; the row holds no address, and keeps what it got
    person = models.BinaryField(max_length=8)
    at = models.BigIntegerField()
    #: sealed (evidence): tags of place and agent
    sealed = models.BinaryField()
    #: the clicks before it were judged with it
    seen = models.BooleanField(default=False)

    class Meta(OrgModel.Meta):
        indexes = [
            models.Index(fields=["org", "person", "at"], name="engagement_session_person"),
            models.Index(fields=["seen", "at"], name="engagement_session_seen"),
        ]


class Sent(OrgModel):
    """How many copies left marked: what opens and clicks are a share of. Written by the journal."""

    day = models.IntegerField()
    category = models.CharField(max_length=20)
    #: opens | clicks
    what = models.CharField(max_length=6)
    count = models.IntegerField(default=0)

    class Meta(OrgModel.Meta):
        constraints = [
            *OrgModel.Meta.constraints,
            models.UniqueConstraint(fields=["org", "day", "category", "what"], name="engagement_sent_day"),
        ]
