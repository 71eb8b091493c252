"""API keys and SMTP credentials. A secret is shown once, where it is made; kept are a hash and a SCRAM verifier."""

import base64
import os
import re
import uuid
from collections.abc import Sequence

import msgspec

from carepost.crypto import scram
from carepost.directory import bearer, keywords
from carepost.ground.errors import NotFound
from carepost.tenancy import names, pressed
from carepost.tenancy.act import act
from carepost.tenancy.models import ApiKey, Credential, Membership, SenderDomain
from carepost.tenancy.permissions import Forbidden, Permission, Scope
from carepost.wire.types import Actor


class NewKey(msgspec.Struct, frozen=True):
    id: str
    #: all of what is presented after `Authorization: Bearer `
    secret: str


class NewCredential(msgspec.Struct, frozen=True):
    id: str
    username: str
    password: str


def add_key(
    org: uuid.UUID,
    name: str,
    scopes: Sequence[str],
    *,
    actor: Actor,
    owner: uuid.UUID | None = None,
    per_minute: int = 0,
    page: str = "",
) -> NewKey:
    """`owner`: the person it acts for, disabled with them; None: the organisation's own. `per_minute`: requests or
    messages it may ask, at most what the server allows (0: that). `page`: mark of the form it was asked for on; the
    same sent again from there raises MadeAlready. A key cannot make a key that may more than itself."""
    wanted = sorted(set(scopes))
    unknown = [s for s in wanted if s not in set(Scope)]
    if unknown or not wanted:
        raise names.Wrong("unknown-scope", f"Scopes are: {', '.join(Scope)}.")
    words = _words(wanted, per_minute)
    with act(org, Permission.KEYS, actor=actor) as doing:
        if actor.kind == "key":
            maker = ApiKey.objects.get(org_id=org, pk=uuid.UUID(actor.id))
            if not _within(maker, wanted, per_minute):
                raise Forbidden
        _member(org, owner)
        row = ApiKey(org_id=org, name=names.words(name, "name"), scopes=" ".join(words), owner_id=owner)
        pressed.once(row, pressed.id_of(org, page, "key", row.name, row.scopes, owner, actor))
        presented, row.secret_hash = bearer.make(str(row.pk))
        row.created_at = doing.at
        row.save(force_insert=True)
        facts = {"key": str(row.pk), "scopes": row.scopes}
        doing.event("key.added", on=[row.pk], facts=facts, values={"new": row.name})
        doing.tell_engine()
    return NewKey(str(row.pk), presented)


def _within(maker: ApiKey, wanted: Sequence[str], per_minute: int) -> bool:
    """Not more scopes, not a faster pace, and from a test key tests alone."""
    held = tuple(maker.scopes.split())
    limit = keywords.limit_of(held)
    if keywords.TEST in held and keywords.TEST not in wanted:
        return False
    if limit and not 0 < per_minute <= limit:
        return False
    return {*wanted} - {keywords.TEST} <= set(held)


def limit_key(org: uuid.UUID, key: uuid.UUID, per_minute: int, *, actor: Actor) -> None:
    """What a key may ask in a minute from now on (0: what the server allows). A key that is limited itself gives no
    more than it has."""
    with act(org, Permission.KEYS, actor=actor) as doing:
        row = ApiKey.objects.select_for_update().filter(org_id=org, pk=key, revoked_at=0).first()
        if row is None:
            raise NotFound("There is no such key.")
        words = _words(keywords.without_limit(tuple(row.scopes.split())), per_minute)
        if actor.kind == "key":
            maker = ApiKey.objects.get(org_id=org, pk=uuid.UUID(actor.id))
            limit = keywords.limit_of(tuple(maker.scopes.split()))
            if limit and not 0 < per_minute <= limit:
                raise Forbidden
        row.scopes = " ".join(words)
        row.save(update_fields=["scopes"])
        doing.event("key.limited", on=[row.pk], facts={"key": str(row.pk), "scopes": row.scopes})
        doing.tell_engine()


def _words(scopes: Sequence[str], per_minute: int) -> list[str]:
    """What stands in a key's column. Raises Wrong."""
    if not 0 <= per_minute <= keywords.MOST:
        raise names.Wrong("bad-limit", f"A key's limit is a number from 1 to {keywords.MOST} a minute, or 0 for none.")
    return [*scopes, keywords.limit_word(per_minute)] if per_minute else list(scopes)


def revoke_key(org: uuid.UUID, key: uuid.UUID, *, actor: Actor, reason: str = "") -> None:
    with act(org, Permission.KEYS, actor=actor) as doing:
        row = ApiKey.objects.filter(org_id=org, pk=key, revoked_at=0).first()
        if row is None:
            raise NotFound("There is no such key.")
        row.revoked_at = doing.at
        row.save(update_fields=["revoked_at"])
        doing.event("key.revoked", on=[key], facts={"key": str(key)}, values={"reason": reason})
        doing.tell_engine()


def add_credential(
    org: uuid.UUID,
    name: str,
    *,
    actor: Actor,
    domains: Sequence[str] = (),
    owner: uuid.UUID | None = None,
    page: str = "",
) -> NewCredential:
    """`domains`: the organisation's sender domains it may use; none means all of them. `page`: as for a key."""
    allowed = sorted({names.domain(d) for d in domains})
    with act(org, Permission.KEYS, actor=actor) as doing:
        here = set(SenderDomain.objects.filter(org_id=org, removed_at=0).values_list("domain", flat=True))
        missing = [d for d in allowed if d not in here]
        if missing:
            raise names.Wrong("unknown-domain", f"{missing[0]} is not a sender domain of this organisation.")
        _member(org, owner)
        password = scram.new_password()
        row = Credential(org_id=org, name=names.words(name, "name"), domains=" ".join(allowed), owner_id=owner)
        pressed.once(row, pressed.id_of(org, page, "credential", row.name, row.domains, owner, actor))
        row.username = _username(name)
        row.verifier = scram.make(password)
        row.created_at = doing.at
        row.save(force_insert=True)
        facts = {"key": str(row.pk), "domains": row.domains}
        doing.event("credential.added", on=[row.pk], facts=facts, values={"new": row.name})
        doing.tell_engine()
    return NewCredential(str(row.pk), row.username, password)


def revoke_credential(org: uuid.UUID, credential: uuid.UUID, *, actor: Actor, reason: str = "") -> None:
    with act(org, Permission.KEYS, actor=actor) as doing:
        row = Credential.objects.filter(org_id=org, pk=credential, revoked_at=0).first()
        if row is None:
            raise NotFound("There is no such credential.")
        row.revoked_at = doing.at
        row.save(update_fields=["revoked_at"])
        doing.event("credential.revoked", on=[credential], facts={"key": str(credential)}, values={"reason": reason})
        doing.tell_engine()


def _username(name: str) -> str:
    """Readable and never met before: the name, and 60 random bits."""
    readable = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:30] or "smtp"
    return f"{readable}-{base64.b32encode(os.urandom(8)).decode().lower()[:12]}"


def _member(org: uuid.UUID, owner: uuid.UUID | None) -> None:
    if owner is not None and not Membership.objects.filter(org_id=org, staff_id=owner, revoked_at=0).exists():
        raise NotFound("There is no such person here.")
