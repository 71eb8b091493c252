"""Shapes of the API about the organisation's own keys and its authority. None holds a private part that goes out."""

from typing import Annotated, Literal

import msgspec

from carepost.keyring.own_acts import Taken
from carepost.keyring.own_making import MOST_BYTES, MOST_DAYS
from carepost.keyring.own_select import OwnShown

_Reason = Annotated[str, msgspec.Meta(min_length=1, max_length=500)]
_Address = Annotated[str, msgspec.Meta(min_length=1, max_length=320)]
_Word = Annotated[str, msgspec.Meta(max_length=20)]
_Name = Annotated[str, msgspec.Meta(max_length=64)]
_Days = Annotated[int, msgspec.Meta(ge=0, le=MOST_DAYS)]
_Overlap = Annotated[int, msgspec.Meta(ge=0, le=36_500)]
#: crypto.smime.authority.CAUSES
Cause = Literal["unspecified", "key-compromise", "affiliation-changed", "superseded", "cessation"]
#: who makes the certificate: the key itself, the organisation's authority, or another (the key waits for it)
By = Literal["itself", "authority", "another"]


class OwnKeys(msgspec.Struct, frozen=True):
    """`cursor`: of the next page; "" on the last. Times: UTC microseconds, 0: none. `state`: waiting (for its
    certificate), active, retired (only opens, `until`), revoked. `always`: signs also what leaves unencrypted."""

    own_keys: tuple[OwnShown, ...]
    cursor: str = ""


class GenerateOwnKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`address`: at one of the sender domains. `shared`: the organisation's, for everyone who has none of their own.
    `days`: 0 for what is usual. `overlap`: days the key it replaces goes on opening; left out: as long as content is
    kept."""

    address: _Address
    reason: _Reason
    method: Literal["smime", "openpgp"] = "smime"
    certified_by: By = "itself"
    algorithm: _Word = ""
    name: _Name = ""
    shared: bool = False
    always: bool = False
    days: _Days = 0
    overlap: _Overlap | None = None


class ImportOwnKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`file`: PKCS#12, or an OpenPGP secret key (base64). `address`: whose it is; "" as its certificate says. `former`:
    only to open what was encrypted to it once. `dry_run`: what would be taken, nothing written."""

    file: Annotated[bytes, msgspec.Meta(min_length=1, max_length=MOST_BYTES)]
    reason: _Reason
    passphrase: Annotated[str, msgspec.Meta(max_length=1000)] = ""
    address: Annotated[str, msgspec.Meta(max_length=320)] = ""
    shared: bool = False
    always: bool = False
    former: bool = False
    dry_run: bool = False
    overlap: _Overlap | None = None

    def __repr__(self) -> str:
        return "ImportOwnKey()"


class ImportedOwnKey(Taken, frozen=True):
    """`replaces`: how many keys of the same owner sign nothing more from then on. `id`: "" of a dry run."""


class RotateOwnKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`algorithm`: "" for the same kind. By `another`: the old key signs until the new one has its certificate."""

    reason: _Reason
    certified_by: By = "itself"
    algorithm: _Word = ""
    days: _Days = 0
    overlap: _Overlap | None = None


class RevokeOwnKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`cause`: what the list of our own authority says of it."""

    reason: _Reason
    cause: Cause = "unspecified"


class InstallOwnCertificate(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What another authority made for the key's request (PEM, with its issuers)."""

    certificate: Annotated[str, msgspec.Meta(min_length=1, max_length=MOST_BYTES)]
    reason: _Reason
    overlap: _Overlap | None = None


class CertifyOwnKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """By the organisation's authority, also in the place of a certificate the key has."""

    reason: _Reason
    days: _Days = 0
    overlap: _Overlap | None = None


class SignAll(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    always: bool
    reason: _Reason


class PublicPart(msgspec.Struct, frozen=True):
    """What may be given out: `text` is PEM, or an armored OpenPGP certificate. `name` holds no address."""

    name: str
    text: str


class OwnAuthority(msgspec.Struct, frozen=True):
    """`state`: active (it issues) or retired. `held`, `revoked`: certificates of it that hold now, and that were taken
    back. `list_url`: where everybody fetches the list of those, as certificates name it; signed at `list_at`, counts
    until `list_until`. Times: UTC microseconds."""

    id: str
    name: str
    algorithm: str
    state: str
    fingerprint: str
    domains: tuple[str, ...]
    list_url: str
    certificate_url: str
    made_at: int
    not_after: int
    held: int
    revoked: int
    list_number: int
    list_at: int
    list_until: int


class OwnAuthorities(msgspec.Struct, frozen=True):
    authorities: tuple[OwnAuthority, ...]
