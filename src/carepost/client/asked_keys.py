"""The calls about the organisation's own keys and its authority (docs/api.md), for both clients."""

from collections.abc import Mapping

import msgspec

from carepost.client import calls
from carepost.client.asked import Ask

_KEYS = "/api/v1/own-keys"
_AUTHORITIES = "/api/v1/authorities"


class OwnKey(msgspec.Struct, frozen=True):
    """Times: UTC microseconds, 0: none. `state`: waiting (for its certificate), active, retired (only opens, `until`),
    revoked. `always`: signs also what leaves unencrypted. `ours`: certified by the organisation's authority."""

    id: str
    address: str
    shared: bool
    method: str
    algorithm: str
    state: str
    source: str
    signs: bool
    decrypts: bool
    always: bool
    fingerprint: str
    not_after: int
    until: int
    made_at: int
    used_at: int
    exportable: bool
    has_request: bool
    has_revocation: bool
    vouched: bool
    name: str = ""
    ours: bool = False


class OwnKeyPage(msgspec.Struct, frozen=True):
    own_keys: tuple[OwnKey, ...]
    #: for the next page; "" at the end
    cursor: str = ""


class TakenKey(msgspec.Struct, frozen=True):
    """`replaces`: how many keys of the same owner sign nothing more. `id`: "" of a dry run."""

    method: str
    algorithm: str
    address: str
    fingerprint: str
    not_after: int
    signs: bool
    decrypts: bool
    issuers: int
    replaces: int
    id: str = ""


class Authority(msgspec.Struct, frozen=True):
    """`list_url`: where everybody fetches the list of revoked certificates, which counts until `list_until`."""

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


class _Authorities(msgspec.Struct, frozen=True):
    authorities: tuple[Authority, ...]


class _Part(msgspec.Struct, frozen=True):
    text: str


def listed(cursor: str) -> Ask[OwnKeyPage]:
    return Ask(calls.get(_KEYS, cursor=cursor), lambda reply: reply.read(OwnKeyPage))


def one(id_: str) -> Ask[OwnKey]:
    return Ask(calls.get(f"{_KEYS}/{calls.part(id_)}"), lambda reply: reply.read(OwnKey))


def generate(address: str, reason: str, given: Mapping[str, object]) -> Ask[OwnKey]:
    """Not asked again where the answer was lost: two keys would be made."""
    return Ask(calls.post(_KEYS, {"address": address, "reason": reason, **given}), lambda reply: reply.read(OwnKey))


def bring_in(file: bytes, passphrase: str, reason: str, given: Mapping[str, object]) -> Ask[TakenKey]:
    body = {"file": file, "passphrase": passphrase, "reason": reason, **given}
    return Ask(calls.post(f"{_KEYS}/import", body), lambda reply: reply.read(TakenKey))


def change(id_: str, act: str, reason: str, given: Mapping[str, object]) -> Ask[OwnKey]:
    """`act`: rotate (answers the new key), revoke, certify, install, sign-all, keep-in."""
    call = calls.post(f"{_KEYS}/{calls.part(id_)}/{act}", {"reason": reason, **given})
    return Ask(call, lambda reply: reply.read(OwnKey))


def public(id_: str, part: str) -> Ask[str]:
    return Ask(calls.get(f"{_KEYS}/{calls.part(id_)}/public", part=part), lambda reply: reply.read(_Part).text)


def authorities() -> Ask[tuple[Authority, ...]]:
    return Ask(calls.get(_AUTHORITIES), lambda reply: reply.read(_Authorities).authorities)


def authority_certificate(id_: str) -> Ask[str]:
    return Ask(calls.get(f"{_AUTHORITIES}/{calls.part(id_)}/certificate"), lambda reply: reply.read(_Part).text)


def sign_list(id_: str) -> Ask[Authority]:
    return Ask(calls.post(f"{_AUTHORITIES}/{calls.part(id_)}/list", {}), lambda reply: reply.read(Authority))
