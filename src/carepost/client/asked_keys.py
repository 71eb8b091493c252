"""The calls about the organisation's own keys and its authority (docs/api.md), for both clients."""

from collections.abc import Mapping

from carepost.client import calls
from carepost.client.asked import Ask
from carepost.wire.ownkeys import ImportedOwnKey, OwnAuthorities, OwnAuthority, OwnKey, OwnKeys, PublicPart

_KEYS = "/api/v1/own-keys"
_AUTHORITIES = "/api/v1/authorities"


def listed(cursor: str) -> Ask[OwnKeys]:
    return Ask(calls.get(_KEYS, cursor=cursor), lambda reply: reply.read(OwnKeys))


def one(id_: str) -> Ask[OwnKey]:
    return Ask(calls.get(f"{_KEYS}/{calls.part(id_)}"), lambda reply: reply.read(OwnKey))


def generate(address: str, reason: str, given: Mapping[str, object]) -> Ask[OwnKey]:
    """Not asked again where the answer was lost: two keys would be made."""
    return Ask(calls.post(_KEYS, {"address": address, "reason": reason, **given}), lambda reply: reply.read(OwnKey))


def bring_in(file: bytes, passphrase: str, reason: str, given: Mapping[str, object]) -> Ask[ImportedOwnKey]:
    body = {"file": file, "passphrase": passphrase, "reason": reason, **given}
    return Ask(calls.post(f"{_KEYS}/import", body), lambda reply: reply.read(ImportedOwnKey))


def change(id_: str, act: str, reason: str, given: Mapping[str, object]) -> Ask[OwnKey]:
    """`act`: rotate (answers the new key), revoke, certify, install, sign-all, keep-in."""
    call = calls.post(f"{_KEYS}/{calls.part(id_)}/{act}", {"reason": reason, **given})
    return Ask(call, lambda reply: reply.read(OwnKey))


def public(id_: str, part: str) -> Ask[str]:
    return Ask(calls.get(f"{_KEYS}/{calls.part(id_)}/public", part=part), lambda reply: reply.read(PublicPart).text)


def authorities() -> Ask[tuple[OwnAuthority, ...]]:
    return Ask(calls.get(_AUTHORITIES), lambda reply: reply.read(OwnAuthorities).authorities)


def authority_certificate(id_: str) -> Ask[str]:
    return Ask(calls.get(f"{_AUTHORITIES}/{calls.part(id_)}/certificate"), lambda reply: reply.read(PublicPart).text)


def sign_list(id_: str) -> Ask[OwnAuthority]:
    return Ask(calls.post(f"{_AUTHORITIES}/{calls.part(id_)}/list", {}), lambda reply: reply.read(OwnAuthority))
