"""People: invited by a one-time link, given roles, disabled in one call (HS-06, HS-07, HS-31)."""

import hashlib
import secrets
import uuid
from typing import Final

import msgspec
from allauth.mfa.models import Authenticator
from django.contrib.auth import password_validation
from django.db import transaction
from django.db.models import F

from carepost.ground import clock
from carepost.ground.errors import NotFound
from carepost.tenancy import names, pressed, scope
from carepost.tenancy.act import Doing, act
from carepost.tenancy.models import ApiKey, Credential, Membership, SignInLink, Staff
from carepost.tenancy.permissions import Permission, Role
from carepost.wire.types import Actor

#: how long a sign-in link can be used
LINK_SECONDS: Final = 7 * 86_400


class Invitation(msgspec.Struct, frozen=True):
    """What the inviter hands over, out of band. The token is kept nowhere else."""

    staff: uuid.UUID
    token: str
    expires_at: int

    @property
    def path(self) -> str:
        """On the console's origin."""
        return f"/welcome/{self.token}"


def add_staff(
    org: uuid.UUID, email: str, name: str, role: str, *, actor: Actor, reason: str = "", page: str = ""
) -> Invitation:
    """A person with a role here and a one-time link. Somebody known from another organisation keeps password and
    second factor, and gets a link all the same. A person disabled earlier comes back as the same account: an id is
    never another person's (HS-31). `page`: mark of the form; the same sent again from there raises MadeAlready."""
    address = names.address(email).lower()
    wanted = _role(role)
    with act(org, Permission.STAFF, actor=actor) as doing:
        link = SignInLink(created_at=doing.at)
        pressed.once(link, pressed.id_of(org, page, "person", address, name, wanted, actor))
        staff = Staff.objects.filter(email=address).first()
        if staff is not None and Membership.objects.filter(org_id=org, staff=staff, revoked_at=0).exists():
            raise names.Wrong("taken", "This person works here already.")
        if staff is None:
            staff = Staff(email=address, name=names.words(name, "name"), created_at=doing.at)
            staff.set_unusable_password()
            staff.save(force_insert=True)
        elif not staff.is_active:
            staff.is_active, staff.disabled_at = True, 0
            staff.save(update_fields=["is_active", "disabled_at"])
            doing.event("staff.enabled", on=[staff.pk], values={"reason": reason})
        granted = _grant(doing, staff, wanted)
        values = {"new": f"{staff.name} <{address}>", "reason": reason}
        doing.event("staff.added", on=[staff.pk, granted.pk], facts={"role": wanted}, values=values)
        return _link(doing, staff, link)


def grant_role(org: uuid.UUID, staff: uuid.UUID, role: str, *, actor: Actor, reason: str) -> None:
    wanted, why = _role(role), names.words(reason, "reason", longest=500)
    with act(org, Permission.STAFF, actor=actor) as doing:
        person = _person(org, staff)
        if Membership.objects.filter(org_id=org, staff=person, role=wanted, revoked_at=0).exists():
            raise names.Wrong("taken", "This person has this role already.")
        granted = _grant(doing, person, wanted)
        doing.event("role.granted", on=[staff, granted.pk], facts={"role": wanted}, values={"reason": why})


def revoke_role(org: uuid.UUID, staff: uuid.UUID, role: str, *, actor: Actor, reason: str) -> None:
    """Taking the last role of a person ends what they hold here, as `disable_staff` does."""
    why = names.words(reason, "reason", longest=500)
    with act(org, Permission.STAFF, actor=actor) as doing:
        row = Membership.objects.filter(org_id=org, staff_id=staff, role=role, revoked_at=0).first()
        if row is None:
            raise NotFound("This person does not have this role here.")
        _keep_an_administrator(org, without=staff, role=role)
        row.revoked_at = doing.at
        row.save(update_fields=["revoked_at"])
        doing.event("role.revoked", on=[staff, row.pk], facts={"role": role}, values={"reason": why})
        if not Membership.objects.filter(org_id=org, staff_id=staff, revoked_at=0).exists():
            _end_everything(doing, row.staff)


def new_link(org: uuid.UUID, staff: uuid.UUID, *, actor: Actor, reason: str, page: str = "") -> Invitation:
    """For somebody who lost password or second factor: both are taken away, and a new link is made. Earlier links and
    all sessions end. `page`: as for a new person, so that a second press does not end the link that was just shown."""
    why = names.words(reason, "reason", longest=500)
    with act(org, Permission.STAFF, actor=actor) as doing:
        person = _person(org, staff)
        link = SignInLink(created_at=doing.at)
        pressed.once(link, pressed.id_of(org, page, "link", staff, why, actor))
        _forget_sign_in(doing, person)
        doing.event("staff.link-made", on=[staff], values={"reason": why})
        return _link(doing, person, link)


def disable_staff(org: uuid.UUID, staff: uuid.UUID, *, actor: Actor, reason: str) -> None:
    """HS-06, in one call: roles, sessions, API keys, SMTP credentials, passkeys, TOTP, recovery codes and links. A
    person who works in another organisation too loses what they had here, and every session."""
    why = names.words(reason, "reason", longest=500)
    with act(org, Permission.STAFF, actor=actor) as doing:
        person = _person(org, staff)
        _keep_an_administrator(org, without=staff, role=Role.ADMINISTRATOR)
        Membership.objects.filter(org_id=org, staff=person, revoked_at=0).update(revoked_at=doing.at)
        doing.event("staff.disabled", on=[staff], values={"reason": why})
        _end_everything(doing, person)


