"""What may be encrypted to: certificates of recipients, each with where it came from and what became of it."""

from typing import ClassVar

from django.db import models

from carepost.directory.types import own_key_aad
from carepost.tenancy import rewrapping
from carepost.tenancy.models.base import OrgModel, now


class RecipientKey(OrgModel):
    #: blind index of the address, as the engine compares it (`tenancy.actions.suppression.token`)
    token = models.BinaryField()
    #: blind index of the certificate's fingerprint: the same one is not taken in twice
    mark = models.BinaryField()
    #: version of the index key that made both
    under = models.PositiveIntegerField(default=1, db_default=1)
    #: policy.types.Method: smime | openpgp
    method = models.CharField(max_length=10)
    #: `keyring.sources`
    source = models.CharField(max_length=20)
    #: an administrator vouches for it
    pinned = models.BooleanField(default=False)
    #: in use | changed (another than the pinned: holds the mail) | replaced | distrusted
    state = models.CharField(max_length=12)
    #: UTC microseconds; 0: it never runs out
    not_after = models.BigIntegerField(default=0)
    #: days of the last warning given about `not_after`; 99: none was
    warned = models.SmallIntegerField(default=99)
    found_at = models.BigIntegerField(default=now)
    #: when `state` became what it is
    changed_at = models.BigIntegerField(default=now)
    #: when it was last met where it came from, and last encrypted to; 0: never
    seen_at = models.BigIntegerField(default=0)
    used_at = models.BigIntegerField(default=0)
    #: when a letter told of it that it differs from the one in use; 0: not yet
    told_at = models.BigIntegerField(default=0)
    #: from when on it is looked for anew where keys are published; 0: nobody decided yet (`keyring.anew`)
    ask_at = models.BigIntegerField(default=0)
    #: directory.types.KeptKey under the organisation's evidence key
    sealed = models.BinaryField()

    class Meta(OrgModel.Meta):
        constraints: ClassVar = [
            *OrgModel.Meta.constraints,
            models.UniqueConstraint(fields=["org", "token", "mark"], name="keyring_recipientkey_mark"),
        ]
        indexes: ClassVar = [
            # holds all that an engine reads of every certificate: it need not pass over the certificates themselves
            models.Index(
                fields=["org", "state", "token", "id", "method", "pinned", "not_after"],
                name="keyring_recipientkey_engine",
            ),
            models.Index(fields=["state", "not_after"], name="keyring_recipientkey_ends"),
            models.Index(fields=["state", "ask_at"], name="keyring_recipientkey_ask"),
        ]


class OwnKey(OrgModel):
    """A key of the organisation itself: to sign what leaves, to open what comes."""

    #: blind index of the address it belongs to; empty: the organisation's
    token = models.BinaryField()
    #: SHA-256 under the index key of what names the key pair: not taken in twice
    mark = models.BinaryField()
    #: version of the index key that made both
    under = models.PositiveIntegerField(default=1, db_default=1)
    #: policy.types.Method: smime | openpgp
    method = models.CharField(max_length=10)
    #: for people: rsa-3072, ec-p256, curve25519, …
    algorithm = models.CharField(max_length=20)
    signs = models.BooleanField(default=True)
    decrypts = models.BooleanField(default=True)
    #: an administrator may take its private part out; once off it is never on again
    exportable = models.BooleanField(default=True)
    #: signs also what leaves unencrypted
    always = models.BooleanField(default=False)
    #: waiting (for its certificate) | active | retired (decrypts, until `until`) | revoked
    state = models.CharField(max_length=10)
    #: generated | pkcs12 | imported
    source = models.CharField(max_length=10)
    #: UTC microseconds, all below; 0: no end
    until = models.BigIntegerField(default=0)
    not_after = models.BigIntegerField(default=0)
    #: days of the last warning given about `not_after`; 99: none was
    warned = models.SmallIntegerField(default=99)
    made_at = models.BigIntegerField(default=now)
    changed_at = models.BigIntegerField(default=now)
    #: last day on which it signed or opened something; 0: never
    used_at = models.BigIntegerField(default=0)
    #: the private part under the purpose `mail` (directory.types.own_key_aad)
    wrapped = models.BinaryField()
    #: directory.types.OwnKept under the organisation's evidence key
    sealed = models.BinaryField()

    class Meta(OrgModel.Meta):
        constraints: ClassVar = [
            *OrgModel.Meta.constraints,
            models.UniqueConstraint(fields=["org", "token", "mark"], name="keyring_ownkey_mark"),
        ]
        indexes: ClassVar = [models.Index(fields=["org", "state", "token"], name="keyring_ownkey_state")]


