"""People who work with Carepost. A person is one row whatever the organisations; roles are memberships."""

from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models

from carepost.tenancy.models.base import IdModel, OrgModel, fresh_id, now


class StaffAccounts(BaseUserManager["Staff"]):
    def get_by_natural_key(self, username: str | None) -> "Staff":
        return self.get(email=(username or "").strip().lower())


class Staff(AbstractBaseUser):
    """AUTH_USER_MODEL; signs in with an e-mail address. Rows are never deleted and ids never used again (HS-31)."""

    id = models.UUIDField(primary_key=True, default=fresh_id, editable=False)
    email = models.EmailField(max_length=254, unique=True)
    name = models.CharField(max_length=200)
    is_active = models.BooleanField(default=True)
    #: part of every session's hash: a new value ends all sessions (HS-06)
    session_generation = models.PositiveIntegerField(default=1)
    created_at = models.BigIntegerField(default=now)
    disabled_at = models.BigIntegerField(default=0)

    objects: ClassVar[StaffAccounts] = StaffAccounts()

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name"]

    def __str__(self) -> str:
        return str(self.pk)

    def _get_session_auth_hash(self, secret: str | bytes | None = None) -> str:
        inherited: str = super()._get_session_auth_hash(secret=secret)  # type: ignore[misc]
        return f"{inherited}.{self.session_generation}"


class Membership(OrgModel):
    """A role of one person in one organisation. Grants are never edited: revoked, and granted anew (HS-07)."""

    staff = models.ForeignKey(Staff, on_delete=models.PROTECT, related_name="memberships")
    #: tenancy.permissions.Role
    role = models.CharField(max_length=20)
    #: who approved the grant: wire.types.Actor as "kind:id"
    approved_by = models.CharField(max_length=80)
    granted_at = models.BigIntegerField(default=now)
    revoked_at = models.BigIntegerField(default=0)

    class Meta(OrgModel.Meta):
        constraints = [
            *OrgModel.Meta.constraints,
            models.UniqueConstraint(
                fields=["org", "staff", "role"], condition=models.Q(revoked_at=0), name="tenancy_membership_live"
            ),
        ]


class SignInLink(IdModel):
    """A one-time link to set a password and a second factor. Only the hash of its token is kept."""

    staff = models.ForeignKey(Staff, on_delete=models.PROTECT, related_name="sign_in_links")
    token_hash = models.BinaryField(max_length=32, unique=True)
    created_at = models.BigIntegerField(default=now)
    expires_at = models.BigIntegerField()
    used_at = models.BigIntegerField(default=0)
