"""Shapes of the API about recipients' certificates and keys."""

from typing import Annotated

import msgspec

from carepost.keyring.select import Shown

_Reason = Annotated[str, msgspec.Meta(min_length=1, max_length=500)]
_Address = Annotated[str, msgspec.Meta(min_length=1, max_length=320)]
#: PEM, or an armored OpenPGP certificate; with those of its issuers, where there are any
_File = Annotated[str, msgspec.Meta(min_length=1, max_length=512 * 1024)]
#: certificates of one import
MOST = 500


class Certificates(msgspec.Struct, frozen=True):
    """`cursor`: of the next page; "" on the last. Times: UTC microseconds, `not_after` 0 for never. `state`: in use,
    changed (it differs from the one in use and holds the mail), replaced, distrusted, withdrawn. `renews`: it is
    changed, and the same authority's next one for the same owner."""

    certificates: tuple[Shown, ...]
    cursor: str = ""


class FindCertificates(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An address never stands in a URL."""

    address: _Address


class AddCertificate(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    address: _Address
    certificate: _File
    reason: _Reason


class Why(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    reason: _Reason


class OneOfMany(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    address: _Address
    certificate: _File


class ImportCertificates(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`dry_run`: what would happen, nothing written."""

    certificates: Annotated[tuple[OneOfMany, ...], msgspec.Meta(min_length=1, max_length=MOST)]
    reason: _Reason
    dry_run: bool = False


class ImportedCertificate(msgspec.Struct, frozen=True):
    """In the order they were sent. `done`: added, replaces (another of its kind), known, refused; `why` in words."""

    address: str
    done: str
    why: str
    method: str
    fingerprint: str
    not_after: int


class ImportedCertificates(msgspec.Struct, frozen=True):
    results: tuple[ImportedCertificate, ...]
    dry_run: bool