class Authority(OrgModel):
    """A certification authority of the organisation's own, for its S/MIME certificates alone."""

    #: the organisation's name as its certificate says it
    name = models.CharField(max_length=64)
    #: rsa-3072 | ec-p384
    algorithm = models.CharField(max_length=20)
    #: active | retired (issues nothing more; its list goes on until it ends)
    state = models.CharField(max_length=10)
    #: its own certificate
    der = models.BinaryField()
    #: address of its list and certificate, without their endings, as it stands in certificates
    where = models.CharField(max_length=400)
    #: UTC microseconds, all below
    not_after = models.BigIntegerField()
    made_at = models.BigIntegerField(default=now)
    changed_at = models.BigIntegerField(default=now)
    #: the last step of `tenancy.endings.STEPS` that was told; more: none
    warned = models.SmallIntegerField(default=99, db_default=99)
    #: the private part under the purpose `mail` (directory.types.own_key_aad); it is never given out
    wrapped = models.BinaryField()

    class Meta(OrgModel.Meta):
        constraints: ClassVar = [
            *OrgModel.Meta.constraints,
            models.UniqueConstraint(
                fields=["org"], condition=models.Q(state="active"), name="keyring_authority_one_active"
            ),
        ]


class AuthorityList(OrgModel):
    """What an authority publishes, as it is served: for the public pages, which hold no key. Its id is the
    authority's."""

    der = models.BinaryField()
    #: the list of what was taken back, its number, when it was signed and when the next one is due at the latest
    crl = models.BinaryField()
    number = models.BigIntegerField()
    at = models.BigIntegerField()
    until = models.BigIntegerField()
    #: when the authority ends: no list is needed after it
    ends = models.BigIntegerField()

    class Meta(OrgModel.Meta):
        indexes: ClassVar = [models.Index(fields=["until"], name="keyring_authoritylist_until")]


class Issued(OrgModel):
    """A certificate that an authority of the organisation signed."""

    authority = models.ForeignKey(Authority, on_delete=models.PROTECT, related_name="issued")
    key = models.ForeignKey(OwnKey, on_delete=models.PROTECT, related_name="issued")
    #: 20 octets, as a number
    serial = models.BinaryField(max_length=20)
    #: SHA-256 of the certificate, hexadecimal
    fingerprint = models.CharField(max_length=64)
    issued_at = models.BigIntegerField(default=now)
    not_after = models.BigIntegerField()
    #: 0: it holds
    revoked_at = models.BigIntegerField(default=0)
    #: crypto.smime.authority.CAUSES
    cause = models.CharField(max_length=24, blank=True)

    class Meta(OrgModel.Meta):
        constraints: ClassVar = [
            *OrgModel.Meta.constraints,
            models.UniqueConstraint(fields=["org", "authority", "serial"], name="keyring_issued_serial"),
        ]
        indexes: ClassVar = [models.Index(fields=["org", "key"], name="keyring_issued_key")]


class Discovery(OrgModel):
    """Where an organisation lets recipients' keys be looked for; no row: `wire.found.DEFAULT`."""

    #: names of `wire.found.SOURCES`, separated by spaces
    sources = models.CharField(max_length=200, blank=True)
    #: certificates are used of which nobody could say whether they were revoked
    unknown_ok = models.BooleanField(default=False)
    changed_at = models.BigIntegerField(default=now)

    class Meta(OrgModel.Meta):
        constraints: ClassVar = [
            *OrgModel.Meta.constraints,
            models.UniqueConstraint(fields=["org"], name="keyring_discovery_one"),
        ]


class Upload(OrgModel):
    """A key that a recipient uploaded in the portal and has not proved to hold yet."""

    #: the portal's recipient
    recipient = models.UUIDField()
    tries = models.SmallIntegerField(default=0)
    made_at = models.BigIntegerField(default=now)
    #: up to when the code counts
    until = models.BigIntegerField()
    #: 0: not proved yet
    used_at = models.BigIntegerField(default=0)
    #: keyring.uploads.Kept under the organisation's evidence key
    sealed = models.BinaryField()

    class Meta(OrgModel.Meta):
        indexes: ClassVar = [models.Index(fields=["org", "recipient", "made_at"], name="keyring_upload_recipient")]


class Anchor(OrgModel):
    """A certification authority whose certificates of recipients the organisation believes."""

    #: for people: its own name, as its certificate says
    name = models.CharField(max_length=200)
    #: SHA-256, hexadecimal
    fingerprint = models.CharField(max_length=64)
    der = models.BinaryField()
    not_after = models.BigIntegerField(default=0)
    added_at = models.BigIntegerField(default=now)

    class Meta(OrgModel.Meta):
        constraints: ClassVar = [
            *OrgModel.Meta.constraints,
            models.UniqueConstraint(fields=["org", "fingerprint"], name="keyring_anchor_fingerprint"),
        ]


rewrapping.PLACES.extend(
    rewrapping.Place(table, lambda _: "mail", lambda row: own_key_aad(row.org_id.bytes, row.pk.bytes))
    for table in (OwnKey, Authority)
)
