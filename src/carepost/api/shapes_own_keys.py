"""Shapes of the API about the organisation's own keys and its authority. None holds a private part that goes out."""

from typing import Annotated, Literal

import msgspec

from carepost.keyring.own_making import MOST_BYTES, MOST_DAYS

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
