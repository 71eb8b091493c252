"""Organisations: made with their keys and first policy, changed, closed; and their units."""

import uuid
from typing import Final

from django.db import IntegrityError, transaction

from carepost.ground.errors import NotFound
from carepost.ground.keys import PURPOSES
from carepost.policy.types import Assurance
from carepost.tenancy import keys, names, scope
from carepost.tenancy.act import Doing, act
from carepost.tenancy.actions.policy import PORTAL_BY_MAIL, first_version
from carepost.tenancy.models import DomainClaim, Organisation, OrgEpoch, OrgKey, Unit
from carepost.tenancy.permissions import Forbidden, Permission
from carepost.wire.types import Actor

#: those an organisation has a key of its own for; databases are the installation's, and `mail` wraps keys itself
ORG_PURPOSES: Final = tuple(p for p in PURPOSES if p not in ("database", "mail"))
#: settings a person may change, and how each is checked
_SETTINGS: Final = (
    "name", "notice_name", "phone", "auditor", "alerts", "portal_url", "portal_address", "floor", "patience",
)  # fmt: skip


def create_organisation(
    slug: str,
    name: str,
    *,
    actor: Actor,
    notice_name: str = "",
    phone: str = "",
    auditor: str = "",
    alerts: str = "",
    portal_url: str = "",
    portal_address: str = "",
    floor: Assurance = Assurance.VERIFIED,
    portal_by_mail: bool = False,
) -> Organisation:
    """An organisation with a key for every purpose and policy version 1. Only the system itself makes one."""
    if actor.kind != "system":
        raise Forbidden
    made = Organisation(slug=names.slug(slug), name=names.words(name, "name"))
    made.notice_name = names.words(notice_name or name, "notice name")
    _put(made, phone=phone, auditor=auditor, alerts=alerts, portal_url=portal_url, portal_address=portal_address)
    _put(made, floor=floor)
    with scope.organisation(made.pk), transaction.atomic(durable=True):
        with scope.every("short names are the installation's"):
            if Organisation.objects.filter(slug=made.slug).exists():
                raise names.Wrong("taken", f"There is an organisation {made.slug!r} already.")
        made.save(force_insert=True)
        OrgEpoch.objects.create(org=made)
        opened = keys.org_keys()
        for purpose in ORG_PURPOSES:
            OrgKey.objects.create(org=made, purpose=purpose, version=1, wrapped=opened.new(made.pk.bytes, purpose))
        doing = Doing(made, actor)
        first_version(doing, portal_by_mail=portal_by_mail)
        facts = {"floor": floor.name, "rule": PORTAL_BY_MAIL if portal_by_mail else ""}
        doing.event("org.created", on=[made.pk], facts=facts, values={"new": name})
        doing.finish()
    return made


def change_settings(org: uuid.UUID, *, actor: Actor, reason: str = "", **changes: object) -> Organisation:
    """Any of name, notice_name, phone, auditor, alerts, portal_url, portal_address, floor, patience (seconds)."""
    unknown = set(changes) - set(_SETTINGS)
    if unknown or not changes:
        raise names.Wrong("unknown-setting", f"Settings of an organisation are: {', '.join(_SETTINGS)}.")
    with act(org, Permission.ORGANISATION, actor=actor) as doing:
        row = doing.organisation
        before = {name: str(getattr(row, name)) for name in changes}
        _put(row, **changes)
        row.save(update_fields=list(changes))
        for name, old in before.items():
            new = str(getattr(row, name))
            if new != old:
                values = {"old": old, "new": new, "reason": reason}
                doing.event("org.changed", on=[org], facts={"setting": name}, values=values)
        doing.tell_engine()
        if all(str(getattr(row, name)) == old for name, old in before.items()):
            raise names.Wrong("unchanged", "These settings have these values already.")
    return row


def close_organisation(org: uuid.UUID, *, actor: Actor, reason: str) -> None:
    """The engine forgets it at the next epoch: nothing is accepted or sent any more. Records and keys stay."""
    if actor.kind != "system":
        raise Forbidden
    with act(org, Permission.ORGANISATION, actor=actor) as doing:
        doing.organisation.closed_at = doing.at
        doing.organisation.save(update_fields=["closed_at"])
        with scope.every("claims of domains are shared by all organisations"):
            DomainClaim.objects.filter(owner=org).delete()
        doing.event("org.closed", on=[org], values={"reason": names.words(reason, "reason", longest=500)})
        doing.tell_engine()


def add_unit(org: uuid.UUID, name: str, *, actor: Actor, notice_name: str = "", phone: str = "") -> Unit:
    with act(org, Permission.ORGANISATION, actor=actor) as doing:
        unit = Unit(org_id=org, name=names.words(name, "name"), created_at=doing.at)
        unit.notice_name = names.words(notice_name, "notice name", empty=True)
        unit.phone = names.words(phone, "phone number", longest=60, empty=True)
        try:
            with transaction.atomic():
                unit.save(force_insert=True)
        except IntegrityError:
            raise names.Wrong("taken", "There is a unit of this name already.") from None
        doing.event("unit.added", on=[unit.pk], values={"new": unit.name})
        doing.tell_engine()
    return unit


def change_unit(org: uuid.UUID, unit: uuid.UUID, *, actor: Actor, **changes: str) -> Unit:
    """`notice_name` and `phone`; "" inherits the organisation's."""
    if not changes or set(changes) - {"notice_name", "phone"}:
        raise names.Wrong("unknown-setting", "Settings of a unit are: notice_name, phone.")
    with act(org, Permission.ORGANISATION, actor=actor) as doing:
        row = Unit.objects.filter(org_id=org, pk=unit).first()
        if row is None:
            raise NotFound("There is no such unit.")
        for name, value in changes.items():
            old = getattr(row, name)
            setattr(row, name, names.words(value, name.replace("_", " "), empty=True))
            values = {"old": old, "new": getattr(row, name)}
            doing.event("unit.changed", on=[unit], facts={"setting": name}, values=values)
        row.save(update_fields=list(changes))
        doing.tell_engine()
    return row


def _put(row: Organisation, **values: object) -> None:
    """Checks each value and sets it on the row."""
    for name, value in values.items():
        if name == "floor":
            floor = Assurance(value)  # type: ignore[arg-type]  # refuses what is no assurance
            if floor < Assurance.VERIFIED:
                raise names.Wrong(
                    "floor-too-low", "An organisation's floor is at least VERIFIED; a rule can lower it for one case."
                )
            row.floor = floor.value
        elif name == "patience":
            seconds = int(str(value))
            if not 0 <= seconds <= 345_600:
                raise names.Wrong("bad-patience", "Patience is 0 to 345600 seconds (4 days).")
            row.patience = seconds
        elif name in ("auditor", "alerts", "portal_address"):
            setattr(row, name, names.address(str(value)) if value else "")
        elif name == "portal_url":
            row.portal_url = _url(str(value))
        else:
            setattr(row, name, names.words(str(value), name.replace("_", " "), empty=name == "phone"))


def _url(typed: str) -> str:
    text = typed.strip().rstrip("/")
    if text and (not text.startswith(("https://", "http://")) or len(text) > 300 or any(c <= " " for c in text)):
        raise names.Wrong("bad-url", "The portal's address begins with https:// and holds no spaces.")
    return text