def open_link(token: str) -> Staff:
    """Whose link this is, without using it (law 11). Raises NotFound for one unknown, used or expired."""
    row = SignInLink.objects.select_related("staff").filter(token_hash=_hash(token)).first()
    if row is None or row.used_at or row.expires_at < clock.now() or not row.staff.is_active:
        raise NotFound("This link does not work any more; ask an administrator for a new one.")
    return row.staff


def use_link(token: str, password: str) -> Staff:
    """Sets the password and uses the link up. Raises NotFound; django's ValidationError leaves the link as it was."""
    with scope.every("a link names a person, not an organisation"), transaction.atomic(durable=True):
        staff = open_link(token)
        password_validation.validate_password(password, staff)
        used = SignInLink.objects.filter(token_hash=_hash(token), used_at=0).update(used_at=clock.now())
        if used != 1:
            raise NotFound("This link does not work any more; ask an administrator for a new one.")
        staff.set_password(password)
        staff.session_generation += 1
        staff.save(update_fields=["password", "session_generation"])
        actor = Actor("staff", str(staff.pk))
        for membership in Membership.objects.select_related("org").filter(staff=staff, revoked_at=0):
            Doing(membership.org, actor).event("staff.link-used", on=[staff.pk])
    return staff


def record_sign_in(staff: Staff, *, result: str) -> None:
    """HS-09: each success and failure of a known person, in the log of every organisation they work for.
    `result`: ok | refused | locked."""
    with scope.every("a person who signs in has not chosen an organisation yet"), transaction.atomic():
        actor = Actor("staff", str(staff.pk))
        for membership in Membership.objects.select_related("org").filter(staff=staff, revoked_at=0):
            Doing(membership.org, actor).event("staff.signed-in", on=[staff.pk], result=result)


def _role(role: str) -> str:
    if role not in set(Role):
        raise names.Wrong("unknown-role", f"Roles are: {', '.join(Role)}.")
    return role


def _person(org: uuid.UUID, staff: uuid.UUID) -> Staff:
    row = Membership.objects.select_related("staff").filter(org_id=org, staff_id=staff, revoked_at=0).first()
    if row is None:
        raise NotFound("There is no such person here.")
    return row.staff


def _grant(doing: Doing, staff: Staff, role: str) -> Membership:
    approved = f"{doing.actor.kind}:{doing.actor.id}"
    return Membership.objects.create(
        org_id=doing.org, staff=staff, role=role, approved_by=approved, granted_at=doing.at
    )


def _keep_an_administrator(org: uuid.UUID, *, without: uuid.UUID, role: str) -> None:
    if role != Role.ADMINISTRATOR:
        return
    live = Membership.objects.filter(org_id=org, role=Role.ADMINISTRATOR, revoked_at=0)
    if live.filter(staff_id=without).exists() and not live.exclude(staff_id=without).exists():
        raise names.Wrong("last-administrator", "An organisation keeps at least one administrator; add another first.")


def _link(doing: Doing, staff: Staff, link: SignInLink) -> Invitation:
    token = secrets.token_urlsafe(32)
    expires = doing.at + LINK_SECONDS * 1_000_000
    link.staff, link.token_hash, link.expires_at = staff, _hash(token), expires
    link.save(force_insert=True)
    return Invitation(staff.pk, token, expires)


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def _forget_sign_in(doing: Doing, staff: Staff) -> None:
    """Password, second factors, links and sessions."""
    Authenticator.objects.filter(user=staff).delete()
    SignInLink.objects.filter(staff=staff, used_at=0).update(used_at=doing.at)
    staff.set_unusable_password()
    Staff.objects.filter(pk=staff.pk).update(password=staff.password, session_generation=F("session_generation") + 1)


def _end_everything(doing: Doing, staff: Staff) -> None:
    """What the person holds in this organisation ends; the account itself when they work nowhere else."""
    for key in ApiKey.objects.filter(org_id=doing.org, owner=staff, revoked_at=0):
        ApiKey.objects.filter(pk=key.pk).update(revoked_at=doing.at)
        doing.event("key.revoked", on=[key.pk, staff.pk], facts={"key": str(key.pk), "cause": "staff-disabled"})
    for credential in Credential.objects.filter(org_id=doing.org, owner=staff, revoked_at=0):
        Credential.objects.filter(pk=credential.pk).update(revoked_at=doing.at)
        facts = {"key": str(credential.pk), "cause": "staff-disabled"}
        doing.event("credential.revoked", on=[credential.pk, staff.pk], facts=facts)
    with scope.every("whether a person works elsewhere is asked of all organisations"):
        elsewhere = Membership.objects.filter(staff=staff, revoked_at=0).exists()
    if elsewhere:
        Staff.objects.filter(pk=staff.pk).update(session_generation=F("session_generation") + 1)
    else:
        _forget_sign_in(doing, staff)
        Staff.objects.filter(pk=staff.pk).update(is_active=False, disabled_at=doing.at)
    doing.tell_engine()
