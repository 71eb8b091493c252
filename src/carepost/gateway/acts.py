"""What people do about connections. Each is one transaction with its event; the engine hears within two seconds."""

import hashlib
import secrets
import uuid
from typing import Final

import msgspec
from django.db.models import QuerySet

from carepost.directory.gateways import PLACE, Login, Settings, decode_settings, encode_login, encode_settings
from carepost.gateway import checking
from carepost.gateway.models import Connection, Secret
from carepost.gateway.providers import PROVIDERS, begin
from carepost.ground.errors import NotFound, Refused
from carepost.tenancy import names, pressed, sealing
from carepost.tenancy.act import Doing, act
from carepost.tenancy.permissions import Permission
from carepost.wire.types import Actor

#: secrets that count at once
TWO: Final = 2


class Made(msgspec.Struct, frozen=True):
    """`value`: of the header field, shown this once."""

    connection: uuid.UUID
    value: str

    def __repr__(self) -> str:
        return f"Made({self.connection})"


def add_connection(
    org: uuid.UUID,
    name: str,
    provider: str,
    *,
    actor: Actor,
    settings: Settings | None = None,
    reason: str = "",
    page: str = "",
) -> Made:
    """With the first secret of its header. `settings` None: what the provider's tenants share, direct delivery.
    `page`: mark of the form it was asked for on; the same sent again from there raises MadeAlready. Raises Wrong,
    Forbidden."""
    if provider not in PROVIDERS:
        raise names.Wrong("bad-provider", f"A provider is one of {', '.join(PROVIDERS)}.")
    label, why = names.words(name, "name"), names.words(reason, "reason", longest=500, empty=True)
    with act(org, Permission.ROUTES, actor=actor) as doing:
        checked = checking.settings(org, settings or begin(PROVIDERS[provider]))
        row = Connection(org_id=org, name=label, provider=provider, settings=encode_settings(checked))
        pressed.once(row, pressed.id_of(org, page, "gateway", label, provider, row.settings, actor))
        row.created_at = row.changed_at = doing.at
        row.save(force_insert=True)
        value = _secret(doing, Secret(org_id=org, connection=row))
        doing.event("gateway.added", on=[row.pk], facts=_facts(row, checked), values=_values(checked, why))
        doing.tell_engine()
    return Made(row.pk, value)


def change_connection(
    org: uuid.UUID, connection: uuid.UUID, settings: Settings, *, actor: Actor, name: str = "", reason: str = ""
) -> Connection:
    """Raises Wrong, NotFound, Forbidden."""
    why = names.words(reason, "reason", longest=500, empty=True)
    with act(org, Permission.ROUTES, actor=actor) as doing:
        row = _row(org, connection)
        before = decode_settings(row.settings)
        checked = checking.settings(org, settings)
        if checked.vouched and not before.vouched and not why:
            raise names.Wrong(
                "no-attestation", "Say in the reason how your system enforces verified TLS; it is kept as your word."
            )
        if name:
            row.name = names.words(name, "name")
        row.settings, row.changed_at = encode_settings(checked), doing.at
        row.save()
        values = _values(checked, why) | {"old": encode_settings(msgspec.structs.replace(before, ca=""))}
        doing.event("gateway.changed", on=[row.pk], facts=_facts(row, checked), values=values)
        doing.tell_engine()
    return row


def set_login(org: uuid.UUID, connection: uuid.UUID, login: Login, *, actor: Actor, reason: str = "") -> None:
    """How we sign in at the tenant's host; what is secret in it is shown to nobody again. Raises Wrong, NotFound,
    Forbidden."""
    why = names.words(reason, "reason", longest=500, empty=True)
    with act(org, Permission.ROUTES, actor=actor) as doing:
        row = _row(org, connection)
        checked = checking.login(login)
        empty = checked == Login()
        row.sealed = b"" if empty else sealing.seal(org, "evidence", encode_login(checked), f"{PLACE}/{row.pk}")
        row.changed_at = doing.at
        row.save()
        facts = {"login": checked.kind or "none", "certificate": "own" if checked.certificate else "none"}
        doing.event("gateway.login-set", on=[row.pk], facts=facts, values={"reason": why} if why else {})
        doing.tell_engine()


def rotate_secret(org: uuid.UUID, connection: uuid.UUID, *, actor: Actor, page: str = "") -> Made:
    """Another secret beside the one in use; both count until the older is ended. `page`: as of `add_connection`.
    Raises Refused where two count already, MadeAlready, NotFound, Forbidden."""
    with act(org, Permission.ROUTES, actor=actor) as doing:
        row = _row(org, connection)
        fresh = Secret(org_id=org, connection=row)
        pressed.once(fresh, pressed.id_of(org, page, "gateway-secret", connection, actor))
        if _live(row).count() >= TWO:
            raise Refused("two-secrets", "Two secrets count already; end the older one first.", status=409)
        value = _secret(doing, fresh)
        doing.event("gateway.secret-added", on=[row.pk])
        doing.tell_engine()
    return Made(row.pk, value)


def end_secret(org: uuid.UUID, connection: uuid.UUID, *, actor: Actor) -> None:
    """The older of two secrets counts no more. Raises Refused where there is only one, NotFound, Forbidden."""
    with act(org, Permission.ROUTES, actor=actor) as doing:
        row = _row(org, connection)
        live = list(_live(row))
        if len(live) < TWO:
            raise Refused("one-secret", "Only one secret counts; make the new one first.", status=409)
        live[0].ended_at = doing.at
        live[0].save(update_fields=["ended_at"])
        doing.event("gateway.secret-ended", on=[row.pk])
        doing.tell_engine()


def remove_connection(org: uuid.UUID, connection: uuid.UUID, *, actor: Actor, reason: str) -> None:
    """Nothing is taken from it any more. Raises NotFound, Forbidden."""
    why = names.words(reason, "reason", longest=500)
    with act(org, Permission.ROUTES, actor=actor) as doing:
        row = _row(org, connection)
        row.removed_at, row.sealed = doing.at, b""
        row.save()
        Secret.objects.filter(org_id=org, connection=row, ended_at=0).update(ended_at=doing.at)
        doing.event("gateway.removed", on=[row.pk], values={"reason": why})
        doing.tell_engine()


def digest(value: str) -> bytes:
    """As it is kept: 256 random bits need no slow hash."""
    return hashlib.sha256(value.encode()).digest()


def _secret(doing: Doing, fresh: Secret) -> str:
    """The field's value: the connection's id, a dot, the secret."""
    value = f"{fresh.connection.pk.hex}.{secrets.token_urlsafe(32)}"
    fresh.digest, fresh.created_at = digest(value), doing.at
    fresh.save(force_insert=True)
    return value


def _live(row: Connection) -> "QuerySet[Secret]":
    """Oldest first."""
    return Secret.objects.filter(org_id=row.org_id, connection=row, ended_at=0).order_by("created_at", "pk")


def _row(org: uuid.UUID, connection: uuid.UUID) -> Connection:
    row = Connection.objects.filter(org_id=org, pk=connection, removed_at=0).first()
    if row is None:
        raise NotFound("There is no such connection.")
    return row


def _facts(row: Connection, settings: Settings) -> dict[str, str]:
    return {
        "provider": row.provider, "mode": settings.mode, "inbound": "yes" if settings.inbound else "no",
        "vouched": "yes" if settings.vouched else "no",
    }  # fmt: skip


def _values(settings: Settings, why: str) -> dict[str, str]:
    values = {"new": encode_settings(msgspec.structs.replace(settings, ca=""))}
    return values | ({"reason": why} if why else {})
