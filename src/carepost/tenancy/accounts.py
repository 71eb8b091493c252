"""django-allauth's hooks for staff: nobody signs up, sign-in only for the active, second factors sealed at rest."""

import base64
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.auth_backends import AuthenticationBackend
from allauth.mfa.adapter import DefaultMFAAdapter
from django.conf import settings
from django.contrib.auth.signals import user_logged_in
from django.dispatch import receiver
from django.http import HttpRequest

from carepost.crypto import rest
from carepost.tenancy.actions.staff import record_sign_in
from carepost.tenancy.models import Staff
from carepost.tenancy.sessions import begin

_FACTOR = b"second-factor"


class StaffBackend(AuthenticationBackend):  # type: ignore[misc]  # allauth has no stubs
    """E-mail and password of an active member of staff."""


class StaffAccounts(DefaultAccountAdapter):  # type: ignore[misc]
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        """HS-09: the failure is in the log of the organisations this person works for; a stranger's is nobody's."""
        super().authentication_failed(request, **credentials)
        known = Staff.objects.filter(email=str(credentials.get("email", "")).strip().lower()).first()
        if known is not None:
            record_sign_in(known, result="refused")

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Nothing: what concerns staff accounts is shown in the console, never mailed around the one door (law 1)."""


class StaffFactors(DefaultMFAAdapter):  # type: ignore[misc]
    """TOTP secrets and recovery seeds are sealed in the table, also where the database itself is not."""

    def encrypt(self, text: str) -> str:
        return base64.b64encode(rest.seal(_key(), text.encode(), _FACTOR)).decode()

    def decrypt(self, encrypted_text: str) -> str:
        return rest.open_(_key(), base64.b64decode(encrypted_text), _FACTOR).decode()


def _key() -> bytes:
    return bytes(settings.CAREPOST_KEYS.raw("database", b"second-factor", 1))


#: Django's `user_logged_in` comes after the second factor
@receiver(user_logged_in)
def _signed_in(user: Staff, request: HttpRequest, **_signal: Any) -> None:
    begin(request)
    record_sign_in(user, result="ok")
